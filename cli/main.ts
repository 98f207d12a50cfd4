import type { Command } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { suggestion } from './nearest-word.ts';

/** Each command is loaded only when it is asked for: `skerry get` on a small device need not load a master. */
const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  up: {
    summary: 'run a master and an agent in one process',
    load: async () => (await import('./up.ts')).up,
  },
  master: { summary: 'run a master', load: async () => (await import('./master.ts')).master },
  agent: {
    summary: 'run an agent and join a master',
    load: async () => (await import('./agent.ts')).agent,
  },
  token: {
    summary: 'make the token that a device joins with',
    load: async () => (await import('./token.ts')).token,
  },
  apply: {
    summary: 'create or change the objects of a manifest',
    load: async () => (await import('./apply.ts')).apply,
  },
  check: {
    summary: 'look whether this machine is fit, and say what to do',
    load: async () => (await import('./check.ts')).check,
  },
  get: { summary: 'show objects', load: async () => (await import('./get.ts')).get },
  down: {
    summary: 'stop what `up` started, and with --purge remove it',
    load: async () => (await import('./down.ts')).down,
  },
  version: {
    summary: 'print the version',
    load: async () => (await import('./version.ts')).version,
  },
};

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = suggestion(name, Object.keys(COMMANDS));
    process.stderr.write(`skerry: unknown command "${name}"${near}; \`skerry help\` lists them\n`);
    return 2;
  }
  const command = await entry.load();
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.usage);
    return 0;
  }
  try {
    return await command.run(args);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    process.stderr.write(`skerry ${name}: ${error.message}\n`);
    return error.exitCode;
  }
}

function help(): string {
  const rows = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(9)} ${summary}\n`,
  );
  return `usage: skerry COMMAND [OPTION...]\n\n${rows.join('')}\n\`skerry COMMAND --help\` explains one.\n`;
}
