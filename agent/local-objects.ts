import { formatTime } from '../shared/meta/time.ts';
import type {
  ConfigMap,
  EndpointSlice,
  Node,
  NodeCondition,
  NodeStatus,
  ObjectMeta,
  Pod,
  PodStatus,
  Service,
} from '../shared/schema/kubernetes-types.ts';
import { KUBERNETES_VERSION } from '../shared/version.ts';
import { PEER_PREFIX, type PeerDocument } from '../shared/wire/network-documents.ts';
import type { LiveFigures, MachineFacts } from './host/machine.ts';
import { goArchitecture, nodeStatus } from './node/node-status.ts';
import { pressureOf } from './node/pressure.ts';
import type { PodRecord } from './pods/pod-record.ts';
import type { SavedState } from './state/saved-state.ts';

/** The objects that a device can show by itself, by the plural of their kind. Secrets are not among them: they stay sealed. */
export interface LocalObjects {
  /** What the device shall run, each with the status that its agent last worked out. */
  pods: Pod[];
  /** Itself, with what can be seen of the machine now; of the others only their addresses, and no conditions. */
  nodes: Node[];
  services: Service[];
  endpointslices: EndpointSlice[];
  /** Those that its pods use. */
  configmaps: ConfigMap[];
}

/** The machine as it is now. */
export interface LocalMachine {
  nodeName: string | undefined;
  hostName: string;
  /** process.arch. */
  architecture: string;
  facts: MachineFacts;
  figures: LiveFigures;
  /** Of its default route. */
  address: string | undefined;
  agentRuns: boolean;
  nowMs: number;
}

/** What the saved state tells as API objects; what the master did not send with them (most statuses) is absent. Pure. */
export function localObjects(
  { documents, records }: SavedState,
  machine: LocalMachine,
): LocalObjects {
  const list = (prefix: string): unknown[] =>
    [...documents]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, object]) => object);
  const peers = list(PEER_PREFIX) as PeerDocument[];
  const own = list('nodes//') as Node[];
  const pods = (list('pods/') as Pod[]).map((pod) => withStatus(pod, records));
  // The pods were told the address by the agent, which may have been given another than that of the default route.
  const told = pods.find(({ status }) => status.hostIP !== undefined)?.status.hostIP;
  const address = told ?? machine.address;
  return {
    pods,
    nodes: [
      ...own.map((node) => ownNode(node, { ...machine, address })),
      ...peers.filter(({ name }) => name !== machine.nodeName).map(peerNode),
    ].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1)),
    services: (list('services/') as Service[]).map((service) => ({
      ...service,
      status: service.status ?? { loadBalancer: {} },
    })),
    endpointslices: list('endpointslices/') as EndpointSlice[],
    configmaps: list('configmaps/') as ConfigMap[],
  };
}

function withStatus(pod: Pod, records: SavedState['records']): Pod {
  const record = records.get(pod.metadata.uid ?? '') as unknown as PodRecord | undefined;
  const status: PodStatus = record?.status ?? pod.status ?? { phase: 'Pending' };
  return { ...pod, status };
}

/** What the master was last told of the machine is not kept: the status is made anew, as its agent makes it. */
function ownNode(node: Node, machine: LocalMachine): Node {
  const { hostName, architecture, facts, figures, address = '', agentRuns, nowMs } = machine;
  const status = nodeStatus(
    {
      machine: facts,
      // Only the engine itself knows its version.
      runtime: { name: '', version: '', ociRuntime: '' },
      hostname: hostName,
      nodeIp: address,
      architecture: goArchitecture(architecture),
      kubeletVersion: KUBERNETES_VERSION,
      networkReady: node.spec.podCIDR !== undefined,
      pressure: pressureOf(figures),
      images: [],
    },
    undefined,
    formatTime(nowMs),
  );
  return { ...node, status: withoutGuesses(status, agentRuns) };
}

/** Without an address that nobody knows, and the times at which conditions began; without its agent a node is not ready. */
function withoutGuesses({ addresses, conditions, ...rest }: NodeStatus, agentRuns: boolean) {
  return {
    ...rest,
    addresses: addresses?.filter(({ address }) => address !== '') ?? [],
    conditions: (conditions ?? []).map(({ type, status, reason, message }): NodeCondition => {
      const isCertain = agentRuns || type !== 'Ready';
      return isCertain
        ? { type, status, ...(reason && { reason }), ...(message && { message }) }
        : AGENT_ENDED;
    }),
  };
}

const AGENT_ENDED: NodeCondition = {
  type: 'Ready',
  status: 'False',
  reason: 'KubeletNotReady',
  message: 'the agent of this device does not run',
};

function peerNode(peer: PeerDocument): Node {
  const { name, creationTimestamp, podCIDRs, internalIP, annotations } = peer;
  const [podCIDR] = podCIDRs;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    // Its uid is not known here.
    metadata: { name, creationTimestamp, annotations } as ObjectMeta,
    spec: { ...(podCIDR !== undefined && { podCIDR, podCIDRs }) },
    status: {
      ...(internalIP !== undefined && { addresses: [{ type: 'InternalIP', address: internalIP }] }),
    },
  };
}
