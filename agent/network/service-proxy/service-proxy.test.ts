import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../../../shared/silent-logger.ts';
import type { LocalPod } from '../../pods/collaborators.ts';
import type { AgentState, DesiredDocument } from '../../state/agent-state.ts';
import type { ProxyBackend } from './proxy-backend.ts';
import type { ProxyPlan } from './proxy-plan.ts';
import { ServiceProxy } from './service-proxy.ts';

/** The proxy over a state in memory and a backend that remembers. */
function bench() {
  const clock = new ManualClock();
  const documents = new Map<string, DesiredDocument>();
  const listeners = new Set<(keys: readonly string[]) => void>();
  const state: AgentState = {
    isKnown: true,
    get: (key) => documents.get(key),
    list: (prefix) => [...documents.values()].filter(({ key }) => key.startsWith(prefix)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    podRecord: () => undefined,
    savePodRecord: async () => {},
  };
  const save = (key: string, object: DesiredDocument['object'] | undefined) => {
    if (object === undefined) documents.delete(key);
    else documents.set(key, { key, version: '', object });
    for (const listener of listeners) listener([key]);
  };
  const plans: ProxyPlan[] = [];
  const backend = {
    name: 'nftables' as const,
    failures: 0,
    running: 0,
    async apply(plan: ProxyPlan) {
      expect(++this.running).toBe(1);
      await Promise.resolve();
      this.running--;
      if (this.failures-- > 0) throw new Error('no');
      plans.push(plan);
    },
    verify: async () => true,
    purge: async () => {},
  } satisfies ProxyBackend & { failures: number; running: number };
  const pods = new Map<string, LocalPod>();
  let podChanged: (uids: readonly string[]) => void = () => {};
  const proxy = new ServiceProxy({
    state,
    backend,
    nodeName: 'here',
    nodeIp: () => '192.0.2.1',
    podCidr: () => '10.42.0.0/24',
    hostPorts: () => [],
    local: {
      pod: (uid) => pods.get(uid),
      subscribe: (listener) => {
        podChanged = listener;
        return () => {};
      },
    },
    remote: { isSilent: () => false, watch: () => {}, subscribe: () => () => {} },
    healthChecks: { serve: async () => {} },
    clock,
    log: silentLogger,
  });
  const saveService = (name: string, last: number) =>
    save(`services/default/${name}`, {
      metadata: { namespace: 'default', name },
      spec: { clusterIP: `10.43.0.${last}`, ports: [{ port: 80 }] },
    });
  const saveSlice = (name: string, lasts: number[]) =>
    save(`endpointslices/default/${name}-x`, {
      metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
      endpoints: lasts.map((last) => ({
        addresses: [`10.42.0.${last}`],
        nodeName: 'here',
        targetRef: { kind: 'Pod', uid: `uid-${last}` },
      })),
    });
  const lasts = (name: string) =>
    plans
      .at(-1)
      ?.services.get(`default/${name}`)
      ?.ports[0]?.cluster.map(({ address }) => Number(address.split('.')[3]));
  const setPod = (uid: string, pod: LocalPod) => {
    pods.set(uid, pod);
    podChanged([uid]);
  };
  return { clock, proxy, plans, backend, save, saveService, saveSlice, lasts, setPod };
}

describe('service proxy', () => {
  it('tells how long it has been at an apply that does not end', async () => {
    const { proxy, backend, clock } = bench();
    const apply = vi.spyOn(backend, 'apply').mockReturnValue(new Promise<void>(() => {}));
    expect(proxy.underway).toBeUndefined();
    proxy.start();
    await vi.waitFor(() => expect(apply).toHaveBeenCalled());
    clock.advance(660_000);
    expect(proxy.underway).toEqual({ what: 'service proxy services', forMs: 660_000 });
  });

  it('follows services and slices, and leaves the plans of others the same objects', async () => {
    const { proxy, plans, saveService, saveSlice, lasts, clock, save } = bench();
    saveService('a', 1);
    saveService('b', 2);
    saveSlice('a', [2]);
    proxy.start();
    await vi.waitFor(() => expect(lasts('a')).toEqual([2]));
    clock.advance(1_000);
    saveSlice('a', [3, 4]);
    await vi.waitFor(() => expect(lasts('a')).toEqual([3, 4]));
    expect(plans[1]?.services.get('default/b')).toBe(plans[0]?.services.get('default/b'));
    clock.advance(1_000);
    save('services/default/a', undefined);
    await vi.waitFor(() =>
      expect([...(plans.at(-1)?.services.keys() ?? [])]).toEqual(['default/b']),
    );
    await proxy.stop();
    expect(clock.pending).toBe(0);
  });

  it('drops a local endpoint as soon as its pod is gone', async () => {
    const { proxy, saveService, saveSlice, lasts, clock, setPod } = bench();
    saveService('a', 1);
    saveSlice('a', [2, 3]);
    proxy.start();
    await vi.waitFor(() => expect(lasts('a')).toEqual([2, 3]));
    clock.advance(1_000);
    setPod('uid-2', { ready: false, terminating: false, address: undefined });
    await vi.waitFor(() => expect(lasts('a')).toEqual([3]));
    await proxy.stop();
  });

  it('applies a burst of changes at most every 50 ms, and the last one for sure', async () => {
    const { proxy, plans, saveService, saveSlice, lasts, clock } = bench();
    saveService('a', 1);
    proxy.start();
    await vi.waitFor(() => expect(plans).toHaveLength(1));
    for (let flap = 0; flap < 100; flap++) {
      saveSlice('a', [2 + (flap % 3)]);
      clock.advance(10);
      await new Promise(setImmediate);
    }
    clock.advance(50);
    await vi.waitFor(() => expect(lasts('a')).toEqual([2]));
    expect(plans.length).toBeLessThanOrEqual(22);
    await proxy.stop();
  });

  it('tries again with growing pauses when the backend fails', async () => {
    const { proxy, plans, saveService, backend, clock } = bench();
    backend.failures = 2;
    saveService('a', 1);
    proxy.start();
    await vi.waitFor(() => expect(clock.nextInMs).toBe(500));
    clock.advance(500);
    await vi.waitFor(() => expect(clock.nextInMs).toBe(1_000));
    expect(plans).toHaveLength(0);
    clock.advance(1_000);
    await vi.waitFor(() => expect(plans).toHaveLength(1));
    await proxy.stop();
  });
});
