import type { JsonObject } from '../../shared/meta/kube-object.ts';

/** One document of the desired state: a pod of this node, a ConfigMap or Secret that one of them uses, the Node itself. */
export interface DesiredDocument {
  /** `pods/<namespace>/<name>`, `configmaps/…`, `secrets/…`, `nodes//<name>`. */
  key: string;
  /** Opaque; equal versions mean equal content. */
  version: string;
  object: JsonObject;
}

/**
 * What this node shall run and what it last said, on disk (DIR/agent): written before anything acts on it, secrets sealed.
 * Only the link writes desired documents; only pods/ writes pod records.
 */
export interface AgentState {
  /** Whether a full set of the master's is here. While not (a new device, a damaged file), it says nothing that a pod is not named. */
  readonly isKnown: boolean;
  get(key: string): DesiredDocument | undefined;
  /** Documents whose key begins with `prefix`, in key order. */
  list(prefix: string): DesiredDocument[];
  /** `listener` gets the keys that changed, after they are on disk; none, where only `isKnown` did. */
  subscribe(listener: (keys: readonly string[]) => void): () => void;
  /** The last known status of a pod (for what a runtime forgets: ended containers, restart counts, the pod's address). */
  podRecord(uid: string): JsonObject | undefined;
  /** Durable when it resolves; undefined removes. Equal records are not written again. */
  savePodRecord(uid: string, record: JsonObject | undefined): Promise<void>;
}
