// What is told once in the tables of commands and options, as the files that people read: examples, reference, completion, manual.
import type { CommandDeclaration } from '../cli/command.ts';
import { COMMANDS } from '../cli/commands.ts';
import { flagOf, type OptionRow, type OptionTable, variableOf } from '../shared/options/option.ts';
import {
  AGENT_OPTIONS,
  JOIN_OPTIONS,
  LOG_OPTIONS,
  MASTER_OPTIONS,
} from '../shared/options/program-options.ts';
import { CATALOG } from '../shared/resources/catalog.ts';

interface DocumentedCommand {
  name: string;
  summary: string;
  declaration: CommandDeclaration | undefined;
}

const PROGRAMS = {
  master: { ...MASTER_OPTIONS, ...LOG_OPTIONS },
  agent: { ...JOIN_OPTIONS, ...AGENT_OPTIONS, ...LOG_OPTIONS },
} as const satisfies Record<string, OptionTable>;

/** Each generated file, by its path in the repository. */
export async function documents(): Promise<Map<string, string>> {
  const commands = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, { summary, load }]) => {
      const { declaration } = await load();
      return { name, summary, declaration };
    }),
  );
  return new Map([
    ['config/master.yaml', exampleFile('master', PROGRAMS.master)],
    ['config/agent.yaml', exampleFile('agent', PROGRAMS.agent)],
    ['docs/reference/config.md', reference()],
    ['completion/skerry.bash', bashCompletion(commands)],
    ['man/skerry.1', manualPage(commands)],
  ]);
}

// --- /etc/skerry ------------------------------------------------------------------------------------------------------------

function exampleFile(program: string, table: OptionTable): string {
  const entries = Object.entries(table).map(([key, row]) => {
    const lines = [`# ${sentence(row.description)} ${expectation(row)}`];
    if (row.secret) lines.push('# With it this file must be readable by root alone: chmod 600.');
    const value = row.installed ?? row.default ?? row.type.placeholder;
    lines.push(`${row.installed === undefined ? '#' : ''}${key}: ${value}`);
    return lines.join('\n');
  });
  return `# What skerry-${program} is told. A variable (SKERRY_DATA_DIR for dataDir) goes before what stands here, a flag before both.
# After a change: systemctl restart skerry-${program}. docs/reference/config.md has the same as a table.

${entries.join('\n\n')}
`;
}

function expectation(row: OptionRow): string {
  const absent = row.default ?? row.otherwise;
  const without = absent === undefined ? '' : ` Without it: ${absent}.`;
  return `Expected: ${row.type.expected}.${without}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

// --- docs/reference/config.md -----------------------------------------------------------------------------------------------

function reference(): string {
  const sections = Object.entries(PROGRAMS).map(
    ([program, table]) => `## ${program}

\`skerry ${program}\`; in an installation the service \`skerry-${program}\`, with \`/etc/skerry/${program}.yaml\`.

| key | flag | variable | expected | without it | what |
|---|---|---|---|---|---|
${Object.entries(table)
  .map(([key, row]) => referenceRow(key, row))
  .join('\n')}
`,
  );
  return `# Options of the programs

Made of the tables in \`shared/options/program-options.ts\` by \`npx tsx .ci/generate-documents.ts\`: not to be edited.

Each option is a flag, a variable of the environment, and a key of the YAML file that \`--config FILE\` (or \`SKERRY_CONFIG\`) names. What
is said in several places: the flag goes first, then the variable, then the file, then the default. An empty variable says nothing.
\`skerry up\` takes the options of both programs but those of joining.

The file is a mapping of keys to single values. A key that is not known, is there twice or has a value that cannot be right ends the
program with exit code 2 and one sentence that names file, line, key and what was expected. Paths in it begin with \`/\`; a relative path
in a flag or variable begins where the command is called. A token in the file is taken only if nobody else can read the file.

The service of the master may write only below \`/var/lib/skerry/master\`: another \`dataDir\` or \`kubeconfig\` also needs
\`systemctl edit skerry-master\` with \`[Service]\` and \`ReadWritePaths=FOLDER\`.

${sections.join('\n')}`;
}

