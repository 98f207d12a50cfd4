import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NodePlan } from '../../agent/network/service-proxy/proxy-plan.ts';
import { NetworkLab, type RemoteBackend } from './network-lab.ts';
import { EXTERNAL, NODE_PORT, serviceOf, VIP } from './service-of.ts';

const NODE: NodePlan = {
  nodeIp: '192.0.2.1',
  podCidr: '10.42.0.0/24',
  clusterCidr: '10.42.0.0/16',
  hostPorts: [],
};
export interface ContractLab {
  lab: NetworkLab;
  backend(): RemoteBackend;
}

const UDP = { port: { protocol: 'UDP' } } as const;

/** Every backend passes this suite with real packets. Needs root. */
export function describeProxyBackend(
  kind: 'nftables' | 'userspace',
  more: (context: ContractLab) => void = () => {},
): void {
  describe(`${kind} backend`, () => {
    const id = `${kind.slice(0, 3)}${process.pid}`;
    const lab = new NetworkLab(id);
    let backend: RemoteBackend;
    const podsIn = (answers: string[]) =>
      [...new Set(answers.map((text) => text.split(' ')[0]))].sort();

    beforeAll(async () => {
      await lab.start();
      backend = lab.backend(kind);
    });
    afterAll(async () => {
      await lab.stop();
    });

    it('reaches every endpoint of a service from a pod, from the node and from outside', async () => {
      await backend.apply([serviceOf([2, 3, 4])], NODE);
      for (const from of ['pod-a', 'node', 'client']) {
        const all = await lab.ask(from, { ...VIP, count: 60 });
        expect(podsIn(all), from).toEqual(['pod-a', 'pod-b', 'pod-c']);
      }
      for (const to of [NODE_PORT, EXTERNAL]) {
        for (const from of ['pod-a', 'node', 'client']) {
          expect(podsIn(await lab.ask(from, { ...to, count: 60 })), from).toHaveLength(3);
        }
      }
      expect(await backend.verify()).toBe(true);
    });

    it('lets a pod reach itself through its service', async () => {
      await backend.apply([serviceOf([2])], NODE);
      expect(podsIn(await lab.ask('pod-a', { ...VIP, count: 3 }))).toEqual(['pod-a']);
      expect(podsIn(await lab.ask('pod-a', { ...NODE_PORT, count: 3 }))).toEqual(['pod-a']);
    });

    it('follows endpoints that come and go', async () => {
      await backend.apply([serviceOf([2, 3])], NODE);
      await backend.apply([serviceOf([3, 4])], NODE);
      expect(podsIn(await lab.ask('client', { ...VIP, count: 40 }))).toEqual(['pod-b', 'pod-c']);
      expect(await backend.verify()).toBe(true);
    });

    it('refuses at once when there is no endpoint', async () => {
      await backend.apply([serviceOf([]), serviceOf([], { key: 'default/udp', ...UDP })], NODE);
      for (const from of ['pod-a', 'node', 'client']) {
        expect(await lab.ask(from, VIP), from).toEqual(['ECONNREFUSED']);
        expect(await lab.ask(from, NODE_PORT), from).toEqual(['ECONNREFUSED']);
        expect(await lab.ask(from, { ...VIP, udp: true }), from).toEqual(['ECONNREFUSED']);
      }
    });

    it('carries UDP, and moves a client whose endpoint goes', async () => {
      await backend.apply([serviceOf([2], UDP)], NODE);
      expect(podsIn(await lab.ask('pod-b', { ...VIP, udp: true, count: 3 }))).toEqual(['pod-a']);
      await backend.apply([serviceOf([4], UDP)], NODE);
      expect(podsIn(await lab.ask('pod-b', { ...VIP, udp: true, count: 3 }))).toEqual(['pod-c']);
      await backend.apply([serviceOf([2, 3], UDP)], NODE);
      expect(podsIn(await lab.ask('client', { ...NODE_PORT, udp: true }))[0]).toMatch(/pod-[ab]/);
    });

    it('keeps a client with its endpoint under session affinity, through changes of the others', async () => {
      const affinitySeconds = 600;
      await backend.apply([serviceOf([2, 3, 4], { affinitySeconds })], NODE);
      const first = podsIn(await lab.ask('pod-a', { ...VIP, count: 20 }));
      expect(first).toHaveLength(1);
      const kept = ['pod-a', 'pod-b', 'pod-c'].indexOf(first[0] ?? '') + 2;
      const other = kept === 2 ? 3 : 2;
      await backend.apply([serviceOf([kept, other].sort(), { affinitySeconds })], NODE);
      expect(podsIn(await lab.ask('pod-a', { ...VIP, count: 20 }))).toEqual(first);
      await backend.apply([serviceOf([other], { affinitySeconds })], NODE);
      expect(podsIn(await lab.ask('pod-a', { ...VIP, count: 5 }))).not.toEqual(first);
    });

    it('keeps traffic from outside on the node under externalTrafficPolicy: Local', async () => {
      const local = [{ address: '10.42.0.3', port: 8080 }];
      await backend.apply([serviceOf([2, 3, 4], { externalLocal: true, port: { local } })], NODE);
      expect(podsIn(await lab.ask('client', { ...NODE_PORT, count: 20 }))).toEqual(['pod-b']);
      expect(podsIn(await lab.ask('pod-a', { ...NODE_PORT, count: 60 }))).toHaveLength(3);
    });

    it('keeps traffic of the cluster on the node under internalTrafficPolicy: Local', async () => {
      const local = [{ address: '10.42.0.4', port: 8080 }];
      await backend.apply([serviceOf([2, 3, 4], { internalLocal: true, port: { local } })], NODE);
      expect(podsIn(await lab.ask('pod-a', { ...VIP, count: 20 }))).toEqual(['pod-c']);
      expect(podsIn(await lab.ask('client', { ...NODE_PORT, count: 60 }))).toHaveLength(3);
    });

    it('admits to the address of a load balancer whom its source ranges name, and to the others everybody', async () => {
      const guard = { addresses: [EXTERNAL.address], ranges: ['10.42.0.2/32', '203.0.113.0/24'] };
      await backend.apply([serviceOf([4], { guard })], NODE);
      expect(podsIn(await lab.ask('pod-a', EXTERNAL))).toEqual(['pod-c']);
      for (const from of ['pod-b', 'client']) {
        expect(podsIn(await lab.ask(from, EXTERNAL)), from).not.toContain('pod-c');
        expect(podsIn(await lab.ask(from, VIP)), from).toEqual(['pod-c']);
        expect(podsIn(await lab.ask(from, NODE_PORT)), from).toEqual(['pod-c']);
      }
      expect(await backend.verify()).toBe(true);
      const wider = { ...guard, ranges: ['10.42.0.0/16', '192.0.2.0/30'] };
      await backend.apply([serviceOf([4], { guard: wider })], NODE);
      for (const from of ['pod-b', 'client', 'node']) {
        expect(podsIn(await lab.ask(from, EXTERNAL)), from).toEqual(['pod-c']);
      }
      expect(await backend.verify()).toBe(true);
    });

    it('serves on with a new process, and removes everything at the end', async () => {
      await backend.apply([serviceOf([2, 3])], NODE);
      await backend.kill();
      backend = lab.backend(kind);
      await backend.apply([serviceOf([2, 3])], NODE);
      expect(podsIn(await lab.ask('client', { ...VIP, count: 20 }))).toEqual(['pod-a', 'pod-b']);
      await backend.apply([], NODE);
      expect(await lab.ask('node', NODE_PORT)).toEqual(['ECONNREFUSED']);
      await backend.purge();
      expect(await lab.in('node', 'nft', ['list', 'ruleset'])).toBe('');
      expect(await lab.in('node', 'ip', ['-4', 'addr', 'show', 'dev', 'lo'])).not.toContain(
        '10.43',
      );
    });

    more({ lab, backend: () => backend });
  });
}
