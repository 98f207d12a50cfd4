import { expect, test } from 'vitest';
import { ConfigError, readMasterConfig } from './config.ts';

test('without options everything has its usual place', () => {
  const config = readMasterConfig({});
  expect(config).toMatchObject({
    dataDir: '/var/lib/skerry',
    listen: { host: '0.0.0.0', port: 6443 },
    kubeconfig: '/var/lib/skerry/admin.kubeconfig',
    nodeCidrMaskSize: 24,
  });
});

test('the kubeconfig goes into the data directory that was named', () => {
  expect(readMasterConfig({ 'data-dir': '/tmp/x' }).kubeconfig).toBe('/tmp/x/admin.kubeconfig');
});

test.each([
  ['0.0.0.0:6443', { host: '0.0.0.0', port: 6443 }],
  [':7443', { host: '0.0.0.0', port: 7443 }],
  ['[::1]:1', { host: '::1', port: 1 }],
])('--listen %s is understood', (listen, expected) => {
  expect(readMasterConfig({ listen }).listen).toEqual(expected);
});

test.each([
  [{ listen: '6443' }, /--listen 6443: expected HOST:PORT/],
  [{ listen: 'a:99999' }, /--listen/],
  [{ 'cluster-cidr': '10.42.0.1/16' }, /--cluster-cidr .* bits set/],
  [{ 'cluster-cidr': '10.43.0.0/16' }, /overlap/],
  [{ 'node-cidr-mask-size': '8' }, /--node-cidr-mask-size 8/],
  [{ 'node-cidr-mask-size': 'x' }, /--node-cidr-mask-size x/],
  [
    { 'service-cidr': '10.0.0.0/8', 'cluster-cidr': '192.168.0.0/16' },
    /--service-cidr 10.0.0.0\/8: expected a prefix/,
  ],
])('%j is refused with a sentence that names the option', (options, message) => {
  expect(() => readMasterConfig(options)).toThrow(ConfigError);
  expect(() => readMasterConfig(options)).toThrow(message);
});
