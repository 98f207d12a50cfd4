import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { ApiClient } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { describeObject } from './description.ts';
import { printData, printTable, readDataOutput, TABLE_TYPE, type Table } from './object-output.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';
import { type DiscoveredResource, discover, findResource, resourcePath } from './resource-path.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  ...NAMESPACE_OPTION,
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    description: 'json or yaml: the object and its events, for programs',
  },
  ...KUBECONFIG_OPTION,
} as const;

export const describe = declareCommand({
  synopsis: ['describe KIND NAME [-n NAMESPACE]'],
  about: `Shows all of one object: what it is, how it does, and what happened to it lately. Here it says why a pod does not start.`,
  options: OPTIONS,
  examples: [
    ['skerry describe pod web-5d4f', 'why is it Pending?'],
    ['skerry describe node pi-kitchen', 'with its pods'],
  ],
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: 2 });
    const [word, name] = positionals;
    if (word === undefined || name === undefined)
      throw new CommandFailure('what? for example: skerry describe pod NAME', 2);
    const output = readDataOutput(values.output);
    await withClient(values.kubeconfig, async (client) => {
      const resource = findResource(await discover(client), word);
      const path = resourcePath(resource, values.namespace ?? 'default', name);
      const [object, table] = await Promise.all([
        client.json('GET', path),
        client.json('GET', path, { accept: TABLE_TYPE }),
      ]);
      const events = await eventsAbout(client, resource, object);
      if (output !== undefined) {
        process.stdout.write(printData({ object, events }, output));
        return;
      }
      const pods = resource.kind === 'Node' ? await podsOf(client, name) : undefined;
      const known = { object, table: table as unknown as Table, events };
      process.stdout.write(
        describeObject(pods === undefined ? known : { ...known, pods }, Date.now()),
      );
    });
    return 0;
  },
});

/** Nodes belong to no namespace, and their events may be in any. */
async function eventsAbout(
  client: ApiClient,
  { kind, namespaced }: DiscoveredResource,
  object: JsonObject,
): Promise<JsonObject[]> {
  const { name, namespace = '' } = object['metadata'] as { name: string; namespace?: string };
  const fields = [`involvedObject.kind=${kind}`, `involvedObject.name=${name}`].join(',');
  const scope = namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const query = `?fieldSelector=${encodeURIComponent(fields)}`;
  const list = await client.json('GET', `/api/v1${scope}/events${query}`);
  return list['items'] as JsonObject[];
}

async function podsOf(client: ApiClient, node: string): Promise<string> {
  const query = `?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`;
  const table = await client.json('GET', `/api/v1/pods${query}`, { accept: TABLE_TYPE });
  return printTable(table as unknown as Table, {
    wide: false,
    withNamespace: true,
    paint: new Paint(process.stdout),
  });
}
