import { memoryBytes } from '../../shared/meta/quantity.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import { ensureTmpfs } from '../host/tmpfs.ts';
import { makeFolder, pathType } from '../host/volume-files.ts';
import { groupOf, type VolumeKind } from './volume-kind.ts';

/** An empty folder that lives as long as the pod; medium Memory is a tmpfs of its own. */
export const emptyDir: VolumeKind = {
  fits: (volume) => volume.emptyDir !== undefined,
  readOnly: false,
  setUp: async (volume, context) => {
    const { medium, sizeLimit } = volume.emptyDir ?? {};
    if (medium !== 'Memory') {
      // Only when it is new: afterwards its mode is the containers' affair.
      if ((await pathType(context.diskFolder)) === 'missing') {
        await makeFolder(context.diskFolder, 0o777, groupOf(context.pod));
      }
      return context.diskFolder;
    }
    await context.ensureMemory();
    const { allocatable } = context.fields;
    const size = memoryVolumeBytes(context.pod, sizeLimit, allocatable.memoryBytes);
    const isNew = await ensureTmpfs(context.memoryFolder, size);
    if (isNew) await makeFolder(context.memoryFolder, 0o777, groupOf(context.pod));
    return context.memoryFolder;
  },
};

/** The smallest of the volume's own limit, the pod's memory limits (when every container has one) and what the node can give. */
function memoryVolumeBytes(
  pod: Pod,
  sizeLimit: string | undefined,
  nodeBytes: number,
): number | undefined {
  const limits = pod.spec.containers.map(({ resources }) =>
    memoryBytes(resources?.limits?.['memory']),
  );
  const candidates = [nodeBytes, memoryBytes(sizeLimit)];
  if (limits.every((limit) => limit > 0))
    candidates.push(limits.reduce((sum, one) => sum + one, 0));
  const positive = candidates.filter((bytes) => bytes > 0);
  return positive.length === 0 ? undefined : Math.min(...positive);
}
