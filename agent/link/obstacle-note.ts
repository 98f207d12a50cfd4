import type { Logger } from '../../shared/logger.ts';
import { makeFolder, readSmallFile, removeFile, replaceSmallFile } from '../host/small-files.ts';

/**
 * What keeps the running agent from its master, for `skerry status`: one sentence in a file of the agent's folder of this boot, in memory
 * and so free for a flash disk. No file: nothing is in the way.
 */
export class ObstacleNote {
  readonly #folder: string;
  readonly #log: Logger;
  #told: string | undefined = UNTOLD;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Costs nothing while it stays the same. */
  tell(obstacle: string | undefined): void {
    if (obstacle === this.#told) return;
    this.#told = obstacle;
    try {
      this.#write(obstacle);
    } catch (error) {
      this.#log.warn('skerry status will not know of the link', { error: String(error) });
    }
  }

  #write(obstacle: string | undefined): void {
    if (obstacle === undefined) {
      removeFile(noteIn(this.#folder));
    } else {
      makeFolder(this.#folder);
      replaceSmallFile(noteIn(this.#folder), obstacle);
    }
  }
}

/** What the agent whose folder of this boot this is has told last; it holds as long as that agent runs. */
export function readObstacle(folder: string): string | undefined {
  return readSmallFile(noteIn(folder));
}

/** No sentence: what an agent that was killed has left is taken away at the first call. */
const UNTOLD = '';

function noteIn(folder: string): string {
  return `${folder}/obstacle`;
}
