import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** One IPv4 route of this process's network namespace, from /proc/net/route. */
export interface KernelRoute {
  device: string;
  /** `10.42.0.5`; `0.0.0.0` with prefix 0 is the default route. */
  destination: string;
  prefix: number;
  metric: number;
}

/** Synchronous: procfs never waits for a disk, and a reader can decide on the result before anything else runs. */
export function readRoutes(): KernelRoute[] {
  return parseRoutes(readFileSync('/proc/net/route', 'utf8'));
}

/** The kernel prints addresses as little-endian hexadecimal words (proc(5)). */
export function parseRoutes(text: string): KernelRoute[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter((fields) => fields.length > 7)
    .map(([device = '', destination = '', , , , , metric = '0', mask = '']) => ({
      device,
      destination: octets(destination).join('.'),
      prefix: octets(mask).reduce(
        (bits, octet) => bits + octet.toString(2).replaceAll('0', '').length,
        0,
      ),
      metric: Number(metric),
    }));
}

/** Whether this process's network namespace has a link of that name, up or down. */
export function linkExists(name: string): boolean {
  return readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .some((line) => line.trimStart().startsWith(`${name}:`));
}

/** The IPv4 address that the default route leaves from; undefined without one. */
export function defaultRouteAddress(): string | undefined {
  const defaults = readRoutes()
    .filter((route) => route.destination === '0.0.0.0' && route.prefix === 0)
    .sort((left, right) => left.metric - right.metric);
  for (const { device } of defaults) {
    const address = (networkInterfaces()[device] ?? []).find((entry) => entry.family === 'IPv4');
    if (address !== undefined) return address.address;
  }
  return undefined;
}

function octets(littleEndianHex: string): number[] {
  return [6, 4, 2, 0].map((start) => Number.parseInt(littleEndianHex.slice(start, start + 2), 16));
}
