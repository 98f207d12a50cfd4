import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { readSavedBytes } from '../host/files.ts';
import { decodeCommits } from './commit.ts';

/** The saved state as it is now, for one who only looks: sealed documents stay sealed, and are left out. */
export interface SavedState {
  /** By key: `pods/<namespace>/<name>`, `nodes//<name>`. */
  documents: ReadonlyMap<string, JsonObject>;
  /** By pod uid. */
  records: ReadonlyMap<string, JsonObject>;
}

/** Reads DIR/agent/state/state.log beside the agent that writes it; a line that is being written counts as not there. */
export async function readSavedState(folder: string): Promise<SavedState> {
  const documents = new Map<string, JsonObject>();
  const records = new Map<string, JsonObject>();
  const bytes = (await readSavedBytes(`${folder}/state.log`)) ?? Buffer.alloc(0);
  for (const commit of decodeCommits(bytes).commits) {
    for (const key of commit.deletes ?? []) documents.delete(key);
    for (const { key, object, sealed } of commit.puts ?? []) {
      if (sealed === undefined) documents.set(key, object);
    }
    for (const [uid, record] of Object.entries(commit.records ?? {})) {
      if (record === null) records.delete(uid);
      else records.set(uid, record);
    }
  }
  return { documents, records };
}
