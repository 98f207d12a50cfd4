import type { Logger } from '../shared/logger.ts';
import { asFailure, CommandFailure } from './command-failure.ts';
import { ServiceManager, type Watched } from './service-manager.ts';

/** What a running program is: it can be stopped, and may fail on its own. */
export interface Running extends Watched {
  stop(): Promise<void>;
  /** What stays behind, and how that is ended. */
  farewell: string;
}

/** Beyond this a stop is given up: a supervisor waits no longer either, and everything acknowledged is on disk already. */
const STOP_LIMIT_MS = 2_800;

/**
 * Starts a program and keeps the process until SIGTERM, SIGINT or a failure of its own; then stops it. `start` gets the functions by which
 * the program reports such a failure, and that its state in words may be another. Signals during the start stop it too. A service manager is told all of it. The exit code: 0 after a
 * signal, 1 after a failure.
 */
export async function runUntilSignal(
  log: Logger,
  start: (onFatal: (error: Error) => void, onChange: () => void) => Promise<Running>,
): Promise<number> {
  const service = new ServiceManager({ log });
  let end: (outcome: string | Error) => void = () => {};
  const ended = new Promise<string | Error>((resolve) => {
    end = resolve;
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(signal));
  const starting = start(end, () => service.changed()).then(
    (running) => ({ running }),
    (error: Error) => ({ error }),
  );
  const first = await Promise.race([starting, ended]);
  if (typeof first === 'object' && 'error' in first) throw asFailure(first.error);
  if (typeof first === 'object' && 'running' in first) service.ready(first.running);
  const outcome = await ended;
  const limit = setTimeout(() => {
    log.error('stopping took too long and was given up', { limitMs: STOP_LIMIT_MS });
    process.exit(1);
  }, STOP_LIMIT_MS);
  const started = await starting;
  const farewell = 'running' in started ? started.running.farewell : 'nothing was started';
  const why = outcome instanceof Error ? outcome.message : outcome;
  log.info(`stopping: ${farewell}`, { why });
  const told = service.stopping(farewell);
  if ('running' in started) await started.running.stop();
  await told;
  clearTimeout(limit);
  if (outcome instanceof Error) throw new CommandFailure(outcome.message);
  return 0;
}
