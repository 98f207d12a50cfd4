import { configMap } from './config-map.ts';
import { downwardApi } from './downward-api.ts';
import { emptyDir } from './empty-dir.ts';
import { hostPath } from './host-path.ts';
import { projected } from './projected.ts';
import { secret } from './secret.ts';
import type { VolumeKind } from './volume-kind.ts';

/** Every type of volume that a pod can have here: a new one is a file and a line. */
export const VOLUME_KINDS: readonly VolumeKind[] = [
  configMap,
  secret,
  emptyDir,
  hostPath,
  downwardApi,
  projected,
];
