import { expect, test, vi } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CollectingLogger } from '../../../test/builders/collecting-logger.ts';
import type { RunCommand } from '../../host/command.ts';
import type { AgentState } from '../../state/agent-state.ts';
import { PeerRoutes } from './routes.ts';

const EMPTY = { subscribe: () => () => {}, list: () => [], get: () => undefined };

function newRoutes(run: RunCommand, clock: ManualClock, log: CollectingLogger): PeerRoutes {
  return new PeerRoutes({
    ...{ agentId: '0123456789ab', nodeName: 'a', clusterId: () => 'c', nodeIp: () => '10.0.0.1' },
    ...{ podCidr: () => '10.42.1.0/24', state: EMPTY as unknown as AgentState, run, clock, log },
  });
}

test('a first look at the kernel that hangs is seen by the watchdog', async () => {
  const clock = new ManualClock();
  const routes = newRoutes(() => new Promise(() => {}), clock, new CollectingLogger());
  void routes.start();
  await vi.waitFor(() => expect(routes.underway).toBeDefined());
  clock.advance(60_000);
  expect(routes.underway?.forMs).toBe(60_000);
});

test('a first look that fails does not hold up the start, and is repeated', async () => {
  const clock = new ManualClock();
  const log = new CollectingLogger();
  const run = vi.fn<RunCommand>(() => Promise.reject(new Error('no ip here')));
  const routes = newRoutes(run, clock, log);
  await routes.start();
  await vi.waitFor(() => expect(log.lines.join('\n')).toContain('no ip here'));
  const calls = run.mock.calls.length;
  await vi.waitFor(() => expect(clock.pending).toBe(1));
  clock.advance(1000);
  await vi.waitFor(() => expect(run.mock.calls.length).toBeGreaterThan(calls));
  await routes.stop();
});
