import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Logger } from '../../../shared/logger.ts';
import { type RunCommand, runCommand } from '../../host/command.ts';
import { SystemClock } from '../../host/system-clock.ts';
import { MemoryState } from '../testing/memory-state.ts';
import { NftablesBackend } from './nftables.ts';
import { ServiceProxy } from './service-proxy.ts';

const namespace = `svcproxy-${process.pid}`;
const warnings: string[] = [];
const log: Logger = {
  debug: () => {},
  info: () => {},
  warn: (message) => warnings.push(message),
  error: (message) => warnings.push(message),
  child: () => log,
};
const inNamespace: RunCommand = (file, args, options) =>
  runCommand('nsenter', [`--net=/run/netns/${namespace}`, file, ...args], options);
/** Changes what nft is told. */
let spoil = (input: string) => input;
let loads = 0;
const run: RunCommand = (file, args, options) => {
  if (options?.input === undefined || !args.includes('-f')) return inNamespace(file, args, options);
  loads++;
  return inNamespace(file, args, { ...options, input: spoil(String(options.input)) });
};

describe('service proxy over nftables', () => {
  const state = new MemoryState();
  const proxy = new ServiceProxy({
    state,
    backend: new NftablesBackend({ agentId: 'e2e', log, run }),
    nodeName: 'here',
    nodeIp: () => '192.0.2.1',
    podCidr: () => '10.42.0.0/24',
    hostPorts: () => [],
    local: { pod: () => undefined, subscribe: () => () => {} },
    remote: { isSilent: () => false, watch: () => {}, subscribe: () => () => {} },
    healthChecks: { serve: async () => {} },
    clock: new SystemClock(),
    log,
  });
  const setEndpoint = (last: number) =>
    state.save({
      'endpointslices/default/web-x': {
        metadata: { namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        ports: [{ name: '', port: 8080, protocol: 'TCP' }],
        endpoints: [{ addresses: [`10.42.0.${last}`], nodeName: 'here' }],
      },
    });
  /** The last number of each endpoint in the kernel. */
  const inKernel = async () => {
    const list = ['list', 'map', 'ip', 'skerry-e2e', 'tcp-endpoints'];
    const { stdout } = await inNamespace('nft', list, { allowFailure: true });
    return [...stdout.matchAll(/10\.42\.0\.(\d+) \. /g)].map((match) => Number(match[1]));
  };
  const settles = (last: number) =>
    vi.waitFor(async () => expect(await inKernel()).toEqual([last]), { timeout: 5_000 });

  beforeAll(async () => {
    await runCommand('ip', ['netns', 'add', namespace]);
    state.save({
      'services/default/web': {
        metadata: { namespace: 'default', name: 'web' },
        spec: { clusterIP: '10.43.0.1', ports: [{ port: 80 }] },
      },
    });
    setEndpoint(2);
    proxy.start();
    await settles(2);
  });
  afterAll(async () => {
    await proxy.stop();
    await runCommand('ip', ['netns', 'del', namespace]);
  });

  it('follows an endpoint that flaps 100 times a second with at most 20 changes a second', async () => {
    loads = 0;
    const startedMs = performance.now();
    for (let flap = 0; flap < 100; flap++) {
      setEndpoint(2 + (flap % 3));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    setEndpoint(9);
    await settles(9);
    expect(loads).toBeLessThanOrEqual(20 * seconds + 2);
    expect(warnings).toEqual([]);
  });

  it('keeps the old rules when nft fails in the middle, and tries again', async () => {
    let spoiled = 0;
    const failed = new Promise<void>((resolve) => {
      spoil = (input) => {
        if (++spoiled === 3) resolve();
        return `${input}\nthis is no command of nft\n`;
      };
    });
    setEndpoint(3);
    await failed;
    expect(await inKernel()).toEqual([9]);
    spoil = (input) => input;
    await settles(3);
    expect(warnings).toContain('services could not be applied');
  });

  it('mends what somebody else flushed', async () => {
    await inNamespace('nft', ['flush', 'ruleset']);
    proxy.verify();
    await settles(3);
  });
});
