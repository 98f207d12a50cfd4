import { createHash } from 'node:crypto';

/** What the VXLAN header and the outer headers cost with IPv4 (RFC 7348: 8 + UDP 8 + IP 20 + inner Ethernet 14), bytes. */
export const VXLAN_OVERHEAD_BYTES = 50;

/** Between Linux's own 8472, which other overlays of the machine may have with other flags, and 8600. */
const FIRST_PORT = 8473;
const PORTS = 127;

/** The VXLAN link of one agent: at most 15 characters (IFNAMSIZ), derived, so nothing need be remembered. */
export function vxlanLink(agentId: string): string {
  return `sv${digest(agentId).toString('hex').slice(0, 10)}`;
}

/** Network identifier (1 … 2^24 - 1) and UDP port of a cluster: two clusters on one machine or segment never read each other's frames. */
export function vxlanNetwork(clusterId: string): { vni: number; port: number } {
  const hash = digest(clusterId);
  return {
    vni: (hash.readUIntBE(0, 3) % 0xfffffe) + 1,
    port: FIRST_PORT + ((hash[3] ?? 0) % PORTS),
  };
}

/** The hardware address of a node's VXLAN link, locally administered: every node knows that of every other by its name. */
export function vxlanMac(clusterId: string, nodeName: string): string {
  const octets = digest(`${clusterId}/${nodeName}`).toString('hex', 0, 5).match(/../g) ?? [];
  return ['0a', ...octets].join(':');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
