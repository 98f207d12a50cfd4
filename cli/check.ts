import {
  checkMachine,
  fixMemoryController,
  type PreflightAim,
  type PreflightReport,
} from '../agent/preflight.ts';
import { formatCidr } from '../shared/meta/cidr.ts';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { flagOf, type OptionTable } from '../shared/options/option.ts';
import { JOIN_OPTIONS, MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { type GivenOptions, givenAsFlags, readOptions } from '../shared/options/read-options.ts';
import { SKERRY_RELEASED } from '../shared/version.ts';
import { declareCommand } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { installedOptions } from './installed-options.ts';
import { DATA_OUTPUT_OPTION, printData, readDataOutput } from './object-output.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';
import { declarationsOf, orWrongCall } from './program-options.ts';

type Finding = PreflightReport['findings'][number];

/** What a machine would be told, by these options or by the files of an installation. */
const TOLD = {
  dataDir: { ...MASTER_OPTIONS.dataDir, description: 'where the state will lie' },
  server: {
    ...JOIN_OPTIONS.server,
    description: 'the master to join: its name, whether it answers, its time',
    otherwise: 'none',
  },
  listen: { ...MASTER_OPTIONS.listen, description: 'of the master' },
  clusterCidr: MASTER_OPTIONS.clusterCidr,
  serviceCidr: MASTER_OPTIONS.serviceCidr,
} as const satisfies OptionTable;

const OPTIONS = {
  for: { type: 'string', value: 'master|agent|both', description: 'what it will be (both)' },
  fix: {
    type: 'boolean',
    description: 'turn the memory controller on where cmdline.txt keeps it off; a backup is kept',
  },
  ...declarationsOf(TOLD),
  ...DATA_OUTPUT_OPTION,
} as const;

type Role = PreflightAim['role'];

export const check = declareCommand({
  synopsis: ['check [--for master|agent|both] [--server URL] [--fix] [-o json|yaml]'],
  about: `Looks whether this machine can be a master or run pods: kernel, cgroups, container engine, tools, disk, clock, ports, addresses, and
the way to the master. Says of what is not well why it matters and what to do. Changes nothing without --fix. What it is not told it takes
from /etc/skerry, where Skerry is installed.`,
  options: OPTIONS,
  examples: [
    ['sudo skerry check', 'before installing a master that also runs pods'],
    ['sudo skerry check --for agent --server https://192.168.1.10:6443', 'before a device joins'],
    ['sudo skerry check --fix', 'and edit cmdline.txt of a Raspberry Pi, if that is due'],
    ['skerry check -o json | jq \'.findings[] | select(.severity != "ok")\'', ''],
  ],
  exitCodes: '0 nothing worse than warnings, 1 at least one error, 2 wrong call',
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const role = readRole(values.for ?? 'both');
    const output = readDataOutput(values.output);
    // A user's own PATH lacks what only root can use, such as nft.
    process.env['PATH'] = `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin`;
    const isRoot = process.getuid?.() === 0;
    if (values.fix === true && !isRoot)
      throw new CommandFailure('--fix needs root: run it again with sudo');
    const look = () => checkMachine(...subject(role, values, isRoot));
    let { findings } = await look();
    const isDue = values.fix === true && findings.some(({ fixable }) => fixable);
    const edit = isDue ? await fix() : undefined;
    if (edit !== undefined) ({ findings } = await look());
    const counts = countFindings(findings);
    if (output === undefined) {
      process.stdout.write(printFindings(findings, counts, new Paint(process.stdout)));
      if (values.fix === true) process.stdout.write(`${editText(edit)}\n`);
    } else {
      const report = { for: role, ...counts, ...(edit && { edited: edit }), findings };
      process.stdout.write(printData(JSON.parse(JSON.stringify(report)) as JsonObject, output));
    }
    return counts.errors === 0 ? 0 : 1;
  },
});

function readRole(text: string): Role {
  if (text === 'master' || text === 'agent' || text === 'both') return text;
  throw new CommandFailure(`--for ${text}: expected master, agent or both`, 2);
}

/** What is looked at, and what for. Throws CommandFailure for what cannot be right. */
function subject(
  role: Role,
  values: Readonly<Record<string, string | boolean | undefined>>,
  isRoot: boolean,
): Parameters<typeof checkMachine> {
  const flags = givenAsFlags(
    TOLD,
    Object.fromEntries(
      Object.keys(TOLD).map((key) => [key, values[flagOf(key).slice(2)] as string]),
    ),
  );
  const master = role === 'agent' ? {} : installedOptions('master');
  const { server, ...agent }: GivenOptions = role === 'master' ? {} : installedOptions('agent');
  // The master of a machine that is both is its own, and need not run yet.
  const given: GivenOptions = {
    ...agent,
    ...master,
    ...(role === 'agent' && server && { server }),
    ...flags,
  };
  const told = orWrongCall(() => readOptions(TOLD, given));
  const { dataDir, listen, clusterCidr, serviceCidr } = told;
  return [
    {
      dataDir,
      server: told.server,
      isRoot,
      nodeMajor: Number.parseInt(process.versions.node, 10),
      nowMs: Date.now,
    },
    {
      role,
      listenPort: listen.port,
      clusterCidr: formatCidr(clusterCidr),
      serviceCidr: formatCidr(serviceCidr),
      rangesKnown: role !== 'agent' || given['clusterCidr'] !== undefined,
      releasedMs: Date.parse(SKERRY_RELEASED),
    },
  ];
}

async function fix(): ReturnType<typeof fixMemoryController> {
  try {
    return await fixMemoryController();
  } catch (error) {
    throw new CommandFailure(
      `the kernel command line was left as it is: ${(error as Error).message}; is /boot mounted for writing? mount -o remount,rw /boot/firmware`,
    );
  }
}

function editText(edit: Awaited<ReturnType<typeof fix>>): string {
  if (edit === undefined) return 'there is nothing here that --fix mends: no file was changed';
  return `${edit.path} now turns the memory controller on (as it was: ${edit.backup}); reboot for it`;
}

type Counts = ReturnType<typeof countFindings>;

function countFindings(findings: readonly Finding[]) {
  const count = (severity: Finding['severity']) =>
    findings.filter((finding) => finding.severity === severity).length;
  return { ok: count('ok'), warnings: count('warning'), errors: count('error') };
}

/** What is not ok comes last, where the eye is when the command has ended. */
function printFindings(
  findings: readonly Finding[],
  { ok, warnings, errors }: Counts,
  paint: Paint,
): string {
  const marks = {
    ok: paint.green('ok      '),
    warning: paint.yellow('warning '),
    error: paint.red('error   '),
  };
  const rank = { ok: 0, warning: 1, error: 2 } as const;
  const sorted = [...findings].sort((left, right) => rank[left.severity] - rank[right.severity]);
  const lines = sorted.map(({ id, severity, found, why, remedy }) => {
    const head = `${marks[severity]} ${id.padEnd(18)} ${found}\n`;
    const more = severity === 'ok' ? [] : [`why: ${why}`, `do:  ${remedy}`];
    return head + more.map((line) => `${' '.repeat(28)}${paint.dim(line)}\n`).join('');
  });
  const total = `${ok} ok, ${numbered(warnings, 'warning')}, ${numbered(errors, 'error')}`;
  return `${lines.join('')}${total}\n`;
}

function numbered(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
