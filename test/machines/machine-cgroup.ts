import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/**
 * The cgroup `name` (a path of one or two parts) in every hierarchy of this host: the machine's root, so that two machines never meet
 * and nothing of one outlives it. Answers the `cgroup.procs` files which a process writes itself into.
 */
export function makeCgroup(name: string): string[] {
  return hierarchies().map((hierarchy) => {
    const folder = join(hierarchy, name);
    mkdirSync(folder, { recursive: true });
    inheritCpus(hierarchy, name);
    return join(folder, 'cgroup.procs');
  });
}

/** Removes it with everything in it; its processes must have ended. */
export function removeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) removeBelow(join(hierarchy, name));
}

/** The roots of this host's cgroup hierarchies: one, or with the old version many. */
export function hierarchies(): string[] {
  if (existsSync(join(ROOT, 'cgroup.procs'))) return [ROOT];
  return readdirSync(ROOT)
    .map((name) => join(ROOT, name))
    .filter((folder) => existsSync(join(folder, 'cgroup.procs')));
}

/** A cpuset of the old hierarchy takes no process before it has processors and memory nodes. */
function inheritCpus(hierarchy: string, name: string): void {
  let folder = hierarchy;
  for (const part of name.split('/')) {
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      const own = join(folder, part, file);
      if (existsSync(own) && existsSync(join(folder, file)) && readFileSync(own, 'utf8') === '\n') {
        writeFileSync(own, readFileSync(join(folder, file), 'utf8'));
      }
    }
    folder = join(folder, part);
  }
}

function removeBelow(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeBelow(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch (error) {
    // A process that is on its way out holds it for a moment; the next bed sweeps what stays.
    if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
  }
}
