import type { VolumeProjection } from '../../shared/schema/kubernetes-types.ts';
import { type PayloadFile, writePayload } from '../host/volume-files.ts';
import { configMapPayload, DEFAULT_MODE, downwardPayload, secretPayload } from './payload.ts';
import { groupOf, type VolumeContext, type VolumeKind } from './volume-kind.ts';

/** Several sources in one folder; in memory, since one of them may be a Secret. A later source wins over an earlier one's path. */
export const projected: VolumeKind = {
  fits: (volume) => volume.projected !== undefined,
  readOnly: true,
  setUp: async (volume, context) => {
    const { sources = [], defaultMode = DEFAULT_MODE } = volume.projected ?? {};
    const files = new Map<string, PayloadFile>();
    for (const source of sources) {
      for (const file of projection(source, defaultMode, context)) files.set(file.path, file);
    }
    await context.ensureMemory();
    await writePayload(context.memoryFolder, [...files.values()], groupOf(context.pod));
    return context.memoryFolder;
  },
};

function projection(
  { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle }: VolumeProjection,
  mode: number,
  { pod, sources, fields }: VolumeContext,
): PayloadFile[] {
  const namespace = pod.metadata.namespace ?? '';
  if (configMap !== undefined) return configMapPayload(namespace, configMap, mode, sources);
  if (secret !== undefined) return secretPayload(namespace, secret, mode, sources);
  if (downwardAPI !== undefined) return downwardPayload(pod, downwardAPI.items, mode, fields);
  const name = serviceAccountToken !== undefined ? 'serviceAccountToken' : 'clusterTrustBundle';
  if (serviceAccountToken === undefined && clusterTrustBundle === undefined) return [];
  throw new Error(`projected source ${name} is not served by this node`);
}
