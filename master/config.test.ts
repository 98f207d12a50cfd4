import { expect, test } from 'vitest';
import { MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { givenAsFlags, OptionError } from '../shared/options/read-options.ts';
import { readMasterConfig } from './config.ts';

const read = (texts: Partial<Record<keyof typeof MASTER_OPTIONS, string>>) =>
  readMasterConfig(givenAsFlags(MASTER_OPTIONS, texts));

test('without options everything has its usual place', () => {
  const config = read({});
  expect(config).toMatchObject({
    dataDir: '/var/lib/skerry',
    listen: { host: '0.0.0.0', port: 6443 },
    kubeconfig: '/var/lib/skerry/admin.kubeconfig',
    nodeCidrMaskSize: 24,
  });
});

test('the kubeconfig goes into the data directory that was named', () => {
  expect(read({ dataDir: '/tmp/x' }).kubeconfig).toBe('/tmp/x/admin.kubeconfig');
});

test.each([
  ['0.0.0.0:6443', { host: '0.0.0.0', port: 6443 }],
  [':7443', { host: '0.0.0.0', port: 7443 }],
  ['[::1]:1', { host: '::1', port: 1 }],
])('--listen %s is understood', (listen, expected) => {
  expect(read({ listen }).listen).toEqual(expected);
});

test.each([
  [{ listen: '6443' }, /--listen 6443: expected HOST:PORT/],
  [{ listen: 'a:99999' }, /--listen/],
  [{ clusterCidr: '10.42.0.1/16' }, /--cluster-cidr 10.42.0.1\/16: expected a range such as/],
  [{ clusterCidr: '10.43.0.0/16' }, /--cluster-cidr 10.43.0.0\/16: overlaps with the services' /],
  [{ serviceCidr: '10.42.16.0/20' }, /--service-cidr 10.42.16.0\/20: overlaps with the pods' /],
  [{ nodeCidrMaskSize: '12' }, /--node-cidr-mask-size 12: expected a whole number from 16/],
  [{ advertiseAddress: '10.0.0.256' }, /--advertise-address 10.0.0.256: expected an address/],
  [{ nodeCidrMaskSize: '8' }, /--node-cidr-mask-size 8/],
  [{ nodeCidrMaskSize: 'x' }, /--node-cidr-mask-size x/],
  [
    { serviceCidr: '10.0.0.0/8', clusterCidr: '192.168.0.0/16' },
    /--service-cidr 10.0.0.0\/8: expected a prefix/,
  ],
])('%j is refused with a sentence that names the option', (options, message) => {
  expect(() => read(options)).toThrow(OptionError);
  expect(() => read(options)).toThrow(message);
});
