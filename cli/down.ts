import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { purgeAgent, stopAgentPods } from '../agent/down.ts';
import { declareCommand } from './command.ts';
import { asFailure, CommandFailure } from './command-failure.ts';
import { findLockHolder, type LockHolder } from './lock-holder.ts';
import { openLog } from './log.ts';
import { parseOptions } from './options.ts';
import { enabledUnits, installedUnits, stopUnit, unitOfProcess } from './service-unit.ts';

/** A program that was told to stop ends in 3 s; one that has not after this long hangs. */
const PATIENCE_MS = 10_000;

const DATA_DIR = '/var/lib/skerry';

/** All that a data directory holds. */
const DATA = ['master', 'agent', 'admin.kubeconfig', 'skerry.log'];

const OPTIONS = {
  'data-dir': {
    type: 'string',
    value: 'DIR',
    description: 'of the programs that are meant (/var/lib/skerry)',
  },
  purge: { type: 'boolean', description: 'remove it all, with the data' },
} as const;

export const down = declareCommand({
  synopsis: ['down [--data-dir DIR] [--purge]'],
  about: `Stops the programs that run on a data directory, by their units where they have some, and the containers of its pods; the next start
brings them back. With --purge it removes them instead, with their links, mounts, cgroups and the data directory's contents: nothing is
left, also when the programs were killed before. What is installed stays: \`./install.sh uninstall\` removes that too.`,
  options: OPTIONS,
  examples: [
    ['sudo skerry down', 'pods stop, and come back with the next start'],
    ['sudo skerry down --purge', 'as if it had never been here'],
  ],
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const dataDir = values['data-dir'] ?? DATA_DIR;
    if (process.getuid?.() !== 0)
      throw new CommandFailure('this needs root: run it again with sudo');
    try {
      const units = await stopPrograms([`${dataDir}/agent`, `${dataDir}/master`]);
      await (values.purge === true ? purge(dataDir, units) : stopPods(dataDir, units));
      return 0;
    } catch (error) {
      throw asFailure(error as Error);
    }
  },
});

/** `stopped` are the units that ran until now. An uninstall has disabled them before, and removes them next. */
async function purge(dataDir: string, stopped: readonly string[]): Promise<void> {
  const done = hasData(dataDir)
    ? `removed what ran on ${dataDir}, and its data`
    : nothingIn(dataDir);
  await purgeAgent(dataDir, openLog());
  for (const name of DATA) await rm(`${dataDir}/${name}`, { recursive: true, force: true });
  // What the user put there stays, and then so does the folder.
  await rmdir(dataDir).catch(() => {});
  const enabled = dataDir === DATA_DIR ? await enabledUnits() : [];
  process.stdout.write(`${done}\n${unitsThatStay([...new Set([...enabled, ...stopped])].sort())}`);
}

/** What to do with units whose data are gone: the next boot would start them with nothing to go on. A line, or nothing. */
export function unitsThatStay(units: readonly string[]): string {
  if (units.length === 0) return '';
  const names = units.map((unit) => unit.replace('.service', '')).join(' ');
  const them = units.length === 1 ? 'it' : 'them';
  return `still installed: ${units.join(', ')}; before the next boot: \`systemctl disable ${names}\` keeps ${them} off, \`install.sh master\` or \`agent\` sets ${them} up anew, \`install.sh uninstall\` removes ${them}\n`;
}

/** `stopped` are the units that ran until now; those that somebody stopped before are started the same way. */
async function stopPods(dataDir: string, stopped: readonly string[]): Promise<void> {
  if (!hasData(dataDir)) {
    process.stdout.write(`${nothingIn(dataDir)}\n`);
    return;
  }
  const count = await stopAgentPods(dataDir, openLog());
  const units = stopped.length === 0 && dataDir === DATA_DIR ? await installedUnits() : stopped;
  process.stdout.write(
    `${count} containers stopped; ${restartOf(units, dataDir)} starts them again\n`,
  );
}

function hasData(dataDir: string): boolean {
  return DATA.some((name) => existsSync(`${dataDir}/${name}`));
}

function nothingIn(dataDir: string): string {
  return `nothing of Skerry's is in ${dataDir}: nothing to do`;
}

function restartOf(units: readonly string[], dataDir: string): string {
  return units.length > 0
    ? `systemctl start ${units.join(' ')}, or the next boot,`
    : `skerry up --data-dir ${dataDir}`;
}

/** Answers the units that were stopped. `skerry up` holds both folders: it is told once. */
async function stopPrograms(folders: readonly string[]): Promise<string[]> {
  const holders = await Promise.all(folders.map((folder) => findLockHolder(folder)));
  const byPid = new Map(
    holders.flatMap((holder) => (holder === undefined ? [] : [[holder.pid, holder]])),
  );
  // Of all before any is stopped.
  await Promise.all([...byPid.values()].map(refuseStranger));
  const units = await Promise.all([...byPid.values()].map(stopProgram));
  return units.flatMap((unit) => unit ?? []);
}

async function refuseStranger(holder: LockHolder): Promise<void> {
  if (!(await holder.isProven())) {
    throw new CommandFailure(
      `a program that is not Skerry's holds the lock of the data directory, and names process ${holder.pid}, which is another: nothing was stopped; \`ss -xlp | grep /lock-\` says who it is, end that first`,
    );
  }
}

/** A program of a unit is stopped through it, or it would be started again at once; answers that unit. */
async function stopProgram(holder: LockHolder): Promise<string | undefined> {
  const unit = await unitOfProcess(holder.pid);
  if (unit !== undefined) {
    process.stdout.write(`stopping ${unit}\n`);
    await stopUnit(unit);
    await holder.ended;
    return unit;
  }
  process.stdout.write(`stopping process ${holder.pid}\n`);
  process.kill(holder.pid, 'SIGTERM');
  if (await endsWithin(holder.ended, PATIENCE_MS)) return undefined;
  process.stdout.write(
    `process ${holder.pid} did not stop within ${PATIENCE_MS / 1000} s and is killed\n`,
  );
  process.kill(holder.pid, 'SIGKILL');
  await holder.ended;
  return undefined;
}

async function endsWithin(ended: Promise<void>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  const first = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  return first;
}
