import { createFile, makeFolder, type PathType, pathType } from '../host/volume-files.ts';
import type { VolumeKind } from './volume-kind.ts';

/** What each type of hostPath demands, and what its failure is called (pkg/volume/hostpath). */
const DEMANDS: Readonly<Record<string, { type: PathType; name: string }>> = {
  DirectoryOrCreate: { type: 'directory', name: 'directory' },
  Directory: { type: 'directory', name: 'directory' },
  FileOrCreate: { type: 'file', name: 'file' },
  File: { type: 'file', name: 'file' },
  Socket: { type: 'socket', name: 'socket file' },
  CharDevice: { type: 'character', name: 'character device' },
  BlockDevice: { type: 'block', name: 'block device' },
};

/** A path of the node itself. */
export const hostPath: VolumeKind = {
  fits: (volume) => volume.hostPath !== undefined,
  readOnly: false,
  setUp: async (volume) => {
    const { path, type = '' } = volume.hostPath ?? { path: '' };
    const found = await pathType(path);
    const demand = DEMANDS[type];
    if (demand === undefined) {
      // Without a type nothing is checked; a folder that is missing comes into being as it does under the usual runtimes.
      if (found === 'missing') await makeFolder(path, 0o755);
      return path;
    }
    if (found === 'missing' && type === 'DirectoryOrCreate') await makeFolder(path, 0o755);
    else if (found === 'missing' && type === 'FileOrCreate') await createFile(path);
    else if (found !== demand.type) {
      throw new Error(`hostPath type check failed: ${path} is not a ${demand.name}`);
    }
    return path;
  },
};
