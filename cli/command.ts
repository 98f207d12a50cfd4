/** What a command module exports: its help and what it does; the number is the exit code. */
export interface Command {
  usage: string;
  /** What completion and manual are made of; absent: `usage` is all there is. */
  declaration?: CommandDeclaration;
  run(args: string[]): Promise<number>;
}

/** An option as util.parseArgs takes it, with what people read of it. */
export interface OptionDeclaration {
  type: 'string' | 'boolean';
  short?: string;
  multiple?: boolean;
  /** What stands for the value: `NAMESPACE`. */
  value?: string;
  description: string;
}

export type OptionDeclarations = Readonly<Record<string, OptionDeclaration>>;

/** A command told once: parsing, `--help`, completion and manual are made of it. */
export interface CommandDeclaration {
  /** Each way to call it, without the word skerry: `logs [-f] POD`. */
  synopsis: readonly string[];
  /** What it does, in whole sentences; lines end where they should. */
  about: string;
  options: OptionDeclarations;
  /** Commands with what they are for; '' says nothing. */
  examples: readonly (readonly [command: string, purpose: string])[];
  /** When it ends with which code, where that is more than 0 done, 1 failed, 2 wrong call. */
  exitCodes?: string;
  run(args: string[]): Promise<number>;
}

/** The options of every command that asks a master. */
export const KUBECONFIG_OPTION = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    description: 'how to reach the cluster; else $KUBECONFIG, else the one of this machine',
  },
} as const;

export const NAMESPACE_OPTION = {
  namespace: { type: 'string', short: 'n', value: 'NAMESPACE', description: 'default if absent' },
} as const;

export function declareCommand(declaration: CommandDeclaration): Command {
  return { usage: usageText(declaration), declaration, run: declaration.run };
}

const EXIT_CODES = '0 done, 1 failed, 2 wrong call';

function usageText({ synopsis, about, options, examples, exitCodes }: CommandDeclaration): string {
  const calls = synopsis.map(
    (call, index) => `${index === 0 ? 'usage:' : '      '} skerry ${call}`,
  );
  const rows = Object.entries(options).map(([name, option]) => [
    optionText(name, option),
    option.description,
  ]);
  const width = Math.max(0, ...rows.map(([left = '']) => left.length));
  const optionLines = rows.map(([left = '', right]) => `  ${left.padEnd(width)}  ${right}`);
  const longest = Math.max(0, ...examples.map(([command]) => command.length));
  const exampleLines = examples.map(([command, purpose]) =>
    purpose === '' ? `  ${command}` : `  ${command.padEnd(longest)}   # ${purpose}`,
  );
  const sections = [
    calls.join('\n'),
    about.trim(),
    optionLines.join('\n'),
    exampleLines.length === 0 ? '' : `examples:\n${exampleLines.join('\n')}`,
    `exit codes: ${exitCodes ?? EXIT_CODES}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function optionText(name: string, { short, value }: OptionDeclaration): string {
  const long = `--${name}${value === undefined ? '' : ` ${value}`}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}
