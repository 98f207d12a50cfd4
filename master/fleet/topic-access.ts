import { beaconTopic, parseNodeTopic, TOPICS } from '../../shared/wire/topics.ts';

/** The part of a TLS socket that says who is there. */
export interface PeerSocket {
  /** The certificate is one of this cluster's CA, in its time. */
  authorized: boolean;
  getPeerCertificate(): { subject?: { CN?: string | string[]; O?: string | string[] } };
}

const NODE_PREFIX = 'system:node:';
const NODE_GROUP = 'system:nodes';

/** The node that an authorised client certificate names (CN `system:node:<name>`, O `system:nodes`); undefined for anybody else. */
export function nodeOfPeer(socket: PeerSocket): string | undefined {
  if (!socket.authorized) return undefined;
  const { CN: name, O: group } = socket.getPeerCertificate().subject ?? {};
  if (typeof name !== 'string' || !name.startsWith(NODE_PREFIX)) return undefined;
  const groups = Array.isArray(group) ? group : [group];
  return groups.includes(NODE_GROUP) ? name.slice(NODE_PREFIX.length) : undefined;
}

/** A node writes its own `al`, `st`, `ack` and `rs`, and nothing else: no `$SYS`, no retained message, no QoS 2. */
export function mayPublish(
  cluster: string,
  node: string,
  packet: { topic: string; retain: boolean; qos: number },
): boolean {
  if (packet.retain || packet.qos > 1) return false;
  const topic = parseNodeTopic(cluster, packet.topic);
  return topic?.node === node && TOPICS[topic.leaf].direction === 'up';
}

/** A node reads its own `head`, `d` and `rq`, and the beacon, each by its exact name. */
export function maySubscribe(cluster: string, node: string, filter: string): boolean {
  if (filter === beaconTopic(cluster)) return true;
  const topic = parseNodeTopic(cluster, filter);
  return topic?.node === node && TOPICS[topic.leaf].direction === 'down';
}
