import { CommandError } from '../host/command.ts';
import { fileVersion } from '../host/small-files.ts';
import type { PodmanEngine } from './podman-engine.ts';
import { type ImageConfig, RuntimeError } from './runtime.ts';

/** The part of `podman image inspect` that is read here. */
interface InspectedImage {
  Id: string;
  RepoDigests: string[] | null;
  RepoTags: string[] | null;
  Size: number;
  Config: {
    Entrypoint?: string[];
    Cmd?: string[];
    Env?: string[];
    User?: string;
    WorkingDir?: string;
    StopSignal?: string;
  } | null;
}

/**
 * Images as podman knows them. What was asked once is remembered for as long as podman's list of images is the same file: a start
 * of a known image costs a stat instead of a process.
 */
export class PodmanImages {
  readonly #engine: PodmanEngine;
  readonly #known = new Map<string, { id: string; config: ImageConfig }>();
  /** Names that containers still carry and no image has any more. */
  readonly #missing = new Set<string>();
  #version: string | undefined;

  constructor(engine: PodmanEngine) {
    this.#engine = engine;
  }

  async config(reference: string): Promise<ImageConfig | undefined> {
    return (await this.#find(reference))?.config;
  }

  /** The image id that a container shows: the one with a repository while `reference` still means the image of that `id`. */
  async nameOf(reference: string, id: string): Promise<string> {
    await this.#forgetIfChanged();
    if (this.#missing.has(reference)) return `sha256:${id}`;
    const image = await this.#find(reference);
    if (image === undefined) this.#missing.add(reference);
    return image?.id === id ? image.config.imageId : `sha256:${id}`;
  }

  async #find(reference: string): Promise<{ id: string; config: ImageConfig } | undefined> {
    await this.#forgetIfChanged();
    const known = this.#known.get(reference);
    if (known !== undefined) return known;
    const version = this.#version;
    const inspected = (await this.#inspect([reference]))[0];
    if (inspected === undefined) return undefined;
    const image = { id: inspected.Id, config: imageConfigOf(inspected, reference) };
    if (version !== undefined && version === this.#version) this.#known.set(reference, image);
    return image;
  }

  async list(): Promise<{ names: string[]; sizeBytes: number }[]> {
    const out = await this.#engine.call(['images', '--all', '--format=json']);
    const rows = JSON.parse(out) as { Names?: string[]; RepoDigests?: string[]; Size: number }[];
    return rows.map((row) => ({
      names: [...new Set([...(row.RepoDigests ?? []), ...(row.Names ?? [])])],
      sizeBytes: row.Size,
    }));
  }

  async pull(reference: string): Promise<void> {
    try {
      await this.#engine.call(['pull', '--quiet', reference], { timeoutMs: 3_600_000 });
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new RuntimeError('ErrImagePull', error.lastLine.replace(/^Error: /, ''));
    }
  }

  async #inspect(references: readonly string[]): Promise<InspectedImage[]> {
    try {
      const out = await this.#engine.call(['image', 'inspect', ...references]);
      return JSON.parse(out) as InspectedImage[];
    } catch (error) {
      if (error instanceof CommandError && /image not known|no such/i.test(error.stderr)) return [];
      throw error;
    }
  }

  async #forgetIfChanged(): Promise<void> {
    const version = fileVersion((await this.#engine.places()).imagesFile);
    if (version === this.#version) return;
    this.#known.clear();
    this.#missing.clear();
    this.#version = version;
  }
}

function imageConfigOf(image: InspectedImage, reference: string): ImageConfig {
  const repository = repositoryOf(reference);
  const digest = image.RepoDigests?.find((name) => name.startsWith(`${repository}@`));
  return {
    imageId: digest ?? `sha256:${image.Id}`,
    entrypoint: image.Config?.Entrypoint ?? [],
    cmd: image.Config?.Cmd ?? [],
    env: image.Config?.Env ?? [],
    user: image.Config?.User ?? '',
    workingDir: image.Config?.WorkingDir ?? '',
    stopSignal: image.Config?.StopSignal ?? '',
  };
}

/** Without tag and digest. */
function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^:/]*$/, '');
}
