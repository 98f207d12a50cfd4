import { spawn } from 'node:child_process';
import type { CertificateJob, CertificateOutcome } from './certificate-job.ts';

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Of one run: its answer stays far below the limit, and no device waits long for the others. */
const MAX_JOBS = 64;

interface Waiting {
  jobs: readonly CertificateJob[];
  resolve(outcomes: CertificateOutcome[]): void;
  reject(error: unknown): void;
}

/**
 * Has certificates signed in a process of their own that ends at once, so that the X.509 library is never resident. One runs at a time,
 * of 50 MB each: what is asked meanwhile goes to the next one together, so that a fleet may join at once. Requests carry the authority's
 * key: they go through the child's stdin, never through its arguments.
 */
export class CertificateChild {
  readonly #command: readonly string[];
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  /** `command`: the program and its arguments, as `[process.execPath, 'dist/x509.js']`. */
  constructor(command: readonly string[]) {
    this.#command = command;
  }

  /** Outcomes in the order of the jobs. Throws when the child itself fails. */
  issue(jobs: readonly CertificateJob[]): Promise<CertificateOutcome[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jobs, resolve, reject });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_JOBS);
      try {
        const outcomes = await this.#issueNow(batch.flatMap(({ jobs }) => jobs));
        for (const { jobs, resolve } of batch) resolve(outcomes.splice(0, jobs.length));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isRunning = false;
  }

  async #issueNow(jobs: readonly CertificateJob[]): Promise<CertificateOutcome[]> {
    const outcomes = JSON.parse(await this.#run(JSON.stringify(jobs))) as CertificateOutcome[];
    if (outcomes.length !== jobs.length) throw new Error('the certificate child lost an answer');
    return outcomes;
  }

  #run(input: string): Promise<string> {
    const [program = process.execPath, ...args] = this.#command;
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      });
      const output: Buffer[] = [];
      let outputBytes = 0;
      let complaint = '';
      child.stdout.on('data', (chunk: Buffer) => {
        outputBytes += chunk.length;
        if (outputBytes > MAX_ANSWER_BYTES) child.kill('SIGKILL');
        else output.push(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        complaint = (complaint + chunk.toString('utf8')).slice(-2000);
      });
      child.on('error', reject);
      child.on('close', (code, signal) => {
        if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
        else reject(new Error(`the certificate child ended with ${signal ?? code}: ${complaint}`));
      });
      // A child that dies before it has read everything is reported by `close`.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
  }
}
