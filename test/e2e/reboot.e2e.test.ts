import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Loose, SAMPLE, SKERRY } from './cluster.ts';
import { Program } from './program.ts';
import { mustRun, run } from './run.ts';

/**
 * A machine of namespaces of its own: processes, mounts, network, /run and /dev/shm end with it, as when the power fails; what is on
 * the disk stays. Images are those of the real machine.
 */
class Machine {
  readonly folder = mkdtempSync(join(tmpdir(), 'skerry-reboot-'));
  readonly dataDir = join(this.folder, 'data');
  #holder: Program | undefined;
  #pid = 0;

  constructor() {
    const storage = [
      ...['[storage]', 'driver = "overlay"', `graphroot = "${this.folder}/graph"`],
      ...['runroot = "/run/containers/storage"', '[storage.options]'],
      'additionalimagestores = ["/var/lib/containers/storage"]',
    ];
    writeFileSync(join(this.folder, 'storage.conf'), `${storage.join('\n')}\n`);
  }

  /** The kernel's own boot_id stays the same: a file lies over it. */
  async powerOn(): Promise<void> {
    const bootId = join(this.folder, 'boot_id');
    writeFileSync(bootId, `${randomUUID()}\n`);
    const script = `set -e; mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev/shm; ip link set lo up
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
    const args = this.#inside(SKERRY, role, '--data-dir', this.dataDir, ...options);
    const program = new Program('nsenter', args);
    await program.line(/^ready: /m);
    return program;
  }

  async must(command: string, ...args: string[]): Promise<string> {
    return await mustRun('nsenter', this.#inside(command, ...args));
  }

  async pods(): Promise<Loose[]> {
    const items = JSON.parse(
      await this.must('kubectl', '-n', 'sample', 'get', 'pods', '-o', 'json'),
    );
    return items.items;
  }

  /** Names of the containers that run, by the engine of this machine. */
  async containers(): Promise<string[]> {
    const names = await this.must('podman', 'ps', '--format', '{{.Names}}');
    return names.split('\n').filter((name) => name !== '');
  }

  async remove(): Promise<void> {
    await run('nsenter', this.#inside(SKERRY, 'down', '--purge', '--data-dir', this.dataDir));
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

const MASTER = ['--listen', '127.0.0.1:6443', '--cluster-cidr', '10.158.0.0/16'];

describe('a machine that loses its power', () => {
  const machine = new Machine();

  beforeAll(async () => {
    await machine.powerOn();
    await machine.start('up', ...MASTER);
    await machine.must('kubectl', 'apply', '-f', SAMPLE);
    for (const name of ['front', 'back']) {
      const rollout = ['-n', 'sample', 'rollout', 'status', `deploy/${name}`, '--timeout=60s'];
      await machine.must('kubectl', ...rollout);
    }
  });

  afterAll(async () => {
    await machine.remove();
  });

  it('brings its pods back by itself, without a master, at the same addresses', async () => {
    const before = new Map((await machine.pods()).map((pod) => [pod.metadata.uid, pod]));
    expect(before.size).toBe(3);
    await machine.powerOff();
    await machine.powerOn();
    expect(await machine.containers()).toEqual([]);

    await machine.start('agent');
    await expect.poll(() => machine.containers(), { timeout: 30_000 }).toHaveLength(5);
    const started = await machine.containers();
    expect(started.every((name) => name.endsWith('-1'))).toBe(true);

    await machine.start('master', ...MASTER);
    const isReported = ({ status }: Loose) =>
      status.containerStatuses.every((one: Loose) => one.ready && one.restartCount === 1);
    await expect
      .poll(async () => (await machine.pods()).filter(isReported).length, { timeout: 60_000 })
      .toBe(3);
    for (const { metadata, status } of await machine.pods()) {
      const was = before.get(metadata.uid);
      expect(status.podIP).toBe(was.status.podIP);
      for (const { lastState, containerID } of status.containerStatuses) {
        expect(lastState.terminated).toMatchObject({ exitCode: 255, reason: 'Unknown' });
        expect(JSON.stringify(was.status)).not.toContain(containerID);
      }
    }
  });
});
