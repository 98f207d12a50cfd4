import type { ApiClient } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import {
  OUTPUT_OPTION,
  type Output,
  printObjects,
  printTable,
  readOutput,
  TABLE_TYPE,
  type Table,
} from './object-output.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';
import { discover, findResource, resourcePath } from './resource-path.ts';
import { withClient } from './with-client.ts';

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
  ...KUBECONFIG_OPTION,
} as const;

export const get = declareCommand({
  synopsis: ['get KIND [NAME] [-n NAMESPACE | -A] [-l LABELS] [-o FORMAT]'],
  about: 'Shows objects as kubectl does. A kind may be said in any of its names: pod, pods, po.',
  options: OPTIONS,
  examples: [
    ['skerry get nodes', ''],
    ['skerry get pods -A -o wide', 'with addresses and nodes'],
    ['skerry get deployment web -n shop -o yaml', 'all of one object'],
    ['skerry get pods -l app=web -o name', 'for scripts'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 2 });
    const [word, name] = positionals;
    if (word === undefined) throw new CommandFailure('which kind? for example: skerry get pods', 2);
    const output = readOutput(values.output);
    const everywhere = values['all-namespaces'] === true;
    await withClient(values.kubeconfig, async (client) => {
      const wanted = {
        word,
        name,
        namespace: everywhere ? undefined : (values.namespace ?? 'default'),
        selector: values.selector,
        output,
      };
      await showObjects(client, wanted);
    });
    return 0;
  },
});

/** Prints objects. `namespace` undefined: of every one. Throws ApiFailure and CommandFailure. */
export async function showObjects(
  client: ApiClient,
  wanted: {
    word: string;
    name?: string | undefined;
    namespace: string | undefined;
    selector?: string | undefined;
    output: Output;
  },
): Promise<void> {
  const { namespace, output, selector } = wanted;
  const resource = findResource(await discover(client), wanted.word);
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`;
  const path = resourcePath(resource, namespace, wanted.name) + query;
  if (output !== 'table' && output !== 'wide') {
    process.stdout.write(printObjects(await client.json('GET', path), output, resource.name));
    return;
  }
  const table = (await client.json('GET', path, { accept: TABLE_TYPE })) as unknown as Table;
  const text = printTable(table, {
    wide: output === 'wide',
    withNamespace: namespace === undefined && resource.namespaced,
    paint: new Paint(process.stdout),
  });
  process.stdout.write(text);
  if (text !== '') return;
  const where = resource.namespaced && namespace !== undefined ? ` in ${namespace} namespace.` : '';
  process.stderr.write(`No resources found${where}\n`);
}
