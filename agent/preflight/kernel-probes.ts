import type { ToolName } from './facts.ts';

interface KernelProbe {
  /** Without which nothing can be tried; that they are missing is told by rules of their own. */
  tools: readonly ToolName[];
  script: string;
  title: string;
  why: string;
  remedy: string;
}

/** What a kernel feature is tried with, in network and mount namespaces of its own: nothing of the machine is touched. */
export const KERNEL_PROBES = {
  namespaces: {
    tools: ['unshare'],
    script: 'exec unshare --ipc --uts --pid --fork true',
    title: 'namespaces',
    why: 'each pod has a network, an IPC and a UTS namespace of its own',
    remedy:
      'run on the machine itself or in a container that may make namespaces; a kernel needs CONFIG_NET_NS, CONFIG_IPC_NS, CONFIG_UTS_NS and CONFIG_PID_NS',
  },
  veth: {
    tools: ['unshare', 'ip'],
    script: 'exec ip link add skp0 type veth peer name skp1',
    title: 'links of type veth',
    why: 'a veth connects each pod to its node',
    remedy: 'load it: modprobe veth; on Raspberry Pi OS a reboot is due after a kernel upgrade',
  },
  vxlan: {
    tools: ['unshare', 'ip'],
    script: 'exec ip link add skp0 type vxlan id 1 dstport 8473 local 127.0.0.1',
    title: 'links of type vxlan',
    why: 'pods on nodes of different networks reach each other through VXLAN',
    remedy:
      'load it: modprobe vxlan (Ubuntu on a Raspberry Pi: apt-get install linux-modules-extra-raspi)',
  },
  overlay: {
    tools: ['unshare'],
    script:
      'mount -t tmpfs skerry /tmp && cd /tmp && mkdir l u w m && exec mount -t overlay skerry -o lowerdir=l,upperdir=u,workdir=w m',
    title: 'the overlay file system',
    why: 'images are stacked with it; without it every container is a full copy of its image',
    remedy: 'load it: modprobe overlay',
  },
  nft: {
    tools: ['unshare', 'nft'],
    script: nft('ct state established accept'),
    title: 'nftables with connection tracking',
    why: 'services are carried by nftables; without it the agent carries them itself, slower and without the source address',
    remedy: 'apt-get install nftables; a kernel needs CONFIG_NF_TABLES and CONFIG_NFT_CT',
  },
  nat: {
    tools: ['unshare', 'nft'],
    script: nft(
      'ip daddr 192.0.2.1 dnat to numgen random mod 2 map { 0 : 192.0.2.2, 1 : 192.0.2.3 }',
      'nat hook prerouting',
    ),
    title: 'address translation in nftables',
    why: 'the address of a service is translated to that of a pod',
    remedy: 'load it: modprobe nft_chain_nat nft_nat nft_numgen',
  },
  fib: {
    tools: ['unshare', 'nft'],
    script: nft('fib daddr type local accept'),
    title: 'route look-ups in nftables (fib)',
    why: 'ports of nodes (type NodePort) are told by it from those of others',
    remedy: 'load it: modprobe nft_fib_inet (CONFIG_NFT_FIB_INET)',
  },
} as const satisfies Record<string, KernelProbe>;

export type ProbeName = keyof typeof KERNEL_PROBES;

/** A rule that is checked by the kernel and put nowhere. */
function nft(rule: string, hook = 'filter hook input'): string {
  const table = `table ip skp { chain c { type ${hook} priority 0; ${rule}; }; }`;
  return `echo '${table}' | nft --check -f -`;
}
