import type { Pod, Volume } from '../../shared/schema/kubernetes-types.ts';
import type { PodSources } from '../pods/collaborators.ts';
import type { PodFieldContext } from '../pods/pod-fields.ts';

/** What a volume is made with. */
export interface VolumeContext {
  pod: Pod;
  /** This volume's own folder on disk, and one in memory; made by the kind that uses it. */
  diskFolder: string;
  memoryFolder: string;
  /** Answers a folder in memory that is there. */
  ensureMemory(): Promise<void>;
  sources: PodSources;
  fields: PodFieldContext;
}

/** One type of volume. `setUp` may be repeated: it repairs, follows changed sources, and otherwise leaves everything as it is. */
export interface VolumeKind {
  /** Whether the volume is of this type. */
  fits(volume: Volume): boolean;
  /** Containers only read what the API keeps. */
  readOnly: boolean;
  /** Answers the host path. Throws Error with the plugin's part of Kubernetes' message. */
  setUp(volume: Volume, context: VolumeContext): Promise<string>;
}

/** The group that shall own the volume's files, if any. */
export function groupOf(pod: Pod): number | undefined {
  return pod.spec.securityContext?.fsGroup;
}
