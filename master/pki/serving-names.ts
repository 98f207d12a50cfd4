import { hostname, networkInterfaces } from 'node:os';

/** What a certificate names: how clients may address the master. */
export interface ServingNames {
  dnsNames: string[];
  addresses: string[];
}

/**
 * The names of the serving certificate: localhost, the machine's name and addresses, what it is advertised as, and the service
 * `kubernetes` as pods of the cluster address it. Sorted, each once.
 */
export function servingNames(wanted: {
  /** `--advertise-address`, `--listen` host and the like: names or addresses. */
  advertised: readonly string[];
  /** The first address of the service range. */
  serviceAddress: string;
  machine: ServingNames;
}): ServingNames {
  const advertised = wanted.advertised.filter((name) => name !== '0.0.0.0' && name !== '::');
  return {
    dnsNames: sortedOnce([
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
      ...wanted.machine.dnsNames,
      ...advertised.filter((name) => !isAddress(name)),
    ]),
    addresses: sortedOnce([
      '127.0.0.1',
      '::1',
      wanted.serviceAddress,
      ...wanted.machine.addresses,
      ...advertised.filter(isAddress),
    ]),
  };
}

/** This machine's name and addresses; link-local ones are left out, since they mean nothing without their link. */
export function machineNames(): ServingNames {
  const name = hostname().toLowerCase();
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ address, scopeid }) => (scopeid ?? 0) === 0 && !address.startsWith('169.254.'))
    .map(({ address }) => address);
  return { dnsNames: /^[a-z0-9.-]+$/.test(name) ? [name] : [], addresses };
}

function isAddress(name: string): boolean {
  return name.includes(':') || /^\d+\.\d+\.\d+\.\d+$/.test(name);
}

function sortedOnce(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
