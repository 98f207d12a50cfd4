import { spawn } from 'node:child_process';
import type { CertificateJob, CertificateOutcome } from './certificate-job.ts';

const TIMEOUT_MS = 60_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/**
 * Has certificates signed in a process of their own that ends at once, so that the X.509 library is never resident. Requests carry
 * the authority's key: they go through the child's stdin, never through its arguments.
 */
export class CertificateChild {
  readonly #command: readonly string[];

  /** `command`: the program and its arguments, as `[process.execPath, 'dist/x509.js']`. */
  constructor(command: readonly string[]) {
    this.#command = command;
  }

  /** Outcomes in the order of the jobs. Throws when the child itself fails. */
  async issue(jobs: readonly CertificateJob[]): Promise<CertificateOutcome[]> {
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
