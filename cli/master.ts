import { readMasterConfig } from '../master/config.ts';
import { startMaster } from '../master/main.ts';
import { MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { MASTER_ASSETS } from './assets.ts';
import { declareCommand } from './command.ts';
import { openDataDir } from './data-dir.ts';
import { defaultAddress } from './default-address.ts';
import { openLog } from './log.ts';
import { flagsOf, givenOptions, orWrongCall } from './program-options.ts';
import { runUntilSignal } from './run-until-signal.ts';

export const master = declareCommand({
  synopsis: ['master [OPTION...]'],
  about: `Runs a master: the Kubernetes API, the controllers, the scheduler and the broker that agents connect to. It needs no root, only a data
directory of its own. Each option is also a variable (--data-dir: SKERRY_DATA_DIR) and a key of the configuration file (dataDir).`,
  options: flagsOf(MASTER_OPTIONS),
  examples: [
    ['skerry master --config /etc/skerry/master.yaml', 'as the service does'],
    ['skerry master --data-dir ~/skerry --listen 127.0.0.1:7443', 'beside another'],
  ],
  async run(args) {
    const given = givenOptions(args, MASTER_OPTIONS);
    const [config, log] = orWrongCall(() => [readMasterConfig(given), openLog(given)]);
    return await runUntilSignal(log, async (onFatal) => {
      await openDataDir(config.dataDir, 'master');
      const running = await startMaster({
        config,
        log,
        assets: MASTER_ASSETS,
        defaultAddress: defaultAddress(`${config.dataDir}/master`),
        onFatal,
      });
      process.stdout.write(`ready: ${running.url} (kubeconfig: ${config.kubeconfig})\n`);
      return {
        ...running,
        farewell: 'devices go on with what they have, and try to reach it again',
      };
    });
  },
});
