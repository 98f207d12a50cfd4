import { writePayload } from '../host/volume-files.ts';
import { DEFAULT_MODE, secretPayload } from './payload.ts';
import { groupOf, type VolumeKind } from './volume-kind.ts';

/** The keys of a Secret as files, following its changes; in memory only. */
export const secret: VolumeKind = {
  fits: (volume) => volume.secret !== undefined,
  readOnly: true,
  setUp: async (volume, { pod, memoryFolder, ensureMemory, sources }) => {
    const { secretName = '', defaultMode, ...source } = volume.secret ?? {};
    const files = secretPayload(
      pod.metadata.namespace ?? '',
      { ...source, name: secretName },
      defaultMode ?? DEFAULT_MODE,
      sources,
    );
    await ensureMemory();
    await writePayload(memoryFolder, files, groupOf(pod));
    return memoryFolder;
  },
};
