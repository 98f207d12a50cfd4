import type { KernelNetwork, KernelVxlan, OwnMarks } from './kernel-network.ts';
import { ROUTE_PROTOCOL } from './kernel-network.ts';
import type { NetworkPlan, RoutePlan, VxlanPlan } from './peer-plan.ts';

/** Lines for `ip -batch` and for `bridge -batch`, to be run in this order. */
export interface NetworkChange {
  ip: string[];
  bridge: string[];
}

/** What leads from what the kernel has to what it shall have; nothing when they are equal. Pure. */
export function networkChange(
  wanted: Pick<NetworkPlan, 'vxlan' | 'routes' | 'neighbours' | 'forwarding'>,
  present: Omit<KernelNetwork, 'links'>,
  own: OwnMarks,
): NetworkChange {
  const link = own.vxlanLink;
  const isKept =
    wanted.vxlan !== undefined &&
    present.vxlan !== undefined &&
    canBecome(present.vxlan, wanted.vxlan);
  // What a link has goes with it.
  const isGoing = present.vxlan !== undefined && !isKept;
  const routes = isGoing ? present.routes.filter(({ device }) => device !== link) : present.routes;
  // A link that is brought up again has lost its routes before; they are not among those present.
  return {
    ip: [
      ...routesToDelete(wanted.routes, routes, own),
      ...(isGoing ? [`link delete ${link}`] : []),
      ...(wanted.vxlan === undefined
        ? []
        : vxlanLines(link, wanted.vxlan, isKept ? present.vxlan : undefined)),
      ...neighbourLines(link, wanted.neighbours, isGoing ? [] : present.neighbours),
      ...routesToReplace(wanted.routes, routes, own),
    ],
    bridge: forwardingLines(link, wanted.forwarding, isGoing ? [] : present.forwarding),
  };
}

/** The kernel changes neither identifier nor port of a link. */
function canBecome(present: KernelVxlan, wanted: VxlanPlan): boolean {
  return present.vni === wanted.vni && present.port === wanted.port && !present.isLearning;
}

/** The link has no local address of its own choice: the kernel takes that of the route, and follows when the machine's address changes. */
function vxlanLines(link: string, wanted: VxlanPlan, present: KernelVxlan | undefined): string[] {
  const { vni, port, mac, mtuBytes } = wanted;
  const address = wanted.address === undefined ? undefined : `${wanted.address}/32`;
  const lines: string[] = [];
  if (present === undefined) {
    lines.push(
      `link add ${link} address ${mac} mtu ${mtuBytes} type vxlan id ${vni} dstport ${port} nolearning`,
      // IPv4 alone: an IPv6 address would announce itself to nobody.
      `link set ${link} addrgenmode none`,
    );
  } else {
    if (present.mac !== mac) lines.push(`link set ${link} address ${mac}`);
    if (present.mtuBytes !== mtuBytes) lines.push(`link set ${link} mtu ${mtuBytes}`);
  }
  const addresses = present?.addresses ?? [];
  if (address !== undefined && !addresses.includes(address)) {
    lines.push(`addr add ${address} dev ${link}`);
  }
  for (const other of addresses) {
    if (other !== address) lines.push(`addr del ${other} dev ${link}`);
  }
  if (present?.isUp !== true) lines.push(`link set ${link} up`);
  return lines;
}

function neighbourLines(
  link: string,
  wanted: ReadonlyMap<string, string>,
  present: readonly [string, string][],
): string[] {
  const has = new Map(present);
  const gone = present.filter(([address]) => !wanted.has(address));
  const come = [...wanted].filter(([address, mac]) => has.get(address) !== mac);
  return [
    ...gone.map(([address]) => `neigh del ${address} dev ${link}`),
    ...come.map(
      ([address, mac]) => `neigh replace ${address} lladdr ${mac} dev ${link} nud permanent`,
    ),
  ];
}

/** `replace` changes the one remote that a hardware address has; more than one were put there by somebody else. */
function forwardingLines(
  link: string,
  wanted: ReadonlyMap<string, string>,
  present: readonly [string, string][],
): string[] {
  const remotes = new Map<string, string[]>();
  for (const [mac, remote] of present) remotes.set(mac, [...(remotes.get(mac) ?? []), remote]);
  const gone = present.filter(
    ([mac, remote]) =>
      !wanted.has(mac) || ((remotes.get(mac)?.length ?? 0) > 1 && wanted.get(mac) !== remote),
  );
  const come = [...wanted].filter(([mac, remote]) => !remotes.get(mac)?.includes(remote));
  return [
    ...gone.map(([mac, remote]) => `fdb del ${mac} dev ${link} dst ${remote} self`),
    ...come.map(([mac, remote]) => `fdb replace ${mac} dev ${link} dst ${remote} self permanent`),
  ];
}

function routesToDelete(
  wanted: readonly RoutePlan[],
  present: readonly RoutePlan[],
  own: OwnMarks,
): string[] {
  const destinations = new Set(wanted.map(({ destination }) => destination));
  return present
    .filter(({ destination }) => !destinations.has(destination))
    .map(({ destination }) => `route del ${destination} ${marks(own)}`);
}

/** With the same destination and metric the kernel puts one in the other's place at once: no packet finds neither. */
function routesToReplace(
  wanted: readonly RoutePlan[],
  present: readonly RoutePlan[],
  own: OwnMarks,
): string[] {
  const has = new Set(present.map(routeText));
  return wanted
    .map(routeText)
    .filter((text) => !has.has(text))
    .map((text) => `route replace ${text} ${marks(own)}`);
}

function routeText({ destination, via, device, source, isOnLink }: RoutePlan): string {
  return [
    destination,
    ...(via === undefined ? [] : ['via', via]),
    'dev',
    device,
    ...(source === undefined ? [] : ['src', source]),
    ...(isOnLink ? ['onlink'] : []),
  ].join(' ');
}

function marks({ routeMetric }: OwnMarks): string {
  return `proto ${ROUTE_PROTOCOL} metric ${routeMetric}`;
}
