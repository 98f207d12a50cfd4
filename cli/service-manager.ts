import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from '../shared/logger.ts';
import { oneLine } from '../shared/one-line.ts';

/** What systemd gives a service in its environment (systemd.exec(5)): of this process, and of nothing that it starts. */
const OF_THIS_PROCESS = [
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  // podman would keep the containers' monitors in the service's own cgroup, where a restart ends them.
  'INVOCATION_ID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PID',
];

const NOTIFY_TIMEOUT_MS = 10_000;

/** What the service manager is told of a program. */
export interface Watched {
  /** A few words. */
  status(): string;
  /** Resolves when the program's own queues have moved; answers what in it does not, if anything. */
  stuck(): Promise<string | undefined>;
}

export interface ServiceManagerParts {
  log: Logger;
  /** Its variables of the service manager are taken out. */
  environment?: NodeJS.ProcessEnv;
  /** Tells the service manager `VARIABLE=value` each (sd_notify(3)). */
  notify?: (socket: string, states: readonly string[]) => Promise<void>;
  /** Calls back every so often; the answer ends that. */
  every?: (intervalMs: number, callback: () => void) => () => void;
}

/**
 * The service manager that started this process, if one did: is told that the program is ready, what it does, that it moves, and that it
 * ends. "It moves" is said twice in each interval of the watchdog, and only when the program has just shown it: a program whose loop,
 * store or workers hang is started anew.
 */
export class ServiceManager {
  readonly #log: Logger;
  readonly #notify: (socket: string, states: readonly string[]) => Promise<void>;
  readonly #every: (intervalMs: number, callback: () => void) => () => void;
  readonly #socket: string | undefined;
  readonly #watchdogMs: number | undefined;
  #sent: Promise<void> = Promise.resolve();
  #program: Watched | undefined;
  #status = '';
  #isAsking = false;
  #hasWarned = false;
  #endBeats = () => {};

  constructor({ log, environment = process.env, notify, every }: ServiceManagerParts) {
    this.#log = log;
    this.#notify = notify ?? systemdNotify;
    this.#every = every ?? everyInterval;
    const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
    this.#socket = NOTIFY_SOCKET;
    // sd_watchdog_enabled(3): meant for another process if its number is another.
    const isOurs = WATCHDOG_PID === undefined || WATCHDOG_PID === `${process.pid}`;
    const watchdogMs = Number(WATCHDOG_USEC) / 1000;
    this.#watchdogMs = isOurs && watchdogMs > 0 ? watchdogMs : undefined;
    for (const name of OF_THIS_PROCESS) delete environment[name];
  }

  /** The program has started. */
  ready(program: Watched): void {
    this.#program = program;
    this.#send(['READY=1', ...this.#statusOf(program)]);
    if (this.#socket === undefined || this.#watchdogMs === undefined) return;
    this.#endBeats = this.#every(this.#watchdogMs / 2, () => void this.#beat(program));
  }

  /** The program's state in words may be another. */
  changed(): void {
    if (this.#program !== undefined) this.#send(this.#statusOf(this.#program));
  }

  /** The program ends; resolves when that and everything before has been told. */
  async stopping(farewell: string): Promise<void> {
    this.#endBeats();
    this.#program = undefined;
    this.#send(['STOPPING=1', statusState(farewell)]);
    await this.#sent;
  }

  async #beat(program: Watched): Promise<void> {
    if (this.#isAsking) {
      this.#log.error('this program hangs: it has not answered since the last look at it');
      return;
    }
    this.#isAsking = true;
    try {
      const stuck = await program.stuck();
      if (stuck === undefined) this.#send(['WATCHDOG=1', ...this.#statusOf(program)]);
      else this.#log.error('this program hangs, and will be started anew', { stuck });
    } catch (error) {
      this.#log.error('this program cannot be looked at', { error });
    } finally {
      this.#isAsking = false;
    }
  }

  #statusOf(program: Watched): string[] {
    const status = program.status();
    if (status === this.#status) return [];
    this.#status = status;
    return [statusState(status)];
  }

  /** In order, one after another. */
  #send(states: readonly string[]): void {
    const socket = this.#socket;
    if (socket === undefined || states.length === 0) return;
    this.#sent = this.#sent.then(async () => {
      try {
        await this.#notify(socket, states);
      } catch (error) {
        if (this.#hasWarned) return;
        this.#hasWarned = true;
        this.#log.error('systemd cannot be told how this service is: systemd-notify failed', {
          error: String(error),
        });
      }
    });
  }
}

/**
 * A state's value is one line: what stood on the next would be a state of its own, such as MAINPID=, and what a program says of itself may
 * have in it what a server answered that nobody trusts yet.
 */
function statusState(text: string): string {
  return `STATUS=${oneLine(text)}`;
}

/** Node.js has no datagram sockets of the Unix domain: by systemd's own command, about 10 ms a call. */
async function systemdNotify(socket: string, states: readonly string[]): Promise<void> {
  await promisify(execFile)('systemd-notify', [...states], {
    env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket },
    timeout: NOTIFY_TIMEOUT_MS,
  });
}

function everyInterval(intervalMs: number, callback: () => void): () => void {
  const timer = setInterval(callback, intervalMs);
  return () => clearInterval(timer);
}
