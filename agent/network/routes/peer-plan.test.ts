import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cidrContains, cidrsOverlap, parseCidr, parseIpv4 } from '../../../shared/meta/cidr.ts';
import type { PeerDocument } from '../../../shared/wire/network-documents.ts';
import { type LocalLink, type NodeNetwork, planPeers } from './peer-plan.ts';
import { vxlanMac } from './vxlan.ts';

const CLUSTER = {
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  dnsAddress: '10.43.0.10',
  clusterDomain: 'cluster.local',
};

function link(name: string, address: string, prefix: number, mtuBytes = 1500): LocalLink {
  return { name, mtuBytes, isSegment: true, addresses: [{ address, prefix }] };
}

const ETH0 = link('eth0', '192.168.1.10', 24);

function node(fields: Partial<NodeNetwork> = {}): NodeNetwork {
  return {
    name: 'own',
    clusterId: 'one',
    vxlanLink: 'sv0',
    internalIp: '192.168.1.10',
    podCidr: '10.42.0.0/24',
    links: [ETH0],
    ...fields,
  };
}

function peer(name: string, internalIP: string | undefined, ...podCIDRs: string[]): PeerDocument {
  return { name, podCIDRs, annotations: {}, ...(internalIP !== undefined && { internalIP }) };
}

const NEAR = peer('near', '192.168.1.20', '10.42.1.0/24');
const FAR = peer('far', '172.16.0.5', '10.42.2.0/24');

function routesTo(peers: readonly PeerDocument[], fields: Partial<NodeNetwork> = {}): string[] {
  return planPeers(node(fields), peers, CLUSTER)
    .routes.filter(({ device }) => device !== 'lo')
    .map(({ destination, via, device }) => `${destination} via ${via} dev ${device}`);
}

describe('how a peer is reached', () => {
  test('over the segment that both are on, without a VXLAN link', () => {
    const plan = planPeers(node(), [NEAR], CLUSTER);
    expect(plan.modes).toEqual(new Map([['near', 'host-gw']]));
    expect(routesTo([NEAR])).toEqual(['10.42.1.0/24 via 192.168.1.20 dev eth0']);
    expect(plan.vxlan).toBeUndefined();
    expect(plan.podMtuBytes).toBe(1500);
  });

  test('behind a router in VXLAN frames to its internal IP', () => {
    const plan = planPeers(node(), [FAR], CLUSTER);
    const mac = vxlanMac('one', 'far');
    expect(plan.modes).toEqual(new Map([['far', 'vxlan']]));
    expect(routesTo([FAR])).toEqual(['10.42.2.0/24 via 10.42.2.1 dev sv0']);
    expect(plan.neighbours).toEqual(new Map([['10.42.2.1', mac]]));
    expect(plan.forwarding).toEqual(new Map([[mac, '172.16.0.5']]));
    expect(plan.vxlan).toMatchObject({ mtuBytes: 1450, address: '10.42.0.1' });
    expect(plan.podMtuBytes).toBe(1450);
  });

  test('over the segment with the longest prefix, as the kernel decides', () => {
    const links = [link('eth0', '192.168.0.10', 16), link('eth1', '192.168.1.9', 24)];
    expect(routesTo([NEAR], { links })).toEqual(['10.42.1.0/24 via 192.168.1.20 dev eth1']);
  });

  test('never over a link without hardware addresses, such as a tunnel, or an address without a segment', () => {
    const tunnel = { ...link('wg0', '172.16.0.1', 24), isSegment: false };
    const single = link('eth1', '172.16.0.5', 32);
    expect(planPeers(node({ links: [ETH0, tunnel] }), [FAR], CLUSTER).modes.get('far')).toBe(
      'vxlan',
    );
    expect(planPeers(node({ links: [ETH0, single] }), [FAR], CLUSTER).modes.get('far')).toBe(
      'local',
    );
  });

  test('on this very machine not at all: the kernel has a route to each of its pods', () => {
    const plan = planPeers(node(), [peer('twin', '192.168.1.10', '10.42.1.0/24')], CLUSTER);
    expect(plan.modes).toEqual(new Map([['twin', 'local']]));
    expect(plan.routes.map(({ device }) => device)).toEqual(['lo']);
  });

  test('a peer that sends frames to us is heard though we would reach it over a segment', () => {
    const annotations = { 'network.skerry.dev/peer-own': 'vxlan' };
    const plan = planPeers(node(), [{ ...NEAR, annotations }], CLUSTER);
    expect(plan.modes.get('near')).toBe('host-gw');
    expect(plan.vxlan).toBeDefined();
    expect(plan.podMtuBytes).toBe(1450);
  });
});

describe('what a packet may measure', () => {
  test('the smallest link that is in use counts, VXLAN with the link of the node address less fifty', () => {
    const links = [link('eth0', '192.168.1.10', 24, 9000), link('eth1', '10.9.0.1', 24, 1400)];
    const mtu = (...peers: PeerDocument[]) =>
      planPeers(node({ links }), peers, CLUSTER).podMtuBytes;
    expect(mtu()).toBe(9000);
    expect(mtu(FAR)).toBe(8950);
    expect(mtu(FAR, peer('low', '10.9.0.2', '10.42.7.0/24'))).toBe(1400);
  });

  test('a machine without a network has that of Ethernet', () => {
    expect(planPeers(node({ links: [], internalIp: '127.0.0.1' }), [], CLUSTER).podMtuBytes).toBe(
      1500,
    );
  });
});

