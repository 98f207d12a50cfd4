import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { NetworkInterfaceInfo } from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addressesOfLinks, chooseAddress, defaultAddress } from './default-address.ts';

test.each([
  {
    why: 'the default route says which',
    found: ['10.0.0.1', '10.0.0.2', ['10.0.0.3']],
    address: '10.0.0.1',
  },
  {
    why: 'a boot before the network: as last time',
    found: [undefined, '10.0.0.2', []],
    address: '10.0.0.2',
  },
  {
    why: 'as last time, where it still has it',
    found: [undefined, '10.0.0.2', ['10.0.0.3', '10.0.0.2']],
    address: '10.0.0.2',
  },
  {
    why: 'a network without a way out, and another address',
    found: [undefined, '10.0.0.2', ['10.0.0.3']],
    address: '10.0.0.3',
  },
  {
    why: 'a network without a way out',
    found: [undefined, undefined, ['10.0.0.3']],
    address: '10.0.0.3',
  },
  { why: 'no network, ever', found: [undefined, undefined, []], address: '127.0.0.1' },
] as const)('$why: $address', ({ found: [ofDefaultRoute, last, ofLinks], address }) => {
  expect(chooseAddress({ ofDefaultRoute, last, ofLinks })).toBe(address);
});

test('addresses of pods, containers, the loopback, made-up ones and IPv6 are none that others know', () => {
  const of = (address: string, more: Partial<NetworkInterfaceInfo> = {}) =>
    ({ address, family: 'IPv4', internal: false, ...more }) as NetworkInterfaceInfo;
  const links = {
    lo: [of('127.0.0.1', { internal: true })],
    sk12ab34cd: [of('10.0.0.1')],
    'cni-podman0': [of('10.88.0.1')],
    usb0: [of('169.254.1.1')],
    eth0: [of('fd00::1', { family: 'IPv6' }), of('192.168.1.10')],
  };
  expect(addressesOfLinks(links)).toEqual(['192.168.1.10']);
});

test('the address is kept, for its owner alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-address-'));
  const address = defaultAddress(folder);
  expect(readFileSync(join(folder, 'address'), 'utf8')).toBe(`${address}\n`);
  expect(statSync(join(folder, 'address')).mode & 0o777).toBe(0o600);
  expect(defaultAddress(folder)).toBe(address);
  rmSync(folder, { recursive: true });
});
