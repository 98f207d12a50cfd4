import type {
  EndpointAddress,
  EndpointSubset,
  EndpointSubsetPort,
} from '../../../shared/schema/kubernetes-types.ts';

interface Place {
  address: EndpointAddress;
  ready: boolean;
}

/**
 * The same addresses and ports in the fewest subsets, in one order (api/v1/endpoints RepackSubsets): addresses with the same ports are
 * together, and one that is not ready for a port at one place is not ready.
 */
export function repackSubsets(subsets: readonly EndpointSubset[]): EndpointSubset[] {
  const byAddresses = new Map<string, { places: Place[]; ports: EndpointSubsetPort[] }>();
  for (const { port, places } of byPort(subsets).values()) {
    const sorted = [...places.values()].sort((a, b) => byAddress(a.address, b.address));
    const key = sorted.map(({ address, ready }) => `${identity(address)} ${ready}`).join('|');
    const group = byAddresses.get(key) ?? { places: sorted, ports: [] };
    byAddresses.set(key, group);
    if (port) group.ports.push(port);
  }
  return [...byAddresses.values()].map(subsetOf).sort((a, b) => compare(textOf(a), textOf(b)));
}

function byPort(
  subsets: readonly EndpointSubset[],
): Map<string, { port: EndpointSubsetPort | undefined; places: Map<string, Place> }> {
  const ports = new Map<
    string,
    { port: EndpointSubsetPort | undefined; places: Map<string, Place> }
  >();
  for (const { addresses = [], notReadyAddresses = [], ports: own = [] } of subsets) {
    // Without ports the addresses are kept all the same.
    for (const port of own.length > 0 ? own : [undefined]) {
      const key = port ? portText(port) : '';
      const group = ports.get(key) ?? { port, places: new Map<string, Place>() };
      ports.set(key, group);
      for (const address of addresses) addPlace(group.places, address, true);
      for (const address of notReadyAddresses) addPlace(group.places, address, false);
    }
  }
  return ports;
}

function addPlace(places: Map<string, Place>, address: EndpointAddress, ready: boolean): void {
  const key = identity(address);
  const before = places.get(key);
  places.set(key, { address: before?.address ?? address, ready: ready && (before?.ready ?? true) });
}

function subsetOf({
  places,
  ports,
}: {
  places: Place[];
  ports: EndpointSubsetPort[];
}): EndpointSubset {
  const addresses = places.filter(({ ready }) => ready).map(({ address }) => address);
  const notReadyAddresses = places.filter(({ ready }) => !ready).map(({ address }) => address);
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
    ...(ports.length > 0 && {
      ports: ports.sort((a, b) => compare(portText(a), portText(b))),
    }),
  };
}

function identity({ ip, targetRef }: EndpointAddress): string {
  return `${ip} ${targetRef?.uid ?? ''}`;
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  return compare(a.ip, b.ip) || compare(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '');
}

function portText({ name = '', port, protocol = 'TCP', appProtocol = '' }: EndpointSubsetPort) {
  return [name, port, protocol, appProtocol].join(' ');
}

function textOf({ ports = [], addresses = [], notReadyAddresses = [] }: EndpointSubset): string {
  const hosts = [...addresses, ...notReadyAddresses].map(identity);
  return `${ports.map(portText).join('|')} ${hosts.join('|')}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
