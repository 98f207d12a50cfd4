import { readAgentConfig } from '../agent/config.ts';
import { startAgent } from '../agent/main.ts';
import { readMasterConfig } from '../master/config.ts';
import { type Master, startMaster } from '../master/main.ts';
import { isConditionTrue } from '../shared/meta/condition.ts';
import { AGENT_OPTIONS, MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { LEASES } from '../shared/resources/lease.ts';
import { NODES } from '../shared/resources/node.ts';
import { AGENT_ASSETS, MASTER_ASSETS } from './assets.ts';
import { declareCommand } from './command.ts';
import { openDataDir } from './data-dir.ts';
import { defaultAddress } from './default-address.ts';
import { openLog } from './log.ts';
import { flagsOf, givenOptions, orWrongCall } from './program-options.ts';
import { runUntilSignal } from './run-until-signal.ts';

const OPTIONS = { ...MASTER_OPTIONS, ...AGENT_OPTIONS };

/** A master and an agent in one process: the agent joins over the link like any other. */
export const up = declareCommand({
  synopsis: ['up [OPTION...]'],
  about: `Runs a master and an agent in one process: a cluster of one node, which other devices can join. Each option is also a variable
(--data-dir: SKERRY_DATA_DIR) and a key of a configuration file (dataDir).`,
  options: flagsOf(OPTIONS),
  examples: [
    ['sudo skerry up', ''],
    ['sudo skerry up --data-dir /srv/skerry --listen 0.0.0.0:7443', 'beside another'],
  ],
  async run(args) {
    const given = givenOptions(args, OPTIONS);
    const [masterConfig, agentConfig, log] = orWrongCall(() => [
      readMasterConfig(given),
      readAgentConfig(given),
      openLog(given),
    ]);
    return await runUntilSignal(log, async (onFatal, onBeat) => {
      await openDataDir(masterConfig.dataDir, 'master');
      await openDataDir(agentConfig.dataDir, 'agent');
      const master = await startMaster({
        config: masterConfig,
        log,
        assets: MASTER_ASSETS,
        defaultAddress: defaultAddress(`${masterConfig.dataDir}/master`),
        onFatal,
      });
      try {
        let token: Promise<string> | undefined;
        const join = {
          server: master.localUrl,
          // One for each start: a Node that is deleted while this runs stays deleted.
          token: (joinedAs: string | undefined) => {
            const isMember = joinedAs !== undefined && master.hasNode(joinedAs);
            token ??= isMember
              ? Promise.resolve('')
              : master.tokens.create({ ttlSeconds: 600, nodeName: agentConfig.nodeName });
            return token;
          },
          keepsTrying: false,
        };
        const agent = await startAgent({
          config: agentConfig,
          join,
          log,
          assets: AGENT_ASSETS,
          onFatal,
          onBeat,
        });
        void nodeReady(master, agent.nodeName).then(() => {
          process.stdout.write(`ready: ${master.url} (kubeconfig: ${masterConfig.kubeconfig})\n`);
        });
        return {
          farewell: 'pods go on running; `skerry down` stops them',
          status: () => `${master.status()}; ${agent.status()}`,
          stuck: async () => (await master.stuck()) ?? (await agent.stuck()),
          stop: async () => {
            await agent.stop();
            await master.stop();
          },
        };
      } catch (error) {
        await master.stop();
        throw error;
      }
    });
  },
});

/**
 * Resolves when the node is Ready and its first heartbeat is here: leases live in memory, so one says that this start's agent is
 * connected, which the stored Node of an earlier start does not.
 */
function nodeReady({ registry }: Master, name: string): Promise<void> {
  return new Promise((resolve) => {
    const isReady = () => {
      const node = registry.find(NODES, { namespace: '', name });
      const lease = registry.find(LEASES, { namespace: 'kube-node-lease', name });
      return lease !== undefined && isConditionTrue(node?.status.conditions, 'Ready');
    };
    const ends: (() => void)[] = [];
    const look = () => {
      if (!isReady()) return;
      for (const end of ends) end();
      resolve();
    };
    ends.push(
      registry.cache.watch(NODES, undefined, look),
      registry.cache.watch(LEASES, undefined, look),
    );
    look();
  });
}
