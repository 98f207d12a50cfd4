import { readAgentConfig } from '../agent/config.ts';
import { type JoinSource, startAgent } from '../agent/main.ts';
import type { Logger } from '../shared/logger.ts';
import type { ValuesOf } from '../shared/options/option.ts';
import { AGENT_OPTIONS, JOIN_OPTIONS } from '../shared/options/program-options.ts';
import { readOptions } from '../shared/options/read-options.ts';
import { AGENT_ASSETS } from './assets.ts';
import { declareCommand } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { openDataDir } from './data-dir.ts';
import { openLog } from './log.ts';
import { flagsOf, givenOptions, orWrongCall } from './program-options.ts';
import { runUntilSignal } from './run-until-signal.ts';
import { forgetInstalledToken, readTokenFile } from './token-file.ts';

const OPTIONS = { ...JOIN_OPTIONS, ...AGENT_OPTIONS };

export const agent = declareCommand({
  synopsis: ['agent --server https://MASTER:6443 --token TOKEN [OPTION...]', 'agent [OPTION...]'],
  about: `Runs an agent. The token (\`skerry token create\` on the master) is needed once, to join; a restart needs neither it nor the server.
Each option is also a variable (--data-dir: SKERRY_DATA_DIR) and a key of the configuration file (dataDir).`,
  options: flagsOf(OPTIONS),
  examples: [
    ['sudo skerry agent --server https://192.168.1.10:6443 --token TOKEN', 'joins, and runs'],
    ['sudo skerry agent --config /etc/skerry/agent.yaml', 'as the service does'],
  ],
  async run(args) {
    const given = givenOptions(args, OPTIONS);
    const [config, joining, log] = orWrongCall(() => [
      readAgentConfig(given),
      readOptions(JOIN_OPTIONS, given),
      openLog(given),
    ]);
    const join = joinSource(joining, log);
    return await runUntilSignal(log, async (onFatal, onBeat) => {
      await openDataDir(config.dataDir, 'agent');
      const running = await startAgent({
        config,
        join,
        log,
        assets: AGENT_ASSETS,
        onFatal,
        onBeat,
      });
      void running.joined.then(() => {
        process.stdout.write(`ready: node ${running.nodeName}\n`);
      });
      return { ...running, farewell: 'pods go on running; `skerry down` stops them' };
    });
  },
});

function joinSource(
  { server, token, tokenFile }: ValuesOf<typeof JOIN_OPTIONS>,
  log: Logger,
): JoinSource | undefined {
  if (server !== undefined) {
    return {
      server,
      // With a service manager nobody looks on, and a refused program would be started anew every few seconds.
      keepsTrying: process.env['NOTIFY_SOCKET'] !== undefined,
      token: async (joinedAs) =>
        token ?? (tokenFile === undefined ? '' : readTokenFile(tokenFile, joinedAs !== undefined)),
      forgetToken: () => forgetInstalledToken(tokenFile, (message) => log.warn(message)),
    };
  }
  if (token === undefined) return undefined;
  throw new CommandFailure('a token needs a master: name it with --server https://MASTER:6443', 2);
}
