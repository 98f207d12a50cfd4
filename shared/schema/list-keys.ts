/**
 * How lists and maps of the built-in kinds merge, which OpenAPI tells with x-kubernetes extensions and the models of the
 * schema leave out. Keys are type names of kubernetes-schema.json. Sources: the API conventions ("Strategic Merge Patch"),
 * KEP-555 (server-side apply) and the published extensions of Kubernetes v1.33.
 */
export interface FieldMerge {
  /** x-kubernetes-patch-strategy. */
  patchStrategy?: 'merge' | 'retainKeys' | 'merge,retainKeys';
  /** x-kubernetes-patch-merge-key; a merged list without one holds scalars. */
  patchMergeKey?: string;
  /** x-kubernetes-list-type; every other list is atomic. */
  listType?: 'map' | 'set';
  /** x-kubernetes-list-map-keys. */
  listMapKeys?: readonly string[];
  /** x-kubernetes-map-type: the map changes as a whole. */
  mapType?: 'atomic';
}

function keyed(patchMergeKey: string, ...moreKeys: string[]): FieldMerge {
  return {
    patchStrategy: 'merge',
    patchMergeKey,
    listType: 'map',
    listMapKeys: [patchMergeKey, ...moreKeys],
  };
}

/** A union with one member set: a patch names the keys that stay. */
function union(patchMergeKey: string): FieldMerge {
  return { ...keyed(patchMergeKey), patchStrategy: 'merge,retainKeys' };
}

const CONDITIONS = { conditions: keyed('type') };
const ATOMIC_MAP: FieldMerge = { mapType: 'atomic' };
const CONTAINER: Record<string, FieldMerge> = {
  env: keyed('name'),
  ports: keyed('containerPort', 'protocol'),
  volumeDevices: keyed('devicePath'),
  volumeMounts: keyed('mountPath'),
};

export const LIST_KEYS: Readonly<Record<string, Readonly<Record<string, FieldMerge>>>> = {
  'apps.v1.DeploymentSpec': { strategy: { patchStrategy: 'retainKeys' } },
  'apps.v1.DeploymentStatus': CONDITIONS,
  'apps.v1.ReplicaSetStatus': CONDITIONS,
  'core.v1.Container': CONTAINER,
  'core.v1.ContainerStatus': {
    allocatedResourcesStatus: keyed('name'),
    volumeMounts: keyed('mountPath'),
  },
  'core.v1.EphemeralContainer': CONTAINER,
  'core.v1.NamespaceStatus': CONDITIONS,
  'core.v1.NodeSpec': { podCIDRs: { patchStrategy: 'merge', listType: 'set' } },
  'core.v1.NodeStatus': { addresses: keyed('type'), ...CONDITIONS },
  'core.v1.PodSpec': {
    containers: keyed('name'),
    ephemeralContainers: keyed('name'),
    hostAliases: keyed('ip'),
    imagePullSecrets: keyed('name'),
    initContainers: keyed('name'),
    nodeSelector: ATOMIC_MAP,
    resourceClaims: union('name'),
    schedulingGates: keyed('name'),
    topologySpreadConstraints: keyed('topologyKey', 'whenUnsatisfiable'),
    volumes: union('name'),
  },
  'core.v1.PodStatus': {
    ...CONDITIONS,
    hostIPs: { patchStrategy: 'merge', patchMergeKey: 'ip' },
    podIPs: keyed('ip'),
    resourceClaimStatuses: union('name'),
  },
  'core.v1.ResourceRequirements': { claims: { listType: 'map', listMapKeys: ['name'] } },
  'core.v1.ResourceStatus': { resources: { listType: 'map', listMapKeys: ['resourceID'] } },
  'core.v1.ServiceSpec': { ports: keyed('port', 'protocol'), selector: ATOMIC_MAP },
  'core.v1.ServiceStatus': CONDITIONS,
  'meta.v1.ObjectMeta': {
    finalizers: { patchStrategy: 'merge', listType: 'set' },
    ownerReferences: keyed('uid'),
  },
};

/** Structs that change as a whole (x-kubernetes-map-type: atomic on the type). */
export const ATOMIC_TYPES: ReadonlySet<string> = new Set([
  'core.v1.ConfigMapKeySelector',
  'core.v1.LocalObjectReference',
  'core.v1.NodeSelector',
  'core.v1.NodeSelectorTerm',
  'core.v1.ObjectFieldSelector',
  'core.v1.ObjectReference',
  'core.v1.ResourceFieldSelector',
  'core.v1.SecretKeySelector',
  'core.v1.SecretReference',
  'core.v1.TypedLocalObjectReference',
  'meta.v1.LabelSelector',
  'meta.v1.OwnerReference',
]);
