import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { baseRoot, MACHINES_CACHE } from './base-root.ts';
import { Fabric } from './fabric.ts';
import { Machine } from './machine.ts';
import { hierarchies, removeCgroup } from './machine-cgroup.ts';

/**
 * Machines with systemd on one bridge, with no way to anything else. What a bed makes on this host are its processes, the network
 * namespace and the cgroups `skerry-bed-PID`, and the folder of that name: `close()` removes them, and the next bed what a killed
 * one left.
 */
export class Bed {
  readonly fabric: Fabric;
  /** Of this bed: goes with it. */
  readonly folder: string;
  readonly #name: string;
  readonly #machines = new Map<string, Machine>();
  #base = '';

  constructor(pid = process.pid) {
    this.#name = `skerry-bed-${pid}`;
    this.folder = join(MACHINES_CACHE, this.#name);
    this.fabric = new Fabric(this.#name);
  }

  async open(): Promise<void> {
    await sweep();
    this.#base = await baseRoot();
    mkdirSync(this.folder, { recursive: true });
    await this.fabric.start();
  }

  /** A new machine, switched on. `shares` are folders of this host that it sees read-only, by where it sees them. */
  async machine(name: string, shares: Record<string, string> = {}): Promise<Machine> {
    const machine = new Machine({
      name,
      address: `192.168.77.${11 + this.#machines.size}`,
      base: this.#base,
      folder: join(this.folder, name),
      shares,
      cgroup: `${this.#name}/${name}`,
      fabric: this.fabric,
    });
    this.#machines.set(name, machine);
    machine.prepare();
    await machine.boot();
    return machine;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#machines.values()].map((machine) => machine.powerOff()));
    await this.#remove();
  }

  async #remove(): Promise<void> {
    await this.fabric.stop();
    removeCgroup(this.#name);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Removes what a bed of a process that is no more has left; its machines ended with their supervisors. */
  async removeLeft(): Promise<void> {
    await this.#remove();
  }
}

/** What is named after a process that is no more: folders, namespaces, and cgroups that a process on its way out held. */
async function sweep(): Promise<void> {
  const places = [MACHINES_CACHE, '/run/netns', ...hierarchies()].filter(existsSync);
  for (const name of new Set(places.flatMap((place) => readdirSync(place)))) {
    const [, kind, pid = ''] = /^skerry-(bed|media)-(\d+)$/.exec(name) ?? [];
    if (kind === undefined || existsSync(`/proc/${pid}`)) continue;
    if (kind === 'bed') await new Bed(Number(pid)).removeLeft();
    else rmSync(join(MACHINES_CACHE, name), { recursive: true, force: true });
  }
}
