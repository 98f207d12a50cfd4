import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { sendSignal } from './proc.ts';

export interface CgroupLayout {
  /** `unified` is cgroup v2 alone; `hybrid` has v1 controllers and an empty v2 tree beside them; `legacy` has v1 only. */
  mode: 'unified' | 'hybrid' | 'legacy';
  /** Where each v1 controller is mounted. */
  controllers: ReadonlyMap<string, string>;
  /** Where the v2 tree is mounted. */
  unifiedRoot?: string;
}

/** The machine's cgroup mounts as they are now. */
export function detectCgroups(): CgroupLayout {
  return parseCgroupMounts(readFileSync('/proc/self/mounts', 'utf8'));
}

/** `mounts` is the text of /proc/self/mounts. */
export function parseCgroupMounts(mounts: string): CgroupLayout {
  const controllers = new Map<string, string>();
  let unifiedRoot: string | undefined;
  for (const line of mounts.split('\n')) {
    const [, target = '', type = '', options = ''] = line.split(' ');
    if (!target.startsWith('/sys/fs/cgroup')) continue;
    if (type === 'cgroup2') unifiedRoot ??= target;
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) {
      if (V1_CONTROLLERS.has(option) && !controllers.has(option)) controllers.set(option, target);
      if (option.startsWith('name=')) controllers.set(option, target);
    }
  }
  if (controllers.size === 0 && unifiedRoot !== undefined) {
    return { mode: 'unified', controllers, unifiedRoot };
  }
  if (unifiedRoot === undefined) return { mode: 'legacy', controllers };
  return { mode: 'hybrid', controllers, unifiedRoot };
}

const V1_CONTROLLERS = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'pids',
  'blkio',
  'devices',
  'freezer',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'rdma',
]);

/** The folder of `controller` for the cgroup `path` (`/skerry-…/pod…/…`), in either version. */
export function cgroupFolder(
  layout: CgroupLayout,
  controller: string,
  path: string,
): string | undefined {
  const root = layout.mode === 'unified' ? layout.unifiedRoot : layout.controllers.get(controller);
  return root === undefined ? undefined : join(root, path);
}

/** How many processes the kernel has killed for memory in this cgroup; undefined when it is gone or the kernel does not count. */
export function oomKillCount(layout: CgroupLayout, path: string): number | undefined {
  const folder = cgroupFolder(layout, 'memory', path);
  if (folder === undefined) return undefined;
  const file = layout.mode === 'unified' ? 'memory.events' : 'memory.oom_control';
  const count = readText(join(folder, file))?.match(/^oom_kill (\d+)$/m)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** Whether a limit of swap can be set; some kernels are built or started without its accounting. */
export function hasSwapLimit(layout: CgroupLayout): boolean {
  if (layout.mode === 'unified') return true;
  const folder = cgroupFolder(layout, 'memory', '/');
  return folder !== undefined && existsSync(join(folder, 'memory.memsw.limit_in_bytes'));
}

/**
 * Removes the cgroup `path` and what lies under it from every hierarchy, deepest first. A cgroup that still holds a process stays;
 * answers whether everything went.
 */
export function removeCgroupTree(layout: CgroupLayout, path: string): boolean {
  if (path === '' || path === '/' || path.includes('..')) {
    throw new Error(`not a cgroup to remove: ${path}`);
  }
  const roots = new Set(layout.controllers.values());
  if (layout.unifiedRoot !== undefined) roots.add(layout.unifiedRoot);
  let removed = true;
  for (const root of roots) removed = removeFolderTree(join(root, path)) && removed;
  return removed;
}

/** Names of the cgroups right under `path`, of every hierarchy. */
export function childCgroups(layout: CgroupLayout, path: string): string[] {
  const roots = new Set(layout.controllers.values());
  if (layout.unifiedRoot !== undefined) roots.add(layout.unifiedRoot);
  return [...new Set([...roots].flatMap((root) => childFolders(join(root, path))))];
}

/**
 * As removeCgroupTree, for a cgroup whose last processes are on their way out: waits for them up to `patienceMs`, then kills what is left.
 * Answers whether everything went.
 */
export async function clearCgroupTree(
  layout: CgroupLayout,
  path: string,
  patienceMs: number,
): Promise<boolean> {
  const steps = Math.ceil(patienceMs / CLEAR_STEP_MS);
  for (let step = 0; step < steps * 2; step += 1) {
    if (removeCgroupTree(layout, path)) return true;
    if (step >= steps) for (const pid of processesIn(layout, path)) sendSignal(pid, 'SIGKILL');
    await setTimeout(CLEAR_STEP_MS);
  }
  return removeCgroupTree(layout, path);
}

const CLEAR_STEP_MS = 20;

/** Pids in the cgroup `path` and everything under it. */
function processesIn(layout: CgroupLayout, path: string): number[] {
  const roots = new Set(layout.controllers.values());
  if (layout.unifiedRoot !== undefined) roots.add(layout.unifiedRoot);
  const pids = new Set<number>();
  for (const root of roots) collectPids(join(root, path), pids);
  return [...pids];
}

function collectPids(folder: string, pids: Set<number>): void {
  for (const line of readText(join(folder, 'cgroup.procs'))?.split('\n') ?? []) {
    if (line !== '' && line !== '0') pids.add(Number(line));
  }
  for (const child of childFolders(folder)) collectPids(join(folder, child), pids);
}

function childFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

function removeFolderTree(folder: string): boolean {
  let removed = true;
  for (const child of childFolders(folder))
    removed = removeFolderTree(join(folder, child)) && removed;
  try {
    rmdirSync(folder);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && removed;
  }
  return removed;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
