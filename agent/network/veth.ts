import { createHash } from 'node:crypto';

/** The gateway that every pod sees: a link-local address that no host needs to own (RFC 3927), behind a fixed neighbour entry. */
const GATEWAY = '169.254.1.1';
/** The hardware address of every host end; locally administered, so it cannot meet a real card's. */
const HOST_END_MAC = 'ee:ee:ee:ee:ee:ee';

/** Beginning of the names of all links of one agent. */
export function linkPrefix(agentId: string): string {
  return `sk${digest(agentId, 4)}`;
}

/** The host end of a pod's veth pair: at most 15 characters (IFNAMSIZ), derived, so nothing need be remembered. */
export function linkName(agentId: string, podUid: string): string {
  return `${linkPrefix(agentId)}${digest(podUid, 9)}`;
}

/**
 * The two halves of a pod's set-up: two shell scripts, `inside` for the pod's new namespaces and `outside` for the host's.
 * `hostNamespacePid` names the network namespace that the host end goes to: the agent's own.
 */
export function vethScript(veth: {
  link: string;
  address: string;
  hostname: string;
  hostNamespacePid: number;
  mtuBytes: number;
}): {
  inside: string;
  outside: string;
} {
  const batch = [
    'link set lo up',
    `link add eth0 mtu ${veth.mtuBytes} type veth peer name ${veth.link} mtu ${veth.mtuBytes} address ${HOST_END_MAC} netns ${veth.hostNamespacePid}`,
    `addr add ${veth.address}/32 dev eth0`,
    'link set eth0 up',
    `neigh add ${GATEWAY} lladdr ${HOST_END_MAC} dev eth0 nud permanent`,
    `route add ${GATEWAY} dev eth0 scope link`,
    `route add default via ${GATEWAY} dev eth0`,
  ];
  return {
    // Unprivileged ports and ping work for any user in the pod's own network, as in other Kubernetes runtimes.
    inside: `echo '${veth.hostname}' >/proc/sys/kernel/hostname
ip -batch - <<'END'
${batch.join('\n')}
END
echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
`,
    outside: `exec ip -batch - <<'END'
link set ${veth.link} up
route replace ${veth.address}/32 dev ${veth.link} scope link
END
`,
  };
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}
