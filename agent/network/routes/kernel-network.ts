import type { RunCommand } from '../../host/command.ts';
import type { LocalLink, RoutePlan } from './peer-plan.ts';

/** Who routes are from: rtnetlink's protocol number (RTPROT_*), in the range left to programs, and in no rt_protos(5) file. */
export const ROUTE_PROTOCOL = 83;

/** What the kernel has: the machine's links, and of the agent's own what it finds of them. */
export interface KernelNetwork {
  links: LocalLink[];
  vxlan: KernelVxlan | undefined;
  routes: RoutePlan[];
  /** Address and hardware address. */
  neighbours: [string, string][];
  /** Hardware address and remote; an address may have several. */
  forwarding: [string, string][];
}

/** A link that has the name, whatever it is; numbers are NaN where it is no VXLAN link. */
export interface KernelVxlan {
  vni: number;
  port: number;
  isLearning: boolean;
  mac: string;
  mtuBytes: number;
  isUp: boolean;
  addresses: string[];
}

/** Names of links that are pods' begin so. */
export interface OwnMarks {
  vxlanLink: string;
  podLinkPrefix: string;
  routeMetric: number;
}

/** Three processes, two more where there is a VXLAN link; throws CommandError. */
export async function readKernelNetwork(run: RunCommand, own: OwnMarks): Promise<KernelNetwork> {
  const [linkRows, routes] = await Promise.all([
    json<LinkRow>(run, 'ip', ['-d', 'addr', 'show']),
    readOwnRoutes(run, own.routeMetric),
  ]);
  const vxlan = linkRows.find(({ ifname }) => ifname === own.vxlanLink);
  const links = linkRows
    .filter(({ ifname }) => ifname !== own.vxlanLink && !ifname.startsWith(own.podLinkPrefix))
    .map(localLink);
  if (vxlan === undefined) {
    return { links, vxlan: undefined, routes, neighbours: [], forwarding: [] };
  }
  const [neighbours, forwarding] = await Promise.all([
    json<NeighbourRow>(run, 'ip', ['neigh', 'show', 'nud', 'permanent', 'dev', own.vxlanLink]),
    json<ForwardingRow>(run, 'bridge', ['fdb', 'show', 'dev', own.vxlanLink]),
  ]);
  return {
    links,
    vxlan: kernelVxlan(vxlan),
    routes,
    neighbours: neighbours.flatMap(({ dst, lladdr }) => (lladdr ? [[dst, lladdr]] : [])),
    forwarding: forwarding.flatMap(({ mac, dst }) => (dst ? [[mac, dst]] : [])),
  };
}

/** The routes of one agent: others may have the protocol, and two agents of one machine differ by metric. */
export async function readOwnRoutes(run: RunCommand, routeMetric: number): Promise<RoutePlan[]> {
  const args = ['-4', 'route', 'show', 'table', 'main', 'proto', String(ROUTE_PROTOCOL)];
  const rows = await json<RouteRow>(run, 'ip', args);
  return rows.filter(({ metric }) => metric === routeMetric).map(routePlan);
}

interface LinkRow {
  ifname: string;
  flags: string[];
  mtu: number;
  address?: string;
  addr_info?: { family: string; local: string; prefixlen: number }[];
  linkinfo?: { info_kind?: string; info_data?: { id?: number; port?: number; learning?: boolean } };
}

interface RouteRow {
  dst: string;
  dev: string;
  gateway?: string;
  prefsrc?: string;
  metric?: number;
  flags?: string[];
}

interface NeighbourRow {
  dst: string;
  lladdr?: string;
}

interface ForwardingRow {
  mac: string;
  dst?: string;
}

function localLink(row: LinkRow): LocalLink {
  const { flags } = row;
  return {
    name: row.ifname,
    mtuBytes: row.mtu,
    isSegment: flags.includes('UP') && flags.includes('BROADCAST') && !flags.includes('NOARP'),
    addresses: ipv4Of(row).map(({ local, prefixlen }) => ({ address: local, prefix: prefixlen })),
  };
}

function kernelVxlan(row: LinkRow): KernelVxlan {
  const { info_kind, info_data } = row.linkinfo ?? {};
  const data = info_kind === 'vxlan' ? info_data : undefined;
  return {
    vni: data?.id ?? Number.NaN,
    port: data?.port ?? Number.NaN,
    isLearning: data?.learning !== false,
    mac: row.address ?? '',
    mtuBytes: row.mtu,
    isUp: row.flags.includes('UP'),
    addresses: ipv4Of(row).map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  };
}

function ipv4Of(row: LinkRow) {
  return (row.addr_info ?? []).filter(({ family }) => family === 'inet');
}

/** A single address is printed without its prefix. */
function routePlan({ dst, dev, gateway, prefsrc, flags }: RouteRow): RoutePlan {
  return {
    destination: dst.includes('/') ? dst : `${dst}/32`,
    device: dev,
    ...(gateway !== undefined && { via: gateway }),
    ...(prefsrc !== undefined && { source: prefsrc }),
    isOnLink: flags?.includes('onlink') === true,
  };
}

/** Without a result iproute2 prints nothing, or an empty list, or a list with an empty row. */
async function json<Row>(run: RunCommand, file: string, args: string[]): Promise<Row[]> {
  const { stdout } = await run(file, ['-j', ...args]);
  const rows = (stdout.trim() === '' ? [] : JSON.parse(stdout)) as Row[];
  return rows.filter((row) => Object.keys(row as object).length > 0);
}
