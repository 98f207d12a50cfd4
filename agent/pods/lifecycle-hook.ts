import type { Clock } from '../../shared/reconcile/clock.ts';
import type { Container, LifecycleHandler } from '../../shared/schema/kubernetes-types.ts';
import { hookHttp } from '../probes/http-get.ts';
import type { Runtime } from '../runtime/runtime.ts';

export interface HookRun {
  runtime: Pick<Runtime, 'exec'>;
  clock: Clock;
  /** The engine's id. */
  id: string;
  container: Container;
  /** The pod's address. */
  host: string;
  /** How long ago the hook began: in an earlier life of the agent. A sleep goes on from there; the others begin again. */
  agoMs: number;
  signal: AbortSignal;
}

/** As long as a hook over HTTP may take; the pod's grace ends it sooner. */
const HTTP_LIMIT_MS = 2 ** 31 - 1;

/** Runs a postStart or preStop hook to its end. Throws when it fails, and when `signal` says to stop. */
export async function runHook(
  { exec, httpGet, sleep }: LifecycleHandler,
  { runtime, clock, id, container, host, agoMs, signal }: HookRun,
): Promise<void> {
  if (exec) {
    const { exitCode, output } = await runtime.exec(id, exec.command ?? [], { signal });
    if (exitCode !== 0) throw new Error(`command exited with ${exitCode}: ${output}`);
    return;
  }
  if (httpGet) {
    await hookHttp(httpGet, { id, container, host, timeoutMs: HTTP_LIMIT_MS, signal });
    return;
  }
  if (sleep) {
    await sleepFor(sleep.seconds * 1000 - agoMs, clock, signal);
    return;
  }
  throw new Error('the hook has no handler that can be run: use exec, httpGet or sleep');
}

function sleepFor(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, ms), resolve);
    signal.addEventListener('abort', () => {
      cancel();
      reject(new Error('container terminated before sleep hook finished'));
    });
  });
}
