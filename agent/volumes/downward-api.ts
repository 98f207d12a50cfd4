import { writePayload } from '../host/volume-files.ts';
import { DEFAULT_MODE, downwardPayload } from './payload.ts';
import { groupOf, type VolumeKind } from './volume-kind.ts';

/** Fields of the pod as files, following its labels and annotations. */
export const downwardApi: VolumeKind = {
  fits: (volume) => volume.downwardAPI !== undefined,
  readOnly: true,
  setUp: async (volume, { pod, diskFolder, fields }) => {
    const { items, defaultMode } = volume.downwardAPI ?? {};
    const files = downwardPayload(pod, items, defaultMode ?? DEFAULT_MODE, fields);
    await writePayload(diskFolder, files, groupOf(pod));
    return diskFolder;
  },
};
