import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../agent/host/command.ts';
import { globalArguments } from '../../agent/runtime/podman-arguments.ts';
import { PodmanEngine } from '../../agent/runtime/podman-engine.ts';
import { FIRST_LINE, firstStampMs, pause } from './bench-cluster.ts';

/** `podman run` as a user would call it, with the flags that this machine needs. */
export class BarePodman {
  readonly #folder = mkdtempSync(join(tmpdir(), 'skerry-bench-'));
  readonly #machine = new PodmanEngine({
    run: runCommand,
    command: 'podman',
    maxProcesses: 1,
  }).machine();
  #runs = 0;

  /** Milliseconds from the call to the container's first line, by its log's own stamp. */
  async firstLine(image: string, network: string): Promise<number> {
    this.#runs += 1;
    const log = join(this.#folder, `${this.#runs}.log`);
    const begunMs = nowMs();
    const { stdout } = await runCommand('podman', [
      ...globalArguments(this.#machine),
      'run',
      '--detach',
      '--pull=never',
      `--network=${network}`,
      ...this.#machine.ulimits.map((limit) => `--ulimit=${limit}`),
      '--log-driver=k8s-file',
      `--log-opt=path=${log}`,
      image,
      ...FIRST_LINE,
    ]);
    let at: number | undefined;
    while (at === undefined) {
      at = firstStampMs(log);
      if (at === undefined) await pause(5);
    }
    await runCommand('podman', [
      ...globalArguments(this.#machine),
      'rm',
      '--force',
      '--time=0',
      stdout.trim(),
    ]);
    return at - begunMs;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Wall clock with fractions, as the stamps in logs. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
