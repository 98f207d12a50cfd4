import { readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { defaultRouteAddress } from '../agent/host/kernel-routes.ts';

/** Links of container engines and of pods: nobody else reaches their addresses. */
const INTERNAL_LINK = /^(sk|veth|cni|podman|docker|br-|virbr|tap|tun)/;

/**
 * The address of this machine that others know. `folder` keeps the last one: a master that boots before its network, or without one, says
 * what it said before.
 */
export function defaultAddress(folder: string): string {
  const file = `${folder}/address`;
  const last = readAddress(file);
  const address = chooseAddress({
    ofDefaultRoute: defaultRouteAddress(),
    last,
    ofLinks: addressesOfLinks(networkInterfaces()),
  });
  if (address !== last) writeFileSync(file, `${address}\n`, { mode: 0o600 });
  return address;
}

/** A network without a way out has no default route, but its machines have addresses. */
export function chooseAddress(found: {
  ofDefaultRoute: string | undefined;
  last: string | undefined;
  ofLinks: readonly string[];
}): string {
  const { ofDefaultRoute, last, ofLinks } = found;
  if (ofDefaultRoute !== undefined) return ofDefaultRoute;
  if (last !== undefined && (ofLinks.length === 0 || ofLinks.includes(last))) return last;
  return ofLinks[0] ?? '127.0.0.1';
}

/** IPv4 of the links by which others may reach this machine. */
export function addressesOfLinks(links: ReturnType<typeof networkInterfaces>): string[] {
  return Object.entries(links).flatMap(([name, addresses = []]) =>
    INTERNAL_LINK.test(name)
      ? []
      : addresses
          .filter(({ family, internal }) => family === 'IPv4' && !internal)
          .map(({ address }) => address)
          // RFC 3927: made up by a link that was given none.
          .filter((address) => !address.startsWith('169.254.')),
  );
}

function readAddress(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
