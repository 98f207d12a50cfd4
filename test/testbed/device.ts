import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SKERRY } from '../e2e/cluster.ts';
import { Program } from '../e2e/program.ts';
import { mustRun, type Result, run } from '../e2e/run.ts';

/**
 * A machine of namespaces of its own: processes, mounts, network, /run and /dev/shm end with it, as when the power fails; what is on
 * its disk (`folder`) stays. Images are those of the real machine.
 */
export class Device {
  readonly folder: string;
  readonly dataDir: string;
  readonly #hostname: string;
  #holder: Program | undefined;
  #pid = 0;

  constructor(folder: string, hostname = 'device') {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.#hostname = hostname;
    mkdirSync(folder, { recursive: true });
    const storage = [
      ...['[storage]', 'driver = "overlay"', `graphroot = "${folder}/graph"`],
      ...['runroot = "/run/containers/storage"', '[storage.options]'],
      'additionalimagestores = ["/var/lib/containers/storage"]',
    ];
    writeFileSync(join(folder, 'storage.conf'), `${storage.join('\n')}\n`);
  }

  /** The first process in its namespaces; 0 while it is off. */
  get pid(): number {
    return this.#pid;
  }

  /** The kernel's own boot_id stays the same: a file lies over it. */
  async powerOn(): Promise<void> {
    const bootId = join(this.folder, 'boot_id');
    writeFileSync(bootId, `${randomUUID()}\n`);
    const script = `set -e; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev/shm; ip link set lo up
      hostname ${this.#hostname}
      mount --bind ${bootId} /proc/sys/kernel/random/boot_id; echo on; exec sleep infinity`;
    const namespaces = ['-m', '-n', '-u', '-i', '-p', '-f', '--mount-proc', '--kill-child'];
    this.#holder = new Program('unshare', [...namespaces, 'sh', '-c', script]);
    await this.#holder.line(/^on$/m);
    const { pid } = this.#holder;
    this.#pid = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  async powerOff(): Promise<void> {
    if (this.#pid > 0) process.kill(this.#pid, 'SIGKILL');
    await this.#holder?.ended();
    this.#pid = 0;
  }

  /** Starts a program of Skerry there, and waits for its `ready:` line. */
  async start(role: string, ...options: string[]): Promise<Program> {
    const program = this.program(SKERRY, role, '--data-dir', this.dataDir, ...options);
    await program.line(/^ready: /m);
    return program;
  }

  /** A program that goes on there. */
  program(command: string, ...args: string[]): Program {
    return new Program('nsenter', this.#inside(command, ...args));
  }

  /** A program of this repository that goes on there, in the network alone: signals reach it. */
  client(script: string, ...args: string[]): Program {
    const file = new URL(script, import.meta.url).pathname;
    const node = [process.execPath, '--import', 'tsx', file];
    return new Program('nsenter', ['-t', String(this.#pid), '-n', ...node, ...args]);
  }

  async must(command: string, ...args: string[]): Promise<string> {
    return await mustRun('nsenter', this.#inside(command, ...args));
  }

  async run(command: string, ...args: string[]): Promise<Result> {
    return await run('nsenter', this.#inside(command, ...args));
  }

  /** Names of the containers that run, by the engine of this machine. */
  async containers(): Promise<string[]> {
    const names = await this.must('podman', 'ps', '--format', '{{.Names}}');
    return names.split('\n').filter((name) => name !== '');
  }

  /** Removes all that it made on the real machine, cgroups among it. */
  async remove(): Promise<void> {
    if (this.#pid > 0) await this.run(SKERRY, 'down', '--purge', '--data-dir', this.dataDir);
    await this.powerOff();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #inside(command: string, ...args: string[]): string[] {
    const env = [
      `CONTAINERS_STORAGE_CONF=${this.folder}/storage.conf`,
      `KUBECONFIG=${this.dataDir}/admin.kubeconfig`,
      `HOME=${this.folder}`,
    ];
    const namespaces = ['-t', String(this.#pid), '-m', '-n', '-u', '-i', '-p', '--wd=/'];
    return [...namespaces, 'env', ...env, command, ...args];
  }
}
