import { writePayload } from '../host/volume-files.ts';
import { configMapPayload, DEFAULT_MODE } from './payload.ts';
import { groupOf, type VolumeKind } from './volume-kind.ts';

/** The keys of a ConfigMap as files, following its changes. */
export const configMap: VolumeKind = {
  fits: (volume) => volume.configMap !== undefined,
  readOnly: true,
  setUp: async (volume, { pod, diskFolder, sources }) => {
    const source = volume.configMap ?? {};
    const mode = source.defaultMode ?? DEFAULT_MODE;
    const files = configMapPayload(pod.metadata.namespace ?? '', source, mode, sources);
    await writePayload(diskFolder, files, groupOf(pod));
    return diskFolder;
  },
};
