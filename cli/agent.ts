import { readFileSync } from 'node:fs';
import { readAgentConfig } from '../agent/config.ts';
import { startAgent } from '../agent/main.ts';
import { AGENT_ASSETS } from './assets.ts';
import type { Command } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { openDataDir } from './data-dir.ts';
import { openLog } from './log.ts';
import { AGENT_OPTIONS, parseOptions } from './options.ts';
import { runUntilSignal } from './run-until-signal.ts';

export const AGENT_USAGE = `  --runtime NAME            podman, containerd or auto                    (auto)
                            (containerd's socket: $CONTAINERD_ADDRESS, as for ctr)
  --node-name NAME          the node's name                               (the machine's)
  --node-ip ADDRESS         the node's address                            (the address of the default route)
`;

export const agent: Command = {
  usage: `usage: skerry agent --server https://MASTER:6443 --token TOKEN [OPTION...]

Runs an agent. The token (\`skerry token create\` on the master) is needed once, to join; a restart needs neither it nor the server.

  --server URL              the master
  --token TOKEN             the join token; or --token-file FILE, or $SKERRY_TOKEN
  --data-dir DIR            where everything is kept                      (/var/lib/skerry)
${AGENT_USAGE}`,
  async run(args) {
    const { values } = parseOptions(
      args,
      {
        ...AGENT_OPTIONS,
        server: { type: 'string' },
        token: { type: 'string' },
        'token-file': { type: 'string' },
      },
      { max: 0 },
    );
    const log = openLog();
    const token = values.token ?? fromFile(values['token-file']) ?? process.env['SKERRY_TOKEN'];
    // The engines and their containers inherit the environment.
    delete process.env['SKERRY_TOKEN'];
    if (token !== undefined && values.server === undefined) {
      throw new CommandFailure(
        'a token needs a master: name it with --server https://MASTER:6443',
        2,
      );
    }
    const join =
      values.server === undefined
        ? undefined
        : { server: serverUrl(values.server), token: async () => token ?? '' };
    return await runUntilSignal(log, async (onFatal) => {
      const config = readAgentConfig(values);
      await openDataDir(config.dataDir);
      const running = await startAgent({ config, join, log, assets: AGENT_ASSETS, onFatal });
      void running.joined.then(() => {
        process.stdout.write(`ready: node ${running.nodeName}\n`);
      });
      return running;
    });
  },
};

function fromFile(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw new CommandFailure(`--token-file ${path}: ${(error as Error).message}`, 2);
  }
}

function serverUrl(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== 'https:') {
    throw new CommandFailure(`--server ${text}: expected https://HOST:PORT`, 2);
  }
  return new URL(text).origin;
}
