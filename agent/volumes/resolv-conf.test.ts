import { expect, test } from 'vitest';
import type { Pod, PodSpec } from '../../shared/schema/kubernetes-types.ts';
import { formatResolver, parseResolver, podResolver } from './resolv-conf.ts';

const node = {
  nameservers: ['192.0.2.1'],
  searches: ['example.org', 'svc.cluster.local'],
  options: ['edns0', 'ndots:2'],
};
const cluster = { address: '10.43.0.10', domain: 'cluster.local' };

test('ClusterFirst asks the cluster, with its search domains before those of the node', () => {
  expect(resolver({ dnsPolicy: 'ClusterFirst' })).toEqual({
    nameservers: ['10.43.0.10'],
    searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.org'],
    options: ['ndots:5'],
  });
});

test('on the network of the host ClusterFirst is the resolver of the node', () => {
  expect(resolver({ dnsPolicy: 'ClusterFirst', hostNetwork: true })).toEqual(node);
});

test('ClusterFirstWithHostNet asks the cluster on either network', () => {
  for (const hostNetwork of [true, false]) {
    const { nameservers } = resolver({ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork });
    expect(nameservers).toEqual(['10.43.0.10']);
  }
});

test('Default is the resolver of the node', () => {
  expect(resolver({ dnsPolicy: 'Default' })).toEqual(node);
});

test('None has only what dnsConfig says', () => {
  const dnsConfig = {
    nameservers: ['1.2.3.4'],
    searches: ['a.b'],
    options: [{ name: 'ndots', value: '1' }, { name: 'use-vc' }],
  };
  expect(resolver({ dnsPolicy: 'None', dnsConfig })).toEqual({
    nameservers: ['1.2.3.4'],
    searches: ['a.b'],
    options: ['ndots:1', 'use-vc'],
  });
});

test('dnsConfig is added, its options go before, and nothing is there twice', () => {
  const dnsConfig = {
    nameservers: ['10.43.0.10', '1.1.1.1'],
    searches: ['cluster.local', 'x.y'],
    options: [{ name: 'ndots', value: '3' }],
  };
  expect(resolver({ dnsPolicy: 'ClusterFirst', dnsConfig })).toEqual({
    nameservers: ['10.43.0.10', '1.1.1.1'],
    searches: [
      'shop.svc.cluster.local',
      'svc.cluster.local',
      'cluster.local',
      'example.org',
      'x.y',
    ],
    options: ['ndots:3'],
  });
});

test('a node that does not know the DNS server of the cluster yet gives its own resolver', () => {
  expect(podResolver(pod({ dnsPolicy: 'ClusterFirst' }), node, undefined)).toEqual(node);
});

test('three servers and 2048 characters of search domains are the most', () => {
  const dnsConfig = {
    nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3'],
    searches: Array.from({ length: 32 }, (_, index) => `${index}.${'a'.repeat(100)}`),
  };
  const { nameservers, searches } = resolver({ dnsConfig });
  expect(nameservers).toEqual(['10.43.0.10', '1.1.1.1', '1.1.1.2']);
  expect(searches.join(' ').length).toBeLessThanOrEqual(2048);
  expect(searches.length).toBeGreaterThan(20);
});

test('what was written is read back', () => {
  expect(parseResolver(formatResolver(node))).toEqual(node);
  expect(parseResolver('search a.example. .\nnameserver 192.0.2.1 # one\n')).toEqual({
    nameservers: ['192.0.2.1'],
    searches: ['a.example', '.'],
    options: [],
  });
});

function resolver(spec: Partial<PodSpec>) {
  return podResolver(pod(spec), node, cluster);
}

function pod(spec: Partial<PodSpec>): Pod {
  return { metadata: { name: 'p', namespace: 'shop' }, spec } as Pod;
}
