/** The levels below `skerry/<cluster>/<node>/`. */
export type Leaf = 'head' | 'd' | 'rq' | 'al' | 'st' | 'ack' | 'rs';

export interface Topic {
  leaf: Leaf;
  /** down: the master publishes and the node subscribes; up: the other way round. Nobody else may do either. */
  direction: 'down' | 'up';
  qos: 0 | 1;
  retained: boolean;
  /** The message kinds that travel on it (frame.ts). */
  kinds: readonly string[];
  purpose: string;
}

/** Every topic of a node. Sessions are clean; nothing depends on a broker's queues, so QoS 1 only saves time. */
export const TOPICS: Readonly<Record<Leaf, Topic>> = {
  head: {
    leaf: 'head',
    direction: 'down',
    qos: 1,
    retained: true,
    kinds: ['head'],
    purpose: 'which generation the node should have; one that differs makes it say hello',
  },
  d: {
    leaf: 'd',
    direction: 'down',
    qos: 1,
    retained: false,
    kinds: ['delta', 'snapshot', 'seen', 'refused'],
    purpose: 'the desired state, which reports have arrived, or why the node is not served',
  },
  rq: {
    leaf: 'rq',
    direction: 'down',
    qos: 1,
    retained: false,
    kinds: ['stream'],
    purpose: 'streams, the master to the node',
  },
  al: {
    leaf: 'al',
    direction: 'up',
    qos: 0,
    retained: false,
    kinds: ['alive'],
    purpose: 'heartbeat, birth and will',
  },
  st: {
    leaf: 'st',
    direction: 'up',
    qos: 1,
    retained: false,
    kinds: ['reports'],
    purpose: 'the latest reports about pods, the node and events, until they are seen',
  },
  ack: {
    leaf: 'ack',
    direction: 'up',
    qos: 1,
    retained: false,
    kinds: ['hello', 'applied'],
    purpose: 'what the node has saved',
  },
  rs: {
    leaf: 'rs',
    direction: 'up',
    qos: 1,
    retained: false,
    kinds: ['stream'],
    purpose: 'streams, the node to the master',
  },
};

/** Nothing larger is ever published: brokers refuse it (AWS IoT from 128 KB on). Header and signature included. */
export const MAX_MESSAGE_BYTES = 96 * 1024;

const LEAVES = Object.keys(TOPICS) as Leaf[];

export function leavesOf(direction: 'down' | 'up'): Leaf[] {
  return LEAVES.filter((leaf) => TOPICS[leaf].direction === direction);
}

/** `cluster` is the cluster id, `[a-z0-9-]+`; `node` a node name, whose dots become `_` (NATS splits at dots). */
export function nodeTopic(cluster: string, node: string, leaf: Leaf): string {
  return `skerry/${cluster}/${node.replaceAll('.', '_')}/${leaf}`;
}

/** The master's own beacon, for every node to read. `_m` cannot be a node: names begin with a letter or digit. */
export function beaconTopic(cluster: string): string {
  return `skerry/${cluster}/_m`;
}

/** The node and leaf of one of this cluster's node topics; undefined for any other topic and for filters with wildcards. */
export function parseNodeTopic(
  cluster: string,
  topic: string,
): { node: string; leaf: Leaf } | undefined {
  const parts = topic.split('/');
  const [root, topicCluster, node, leaf] = parts;
  if (parts.length !== 4 || root !== 'skerry' || topicCluster !== cluster) return undefined;
  if (node === undefined || !/^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$/.test(node)) return undefined;
  if (leaf === undefined || !Object.hasOwn(TOPICS, leaf)) return undefined;
  return { node: node.replaceAll('_', '.'), leaf: leaf as Leaf };
}
