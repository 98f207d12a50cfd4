import { CommandFailure, Refusal, SeveralFailures } from './command-failure.ts';
import { COMMANDS } from './commands.ts';
import { isJournal } from './log.ts';
import { suggestion } from './nearest-word.ts';

// Small Buffers are slices of a pool, which lives as long as any of them, and mqtt-packet keeps one for each length of a message that it
// has written: with the 64 KiB of Node.js 24 a program that runs for weeks would hold many megabytes.
Buffer.poolSize = 4096;

// `skerry get pods | head`: whoever read has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  process.stderr.write(`skerry: the output cannot be written: ${error.message}\n`);
  process.exit(1);
});
// A log on a full disk: the pods are worth more than what would be said of them.
process.stderr.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));

async function main([first, ...args]: string[]): Promise<number> {
  const name = first?.replace(/^(-v|--version)$/, 'version');
  if (name === 'help' && args[0] !== undefined) return await main([args[0], '--help']);
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(help());
    return name === undefined ? 2 : 0;
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) {
    const near = suggestion(name, Object.keys(COMMANDS)) || '; `skerry help` lists them';
    process.stderr.write(`skerry: unknown command "${name}"${near}\n`);
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
    report(name, error);
    return error.exitCode;
  }
}

function report(name: string, failure: CommandFailure): void {
  const priority = isJournal(process.stderr, process.env) ? '<3>' : '';
  for (const one of failure instanceof SeveralFailures ? failure.each : [failure]) {
    const speaker = one instanceof Refusal ? '' : `skerry ${name}: `;
    process.stderr.write(`${priority}${speaker}${one.message}\n`);
  }
}

function help(): string {
  const rows = Object.entries(COMMANDS).map(
    ([name, { summary }]) => `  ${name.padEnd(9)} ${summary}\n`,
  );
  return `usage: skerry COMMAND [OPTION...]\n\n${rows.join('')}\n\`skerry COMMAND --help\` explains one.\n`;
}
