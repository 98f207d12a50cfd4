import { readMasterConfig } from '../master/config.ts';
import { startMaster } from '../master/main.ts';
import { MASTER_ASSETS } from './assets.ts';
import type { Command } from './command.ts';
import { openDataDir } from './data-dir.ts';
import { defaultAddress } from './default-address.ts';
import { openLog } from './log.ts';
import { MASTER_OPTIONS, parseOptions } from './options.ts';
import { runUntilSignal } from './run-until-signal.ts';

export const MASTER_USAGE = `  --data-dir DIR            where everything is kept                      (/var/lib/skerry)
  --listen HOST:PORT        the one port: HTTPS and MQTT                  (0.0.0.0:6443)
  --kubeconfig FILE         where the administrator's kubeconfig goes     (DIR/admin.kubeconfig)
  --advertise-address ADDR  how devices and clients reach this master     (the address of the default route)
  --cluster-cidr CIDR       addresses of pods                             (10.42.0.0/16)
  --node-cidr-mask-size N   prefix length of one node's part of them      (24)
  --service-cidr CIDR       addresses of services                         (10.43.0.0/16)
`;

export const master: Command = {
  usage: `usage: skerry master [OPTION...]

Runs a master: the Kubernetes API, the controllers, the scheduler and the broker that agents connect to.

${MASTER_USAGE}`,
  async run(args) {
    const { values } = parseOptions(args, MASTER_OPTIONS, { max: 0 });
    const log = openLog();
    return await runUntilSignal(log, async (onFatal) => {
      const config = readMasterConfig(values);
      await openDataDir(config.dataDir);
      const running = await startMaster({
        config,
        log,
        assets: MASTER_ASSETS,
        defaultAddress: defaultAddress(),
        onFatal,
      });
      process.stdout.write(`ready: ${running.url} (kubeconfig: ${config.kubeconfig})\n`);
      return running;
    });
  },
};
