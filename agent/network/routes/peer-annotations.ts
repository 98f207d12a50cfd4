import { createHash } from 'node:crypto';
import { NETWORK_ANNOTATION_PREFIX } from '../../../shared/wire/network-documents.ts';
import type { PeerMode } from './peer-plan.ts';

/** A key's part behind the slash (Kubernetes: qualified names). */
const MAX_NAME_LENGTH = 63;
/** All annotations of an object together may have 256 KiB, and every peer is sent them. */
const MAX_PEERS_NAMED = 100;

/** The name, behind the prefix, of the annotation that says how a node reaches the pods of `nodeName`. */
export function peerAnnotation(nodeName: string): string {
  const name = `peer-${nodeName}`;
  if (name.length <= MAX_NAME_LENGTH) return name;
  const hash = createHash('sha256').update(nodeName).digest('hex').slice(0, 8);
  return `${name.slice(0, MAX_NAME_LENGTH - hash.length - 1)}-${hash}`;
}

/** What the Node says of its peers: the first hundred by name, those in VXLAN before the others since they are told for more than show. */
export function peerAnnotations(modes: ReadonlyMap<string, PeerMode>): Record<string, string> {
  const rank = (mode: PeerMode) => (mode === 'vxlan' ? 0 : 1);
  const rows = [...modes].sort(
    ([leftName, left], [rightName, right]) =>
      rank(left) - rank(right) || (leftName < rightName ? -1 : 1),
  );
  return Object.fromEntries(
    rows
      .slice(0, MAX_PEERS_NAMED)
      .map(([name, mode]) => [`${NETWORK_ANNOTATION_PREFIX}${peerAnnotation(name)}`, mode]),
  );
}
