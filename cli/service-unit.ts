import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const UNIT = /\/(skerry-(?:master|agent)\.service)$/m;

/** The one whose program serves the API. */
export const MASTER_UNIT = 'skerry-master.service';

/** The unit of ours that a process is part of, from its /proc/PID/cgroup (cgroups(7)); undefined: it was started by hand. */
export function unitOf(cgroups: string): string | undefined {
  return UNIT.exec(cgroups)?.[1];
}

/** The unit of ours under which this process runs; undefined: none. */
export async function unitOfProcess(pid: number): Promise<string | undefined> {
  return unitOf(await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => ''));
}

/** The units of ours that are installed on this machine, running or not. */
export async function installedUnits(folder = '/usr/lib/systemd/system'): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => unitOf(`0::/${name}\n`) !== undefined).sort();
}

/** Those that the next boot starts (`[Install]` of the units: multi-user.target). */
export async function enabledUnits(
  folder = '/etc/systemd/system/multi-user.target.wants',
): Promise<string[]> {
  return await installedUnits(folder);
}

/** Stops a unit, so that it is not started again before the next boot; resolves when it has stopped. */
export async function stopUnit(unit: string): Promise<void> {
  await promisify(execFile)('systemctl', ['stop', unit]);
}
