import { checkMachine, fixMemoryController, type PreflightReport } from '../agent/preflight.ts';
import { SKERRY_RELEASED } from '../shared/version.ts';
import { declareCommand } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { installedOptions } from './installed-options.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';

type Finding = PreflightReport['findings'][number];

const OPTIONS = {
  for: { type: 'string', value: 'ROLE', description: 'master, agent or both             (both)' },
  server: {
    type: 'string',
    value: 'URL',
    description: 'the master to join: its name, whether it answers, its time',
  },
  fix: {
    type: 'boolean',
    description: 'turn the memory controller on where cmdline.txt keeps it off; a backup is kept',
  },
  output: { type: 'string', short: 'o', value: 'json', description: 'for programs' },
  'data-dir': {
    type: 'string',
    value: 'DIR',
    description: 'where the state will lie (/var/lib/skerry)',
  },
  listen: {
    type: 'string',
    value: 'HOST:PORT',
    description: 'of the master                     (0.0.0.0:6443)',
  },
  'cluster-cidr': {
    type: 'string',
    value: 'CIDR',
    description: 'addresses of pods                 (10.42.0.0/16)',
  },
  'service-cidr': {
    type: 'string',
    value: 'CIDR',
    description: 'addresses of services             (10.43.0.0/16)',
  },
} as const;

type Told = Readonly<Record<string, string>>;

export const check = declareCommand({
  synopsis: ['check [--for master|agent|both] [--server URL] [--fix] [-o json]'],
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
    const role = values.for ?? 'both';
    if (role !== 'master' && role !== 'agent' && role !== 'both')
      throw new CommandFailure(`--for ${role}: expected master, agent or both`, 2);
    if (values.output !== undefined && values.output !== 'json')
      throw new CommandFailure(`unknown output "${values.output}": it is json, or absent`, 2);
    const isRoot = process.getuid?.() === 0;
    const master: Told = role === 'agent' ? {} : installedOptions('master');
    const agent: Told = role === 'master' ? {} : installedOptions('agent');
    // The master of a machine that is both is its own, and need not run yet.
    const server = values.server ?? (role === 'agent' ? agent['server'] : undefined);
    if (values.fix === true && !isRoot)
      throw new CommandFailure('--fix needs root: run it again with sudo');
    const look = () =>
      checkMachine(
        {
          dataDir: values['data-dir'] ?? master['dataDir'] ?? agent['dataDir'] ?? '/var/lib/skerry',
          server: server === undefined ? undefined : serverUrl(server),
          isRoot,
          nodeMajor: Number.parseInt(process.versions.node, 10),
          nowMs: Date.now,
        },
        {
          role,
          listenPort: portOf(values.listen ?? master['listen'] ?? '0.0.0.0:6443'),
          clusterCidr: values['cluster-cidr'] ?? master['clusterCidr'] ?? '10.42.0.0/16',
          serviceCidr: values['service-cidr'] ?? master['serviceCidr'] ?? '10.43.0.0/16',
          rangesKnown: role !== 'agent' || values['cluster-cidr'] !== undefined,
          releasedMs: Date.parse(SKERRY_RELEASED),
        },
      );
    let { findings } = await look();
    const isDue = values.fix === true && findings.some(({ fixable }) => fixable);
    const edit = isDue ? await fix() : undefined;
    if (edit !== undefined) ({ findings } = await look());
    const count = (severity: Finding['severity']) =>
      findings.filter((finding) => finding.severity === severity).length;
    const counts = { ok: count('ok'), warnings: count('warning'), errors: count('error') };
    process.stdout.write(
      values.output === 'json'
        ? `${JSON.stringify({ for: role, ...counts, ...(edit && { edited: edit }), findings }, null, 2)}\n`
        : printFindings(findings, counts, new Paint(process.stdout)),
    );
    if (edit !== undefined && values.output === undefined) {
      process.stdout.write(
        `${edit.path} now turns the memory controller on (as it was: ${edit.backup}); reboot for it\n`,
      );
    }
    return counts.errors === 0 ? 0 : 1;
  },
});

async function fix(): ReturnType<typeof fixMemoryController> {
  try {
    return await fixMemoryController();
  } catch (error) {
    throw new CommandFailure(
      `the kernel command line was left as it is: ${(error as Error).message}; is /boot mounted for writing? mount -o remount,rw /boot/firmware`,
    );
  }
}

/** What is not ok comes last, where the eye is when the command has ended. */
function printFindings(
  findings: readonly Finding[],
  counts: { ok: number; warnings: number; errors: number },
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
  return `${lines.join('')}${counts.ok} ok, ${counts.warnings} ${counts.warnings === 1 ? 'warning' : 'warnings'}, ${counts.errors} ${counts.errors === 1 ? 'error' : 'errors'}\n`;
}

function serverUrl(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:')
    throw new CommandFailure(`--server ${text}: expected https://HOST:PORT`, 2);
  return new URL(text).origin;
}

function portOf(listen: string): number {
  const port = Number(/:(\d+)$/.exec(listen)?.[1]);
  if (!Number.isInteger(port) || port > 65_535)
    throw new CommandFailure(`--listen ${listen}: expected HOST:PORT, for example 0.0.0.0:6443`, 2);
  return port;
}
