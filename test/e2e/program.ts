import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { StringDecoder } from 'node:string_decoder';

const START_LIMIT_MS = 60_000;

/** A long-running program of which the lines of both streams are kept, and can be waited for. */
export class Program {
  readonly #child: ChildProcess;
  readonly #changed = new EventEmitter().setMaxListeners(0);
  #output = '';
  #exit: { code: number | null; signal: string | null } | undefined;

  constructor(file: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    // A group of its own: a signal for the tests is none for the program.
    this.#child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream?.on('data', (chunk: Buffer) => {
        this.#output += decoder.write(chunk);
        this.#changed.emit('changed');
      });
    }
    const ended = (code: number | null, signal: string | null) => {
      this.#exit ??= { code, signal };
      this.#changed.emit('changed');
    };
    this.#child.once('error', (error) => {
      this.#output += `${error.message}\n`;
      ended(-1, null);
    });
    // `exit`, not `close`: containers may hold the streams open.
    this.#child.once('exit', ended);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything that it has printed so far, both streams. */
  get output(): string {
    return this.#output;
  }

  get exit(): { code: number | null; signal: string | null } | undefined {
    return this.#exit;
  }

  /** The first match of the output, now or later. Throws when the program ends before, or too much time passes. */
  async line(pattern: RegExp, limitMs = START_LIMIT_MS): Promise<RegExpExecArray> {
    let found: RegExpExecArray | null = null;
    await this.#until(() => {
      found = pattern.exec(this.#output);
      if (found === null && this.#exit !== undefined)
        throw this.#failure(`ended before ${pattern}`);
      return found !== null;
    }, limitMs);
    return found as unknown as RegExpExecArray;
  }

  async ended(limitMs = START_LIMIT_MS): Promise<{ code: number | null; signal: string | null }> {
    await this.#until(() => this.#exit !== undefined, limitMs);
    return this.#exit ?? { code: null, signal: null };
  }

  /** Answers how it ended, and after how many milliseconds. */
  async stop(signal: NodeJS.Signals = 'SIGTERM') {
    const started = performance.now();
    if (this.#exit === undefined) process.kill(this.pid, signal);
    return { ...(await this.ended()), tookMs: performance.now() - started };
  }

  async #until(isSo: () => boolean, limitMs: number): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#changed.off('changed', check);
        done();
      };
      const check = () => {
        try {
          if (isSo()) settle(resolve);
        } catch (error) {
          settle(() => reject(error));
        }
      };
      const timer = setTimeout(
        () => settle(() => reject(this.#failure(`nothing within ${limitMs} ms`))),
        limitMs,
      );
      this.#changed.on('changed', check);
    });
  }

  #failure(what: string): Error {
    return new Error(
      `${this.#child.spawnargs.join(' ')}: ${what}; it said:\n${this.#output.slice(-4000)}`,
    );
  }
}
