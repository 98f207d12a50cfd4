import { beaconTopic, parseNodeTopic, TOPICS } from '../../shared/wire/topics.ts';
import { tlsKeySha256 } from '../pki/node-keys.ts';

/** The part of a TLS socket that says who is there. */
export interface PeerSocket {
  /** The certificate is one of this cluster's CA, in its time. */
  authorized: boolean;
  getPeerCertificate(): {
    subject?: { CN?: string | string[]; O?: string | string[] };
    /** DER. */
    raw?: Uint8Array;
  };
}

/** Who connects: the node that the certificate names, and the certificate's key (tlsKeySha256). */
export interface NodePeer {
  node: string;
  keySha256: string;
}

const NODE_PREFIX = 'system:node:';
const NODE_GROUP = 'system:nodes';

/** The node that an authorised client certificate names (CN `system:node:<name>`, O `system:nodes`); undefined for anybody else. */
export function nodeOfPeer(socket: PeerSocket): NodePeer | undefined {
  if (!socket.authorized) return undefined;
  const { subject, raw } = socket.getPeerCertificate();
  const { CN: name, O: group } = subject ?? {};
  if (raw === undefined || typeof name !== 'string' || !name.startsWith(NODE_PREFIX)) {
    return undefined;
  }
  const groups = Array.isArray(group) ? group : [group];
  if (!groups.includes(NODE_GROUP)) return undefined;
  return { node: name.slice(NODE_PREFIX.length), keySha256: tlsKeySha256(raw) };
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
