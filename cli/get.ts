import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { OUTPUT_OPTION, readOutput } from './object-output.ts';
import { DEVICE_OPTIONS, withObjects } from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { showObjects } from './show-objects.ts';
import { readTargets } from './targets.ts';

const OPTIONS = {
  ...NAMESPACE_OPTION,
  'all-namespaces': { type: 'boolean', short: 'A', description: 'of every namespace' },
  selector: {
    type: 'string',
    short: 'l',
    value: 'LABELS',
    description: 'only those with these labels: app=web,tier!=cache',
  },
  ...OUTPUT_OPTION,
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

export const get = declareCommand({
  synopsis: [
    'get KIND[,KIND...] [-n NAMESPACE | -A] [-l LABELS] [-o FORMAT] [--local]',
    'get KIND NAME... [-n NAMESPACE] [-o FORMAT] [--local]',
    'get KIND/NAME... [-n NAMESPACE] [-o FORMAT] [--local]',
  ],
  about: `Shows objects as kubectl does. A kind may be said in any of its names: pod, pods, po; \`all\` is pods, services and what
makes pods. On a device whose master is away it shows what the device knows by itself, and says so: its pods, the nodes, services,
endpointslices and the configmaps of its pods.`,
  options: OPTIONS,
  examples: [
    ['skerry get nodes', ''],
    ['skerry get pods -A -o wide', 'with addresses and nodes'],
    ['skerry get deployments,services -n shop', 'of several kinds'],
    ['skerry get deployment web -n shop -o yaml', 'all of one object'],
    ['skerry get pods -l app=web -o name', 'for scripts'],
    ['sudo skerry get services -A --local', 'as this device was told of them'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, {
      max: Number.POSITIVE_INFINITY,
    });
    const targets = readTargets(positionals);
    if (targets.length === 0)
      throw new CommandFailure('which kind? for example: skerry get pods', 2);
    const output = readOutput(values.output);
    const everywhere = values['all-namespaces'] === true;
    const named = targets.find(({ name }) => name !== undefined)?.name;
    if (everywhere && named !== undefined)
      throw new CommandFailure(
        `"${named}" with -A: one object is in one namespace; name it with -n`,
        2,
      );
    const scope = {
      namespace: everywhere ? undefined : (values.namespace ?? 'default'),
      labels: values.selector,
    };
    await withObjects(values, (source) => showObjects(source, targets, scope, output));
    return 0;
  },
});
