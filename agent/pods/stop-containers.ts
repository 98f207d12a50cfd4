import type { Clock } from '../../shared/reconcile/clock.ts';
import type { ContainerState, Runtime } from '../runtime/runtime.ts';
import { graceMsOf } from './container-labels.ts';

/** A killed process is gone at once, unless the kernel holds it in a disk or network operation. */
const KILL_PATIENCE_MS = 5_000;

/**
 * Asks everything that runs to end, all at once, and kills what outlives the grace of its own pod. Answers how many ran; throws the
 * first failure when the others are done. For a node that goes down with nobody left who plans: it must work when the saved state cannot
 * be read, so that it knows no pod, and neither their preStop hooks nor the order of sidecars.
 */
export async function stopContainers(runtime: Runtime, clock: Clock): Promise<number> {
  const ends = new Map<string, () => void>();
  const ended = new Set<string>();
  const unwatch = await runtime.watch(({ id }) => {
    ended.add(id);
    ends.get(id)?.();
  });
  try {
    const running = (await runtime.list()).filter(({ state }) => state === 'running');
    const stopOne = async (container: ContainerState) => {
      const { id } = container;
      await runtime.signal(id, 'TERM');
      if (ended.has(id)) return;
      await new Promise<void>((resolve, reject) => {
        let cancel = clock.after(graceMsOf(container), () => {
          // Before the signal: the end may be told while it is sent.
          cancel = clock.after(KILL_PATIENCE_MS, () => {
            reject(
              new Error(`container ${container.name} runs on after SIGKILL: look at it by hand`),
            );
          });
          runtime.signal(id, 'KILL').catch((error: unknown) => {
            cancel();
            reject(error);
          });
        });
        ends.set(id, () => {
          cancel();
          resolve();
        });
      });
    };
    // All are waited for, so that one that fails leaves the others no time bomb.
    const outcomes = await Promise.allSettled(running.map(stopOne));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return running.length;
  } finally {
    unwatch();
  }
}
