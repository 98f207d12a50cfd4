import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../e2e/run.ts';
import { Bed } from './bed.ts';
import type { Machine } from './machine.ts';
import { MEDIA, makeReleases } from './releases.ts';

/** A bed with releases to install from, those of the test run or else its own, and kubectl outside the machines. */
export class InstalledBed {
  readonly bed = new Bed();
  readonly #media = process.env['SKERRY_E2E_MEDIA'] ?? join(this.bed.folder, 'media');
  #kubeconfig = '';

  async open(): Promise<void> {
    await this.bed.open();
    if (!existsSync(this.#media)) await makeReleases(this.#media);
  }

  async close(): Promise<void> {
    await this.bed.close();
  }

  /** A machine that has the sample's image, and nothing of Skerry. */
  async machine(name: string): Promise<Machine> {
    const machine = await this.bed.machine(name, { [MEDIA]: this.#media });
    await machine.must(`podman load -q -i ${MEDIA}/sample.tar`);
    return machine;
  }

  /** Installs a master, with an agent, from the unpacked release `from`; answers what install.sh said. */
  async master(machine: Machine, from = 'this', options = ''): Promise<string> {
    const said = await machine.must(`${MEDIA}/${from}/install.sh master ${options}`);
    const kubeconfig = await machine.must('cat /etc/skerry/admin.kubeconfig');
    mkdirSync(join(this.bed.folder, 'home'), { recursive: true });
    this.#kubeconfig = join(this.bed.folder, 'home', 'kubeconfig');
    // It names the master as that machine itself reaches it.
    const outside = kubeconfig.replace('127.0.0.1', machine.address);
    writeFileSync(this.#kubeconfig, outside, { mode: 0o600 });
    return said;
  }

  /** kubectl on this host, on the machines' network; its standard output. */
  async kubectl(line: string, stdin = ''): Promise<string> {
    const env = {
      ...process.env,
      HOME: join(this.bed.folder, 'home'),
      KUBECONFIG: this.#kubeconfig,
    };
    return await mustRun(...this.bed.fabric.inside('kubectl', line.split(' ')), { env, stdin });
  }
}

/** The ids of all containers that run on a machine, sorted. */
export async function containersOf(machine: Machine): Promise<string[]> {
  return (await machine.must('podman ps -q --no-trunc')).split('\n').filter(Boolean).sort();
}

/** The command that a master printed for the next device, as it stands there. */
export function joinCommand(said: string): string {
  const found = /^ {2}(\.\/install\.sh agent --server .*)$/m.exec(said)?.[1];
  if (found === undefined) throw new Error(`no join command in:\n${said}`);
  return found;
}
