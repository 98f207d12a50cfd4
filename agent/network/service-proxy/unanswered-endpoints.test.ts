import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { UnansweredEndpoints } from './unanswered-endpoints.ts';

function bench() {
  const clock = new ManualClock();
  const answers = new Map<string, 'open' | 'closed' | 'silent'>();
  let probes = 0;
  const health = new UnansweredEndpoints({
    clock,
    probe: async ({ address }) => {
      probes++;
      return answers.get(address) ?? 'open';
    },
  });
  const endpoint = { address: '10.42.1.2', port: 8080 };
  health.watch(() => [
    { ...endpoint, protocol: 'TCP' },
    { ...endpoint, address: '10.42.1.3', protocol: 'UDP' },
  ]);
  const changed = vi.fn();
  health.subscribe(changed);
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round++) {
      await vi.waitFor(() => expect(clock.pending).toBe(1));
      clock.advance(1_000);
    }
    await vi.waitFor(() => expect(clock.pending).toBe(1));
  };
  return { clock, health, answers, endpoint, changed, rounds, probes: () => probes };
}

describe('remote endpoints without a master', () => {
  it('are silent after two vain connections, and heard again after one that succeeds', async () => {
    const { health, answers, endpoint, changed, rounds } = bench();
    health.setLinked(false);
    answers.set(endpoint.address, 'silent');
    await rounds(1);
    expect(health.isSilent(endpoint, 'TCP')).toBe(false);
    answers.set(endpoint.address, 'closed');
    await rounds(1);
    expect(health.isSilent(endpoint, 'TCP')).toBe(true);
    expect(changed).toHaveBeenCalledTimes(1);
    answers.set(endpoint.address, 'open');
    await rounds(1);
    expect(health.isSilent(endpoint, 'TCP')).toBe(false);
    expect(changed).toHaveBeenCalledTimes(2);
    health.stop();
  });

  it('are there for UDP when their machine refuses TCP', async () => {
    const { health, answers, rounds } = bench();
    health.setLinked(false);
    answers.set('10.42.1.3', 'closed');
    await rounds(3);
    expect(health.isSilent({ address: '10.42.1.3', port: 8080 }, 'UDP')).toBe(false);
    health.stop();
  });

  it('are sent nothing while the link is up, and all count again when it is back', async () => {
    const { health, answers, endpoint, rounds, clock, probes } = bench();
    expect(clock.pending).toBe(0);
    health.setLinked(false);
    answers.set(endpoint.address, 'silent');
    await rounds(2);
    expect(health.isSilent(endpoint, 'TCP')).toBe(true);
    health.setLinked(true);
    expect(health.isSilent(endpoint, 'TCP')).toBe(false);
    expect(clock.pending).toBe(0);
    const before = probes();
    clock.advance(60_000);
    expect(probes()).toBe(before);
  });
});