function referenceRow(key: string, row: OptionRow): string {
  const flag = `${flagOf(key)} ${row.type.placeholder}`;
  const absent = row.default === undefined ? (row.otherwise ?? '') : `\`${row.default}\``;
  const cells = [
    `\`${key}\``,
    `\`${flag}\``,
    `\`${variableOf(key)}\``,
    row.type.expected,
    absent,
    row.description,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

// --- completion -------------------------------------------------------------------------------------------------------------

function bashCompletion(commands: readonly DocumentedCommand[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completion of skerry for bash. Made by .ci/generate-documents.ts: not to be edited.
# shellcheck shell=bash

_skerry_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_skerry_files() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word"); }
_skerry_folders() { compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word"); }

_skerry() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [ "$COMP_CWORD" = 1 ]; then
    _skerry_words '${names} help'
    return
  fi
  case \${COMP_WORDS[1]} in
${commands.map(commandCompletion).join('')}    help) [ "$COMP_CWORD" != 2 ] || _skerry_words '${names}' ;;
  esac
}

complete -F _skerry skerry
`;
}

function commandCompletion({ name, declaration }: DocumentedCommand): string {
  if (declaration === undefined) return '';
  const options = Object.entries(declaration.options);
  const cases = new Map<string, string[]>();
  for (const [flag, { type, short, value = '' }] of options) {
    if (type === 'boolean') continue;
    const names = short === undefined ? [`--${flag}`] : [`--${flag}`, `-${short}`];
    cases.set(completer(value), [...(cases.get(completer(value)) ?? []), ...names]);
  }
  const flags = [...options.map(([flag]) => `--${flag}`), '--help'].join(' ');
  const words = firstWords(name, declaration);
  const rest =
    words.length === 0
      ? `_skerry_words '${flags}'`
      : `if [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then _skerry_words '${words.join(' ')}'; else _skerry_words '${flags}'; fi`;
  return `    ${name})
      case $before in
${[...cases, [rest, ['*']] as const].map(([action, names]) => `        ${names.join(' | ')}) ${action} ;;\n`).join('')}      esac
      ;;
`;
}

/** The words that a command begins with: its own, as in \`token create\`, or the kinds of objects. */
function firstWords(name: string, { synopsis }: CommandDeclaration): string[] {
  if (synopsis.some((call) => call.startsWith(`${name} KIND`))) return CATALOG.map(({ plural }) => plural);
  const seconds = synopsis.flatMap((call) => {
    const [, second = ''] = new RegExp(`^${name} ([a-z|-]+)(?: |$)`).exec(call) ?? [];
    return second.startsWith('-') ? [] : second.split('|').filter((word) => word !== '');
  });
  return [...new Set(seconds)];
}

function completer(value: string): string {
  if (value === 'FILE') return '_skerry_files';
  if (value === 'DIR') return '_skerry_folders';
  return /^[a-z]+(\|[a-z]+)*$/.test(value) ? `_skerry_words '${value.replaceAll('|', ' ')}'` : ':';
}

// --- manual -----------------------------------------------------------------------------------------------------------------

function manualPage(commands: readonly DocumentedCommand[]): string {
  return `.\\" Made by .ci/generate-documents.ts: not to be edited.
.TH SKERRY 1 "" "Skerry" "Skerry"
.SH NAME
skerry \\- containers on small devices, the way Kubernetes runs them
.SH SYNOPSIS
.B skerry
.I COMMAND
[\\fIOPTION\\fR...]
.SH DESCRIPTION
A master keeps what should run and serves the Kubernetes API; an agent on each device makes it true, also when the master cannot be
reached. The services of an installation are skerry\\-master and skerry\\-agent.
.SH COMMANDS
${commands.map(commandSection).join('')}.SH CONFIGURATION
Each option of up, master and agent is also a variable of the environment, and a key of the YAML file that \\fB\\-\\-config\\fR names:
\\fB\\-\\-data\\-dir\\fR, \\fBSKERRY_DATA_DIR\\fR, \\fBdataDir\\fR.
The flag goes before the variable, the variable before the file.
.SH FILES
.TP
.I /etc/skerry/master.yaml, /etc/skerry/agent.yaml
what the services are told
.TP
.I /etc/skerry/admin.kubeconfig
how to reach the cluster as its administrator
.TP
.I /var/lib/skerry
the state of master and agent
.TP
.I /run/skerry
sockets, locks and namespaces
.SH EXIT STATUS
0 done, 1 failed, 2 wrong call or configuration; a command that has others says so above.
`;
}

function commandSection({ name, summary, declaration }: DocumentedCommand): string {
  if (declaration === undefined) return `.SS ${name}\n${text(summary)}\n`;
  const { synopsis, about, options, examples, exitCodes } = declaration;
  const calls = synopsis.map((call) => `.B skerry ${text(call)}\n.br\n`).join('');
  const rows = Object.entries(options).map(([flag, { short, value, description }]) => {
    const names = short === undefined ? `--${flag}` : `-${short}, --${flag}`;
    const shown = value === undefined ? '' : ` \\fI${text(value)}\\fR`;
    return `.TP\n\\fB${text(names)}\\fR${shown}\n${text(description.replaceAll(/ {2,}/g, ' '))}\n`;
  });
  const shownExamples = examples.map(
    ([command, purpose]) => `${text(command)}${purpose === '' ? '' : text(`   # ${purpose}`)}\n`,
  );
  return `.SS ${name}
${calls}.PP
${text(about.trim())}
${rows.join('')}${exitCodes === undefined ? '' : `.PP\nExit status: ${text(exitCodes)}.\n`}${
    shownExamples.length === 0 ? '' : `.PP\n\\fBExamples\\fR\n.nf\n${shownExamples.join('')}.fi\n`
  }`;
}

/** As roff takes it: a hyphen that can be copied, no escapes, no line that is a request. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(/^([.'])/gm, '\\&$1');
}