describe('services', () => {
  test('the range of ClusterIPs has a route from the node address', () => {
    expect(planPeers(node(), [], CLUSTER).routes).toEqual([
      { destination: '10.43.0.0/16', device: 'lo', source: '192.168.1.10', isOnLink: false },
    ]);
    expect(planPeers(node(), [], undefined).routes).toEqual([]);
  });

  test('while the node address is not one of the machine, another speaks; never one of the loopback', () => {
    const loopback = { ...link('lo', '127.0.0.1', 8), isSegment: false };
    const source = (internalIp: string, links: LocalLink[]) =>
      planPeers(node({ internalIp, links }), [], CLUSTER).routes[0]?.source;
    expect(source('127.0.0.1', [loopback, ETH0])).toBe('192.168.1.10');
    expect(source('203.0.113.9', [loopback, ETH0])).toBe('192.168.1.10');
    expect(source('127.0.0.1', [loopback])).toBeUndefined();
  });
});

describe('documents that cannot be followed', () => {
  test.each([
    ['no address', peer('x', undefined, '10.42.1.0/24')],
    ['an address of IPv6', peer('x', 'fd00::1', '10.42.1.0/24')],
    ['no range', peer('x', '192.168.1.20')],
    ['a range of IPv6', peer('x', '192.168.1.20', 'fd00::/64')],
    ['a range outside the cluster', peer('x', '192.168.1.20', '10.44.1.0/24')],
    ['a range around the cluster', peer('x', '192.168.1.20', '0.0.0.0/0')],
    ['our own range', peer('x', '192.168.1.20', '10.42.0.0/24')],
    ['a part of our own range', peer('x', '192.168.1.20', '10.42.0.128/25')],
    ['our own name', peer('own', '192.168.1.20', '10.42.1.0/24')],
  ])('a peer with %s has no route', (_what, document) => {
    expect(routesTo([document])).toEqual([]);
    expect(planPeers(node(), [document], CLUSTER).modes.size).toBe(0);
  });

  test('of two that claim one range the first by name has it', () => {
    const claims = [
      peer('b', '192.168.1.21', '10.42.1.0/24'),
      peer('a', '192.168.1.20', '10.42.1.0/24'),
    ];
    expect(routesTo(claims)).toEqual(['10.42.1.0/24 via 192.168.1.20 dev eth0']);
  });
});

describe('any peers', () => {
  const address = fc.oneof(
    fc.integer({ min: 1, max: 254 }).map((last) => `192.168.1.${last}`),
    fc.ipV4(),
    fc.constantFrom('nonsense', 'fd00::1'),
  );
  const range = fc.oneof(
    fc.integer({ min: 0, max: 255 }).map((third) => `10.42.${third}.0/24`),
    fc.integer({ min: 0, max: 15 }).map((part) => `10.42.${part * 16}.0/20`),
    fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '192.168.1.0/24', 'nonsense', 'fd00::/64'),
  );
  const peers = fc.uniqueArray(
    fc
      .tuple(fc.integer({ min: 0, max: 50 }), address, fc.array(range, { maxLength: 3 }))
      .map(([number, internalIP, ranges]) => peer(`n${number}`, internalIP, ...ranges)),
    { selector: ({ name }) => name, maxLength: 20 },
  );

  test('routes lie in the cluster, overlap neither ours nor one another, and each gateway can be reached', () => {
    fc.assert(
      fc.property(peers, (documents) => {
        const plan = planPeers(node(), documents, CLUSTER);
        const routes = plan.routes.filter(({ device }) => device !== 'lo');
        const ranges = [
          parseCidr('10.42.0.0/24'),
          ...routes.map((route) => parseCidr(route.destination)),
        ];
        for (const [index, one] of ranges.entries()) {
          expect(cidrContains(parseCidr('10.42.0.0/16'), one.base) && one.prefix >= 16).toBe(true);
          expect(ranges.slice(index + 1).some((other) => cidrsOverlap(one, other))).toBe(false);
        }
        for (const { device, via, isOnLink } of routes) {
          expect(isOnLink).toBe(device === 'sv0');
          if (isOnLink)
            expect(plan.forwarding.has(plan.neighbours.get(via ?? '') ?? '')).toBe(true);
          else expect(cidrContains(parseCidr('192.168.1.0/24'), parseIpv4(via ?? ''))).toBe(true);
        }
        expect(new Set(plan.neighbours.values())).toEqual(new Set(plan.forwarding.keys()));
        expect(plan.podMtuBytes).toBe(plan.vxlan === undefined ? 1500 : 1450);
        expect(plan.vxlan !== undefined).toBe([...plan.modes.values()].includes('vxlan'));
      }),
    );
  });

  test('their order does not matter', () => {
    fc.assert(
      fc.property(peers, (documents) => {
        const plan = planPeers(node(), documents, CLUSTER);
        expect(planPeers(node(), [...documents].reverse(), CLUSTER)).toEqual(plan);
      }),
    );
  });
});
