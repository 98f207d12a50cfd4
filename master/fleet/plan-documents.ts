import type { JsonObject, KubeObject } from '../../shared/meta/kube-object.ts';
import type { ConfigMap, Node, Pod, Secret } from '../../shared/schema/kubernetes-types.ts';
import { contentHash } from './node-crypto.ts';
import { type PodReferences, podReferences } from './pod-references.ts';

/** One document that a node shall have, not yet sealed. `object` shares its parts with the stored object. */
export interface PlannedDocument {
  key: string;
  version: string;
  object: JsonObject;
  /** The object is for the node's eyes only. */
  secret: boolean;
}

export type DocumentPlan = ReadonlyMap<string, PlannedDocument>;

export interface DocumentLookups {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
  /** Remembers what follows from a pod: stored objects are immutable, so it is worked out once. */
  planned: WeakMap<Pod, PlannedPod>;
  /** Part of a Secret's version: a node with a new key needs it sealed again. */
  sealingKeyFingerprint: string;
}

/**
 * What one node shall have: itself, its pods, and the ConfigMaps and Secrets that they name and that exist. A pod's version is a
 * hash of its spec and metadata, so no report of its status makes a new one.
 */
export function planDocuments(
  node: Node | undefined,
  pods: Iterable<Pod>,
  lookups: DocumentLookups,
): DocumentPlan {
  const plan = new Map<string, PlannedDocument>();
  const put = (document: PlannedDocument) => plan.set(document.key, document);
  if (node) put(nodeDocument(node));
  for (const pod of pods) {
    const { document, references } = plannedPod(pod, lookups.planned);
    const namespace = pod.metadata.namespace ?? '';
    put(document);
    for (const name of references.configMaps) {
      if (plan.has(documentKey('configmaps', namespace, name))) continue;
      const configMap = lookups.configMap(namespace, name);
      if (configMap) put(configMapDocument(configMap));
    }
    for (const name of references.secrets) {
      if (plan.has(documentKey('secrets', namespace, name))) continue;
      const secret = lookups.secret(namespace, name);
      if (secret) put(secretDocument(secret, lookups.sealingKeyFingerprint));
    }
  }
  return plan;
}

/** The keys of what differs between two plans, given what the other side has as key → version. */
export function diffDocuments(
  have: ReadonlyMap<string, { version: string }>,
  want: DocumentPlan,
): { puts: PlannedDocument[]; deletes: string[] } {
  const puts = [...want.values()].filter(({ key, version }) => have.get(key)?.version !== version);
  const deletes = [...have.keys()].filter((key) => !want.has(key));
  return { puts, deletes };
}

/** Whether two plans have the same documents. */
export function samePlan(a: DocumentPlan, b: DocumentPlan): boolean {
  if (a.size !== b.size) return false;
  for (const [key, { version }] of a) if (b.get(key)?.version !== version) return false;
  return true;
}

export function documentKey(
  plural: 'pods' | 'configmaps' | 'secrets' | 'nodes',
  namespace: string,
  name: string,
): string {
  return `${plural}/${namespace}/${name}`;
}

export interface PlannedPod {
  document: PlannedDocument;
  references: PodReferences;
}

export function plannedPod(pod: Pod, known: WeakMap<Pod, PlannedPod>): PlannedPod {
  const before = known.get(pod);
  if (before) return before;
  const { apiVersion, kind, metadata, spec } = pod;
  const object = { apiVersion, kind, metadata: ownMetadata(metadata), spec };
  const document = {
    key: documentKey('pods', metadata.namespace ?? '', metadata.name),
    version: contentHash(object),
    object: object as unknown as JsonObject,
    secret: false,
  };
  const planned = { document, references: podReferences(spec) };
  known.set(pod, planned);
  return planned;
}

function nodeDocument({ apiVersion, kind, metadata, spec }: Node): PlannedDocument {
  const { name, uid, creationTimestamp, labels = {} } = metadata;
  const own = { name, uid, creationTimestamp, labels };
  const object = { apiVersion, kind, metadata: own, spec: spec ?? {} };
  return {
    key: documentKey('nodes', '', name),
    version: contentHash(object),
    object: object as unknown as JsonObject,
    secret: false,
  };
}

function configMapDocument(configMap: ConfigMap): PlannedDocument {
  const { metadata } = configMap;
  return {
    key: documentKey('configmaps', metadata.namespace ?? '', metadata.name),
    version: storedVersion(configMap),
    object: withOwnMetadata(configMap),
    secret: false,
  };
}

function secretDocument(secret: Secret, keyFingerprint: string): PlannedDocument {
  const { metadata } = secret;
  return {
    key: documentKey('secrets', metadata.namespace ?? '', metadata.name),
    version: `${storedVersion(secret)}.${keyFingerprint}`,
    object: withOwnMetadata(secret),
    secret: true,
  };
}

function storedVersion({ metadata }: KubeObject): string {
  return `${metadata.uid}.${metadata.resourceVersion}`;
}

function withOwnMetadata(object: KubeObject): JsonObject {
  return { ...object, metadata: ownMetadata(object.metadata) } as unknown as JsonObject;
}

function ownMetadata(metadata: KubeObject['metadata']): object {
  const { managedFields: _fields, resourceVersion: _version, ...own } = metadata;
  return own;
}
