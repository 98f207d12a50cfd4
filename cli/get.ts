import type { JsonObject } from '../shared/meta/kube-object.ts';
import { printYaml } from '../shared/schema/yaml.ts';
import { ApiClient, ApiFailure } from './api-client.ts';
import type { Command } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { parseOptions } from './options.ts';
import { discover, findResource, resourcePath } from './resource-path.ts';
import { alignColumns } from './table.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

interface Table {
  columnDefinitions: { name: string; priority: number }[];
  rows: {
    cells: (string | number | boolean)[];
    object: { metadata: { name: string; namespace?: string } };
  }[];
}

export const get: Command = {
  usage: `usage: skerry get KIND [NAME] [-n NAMESPACE | -A] [-l SELECTOR] [-o wide|json|yaml|name] [--kubeconfig FILE]

Shows objects as kubectl does.

  skerry get nodes
  skerry get pods -A -o wide
  skerry get deployment web -n shop -o yaml
`,
  async run(args) {
    const { values, positionals } = parseOptions(
      args,
      {
        namespace: { type: 'string', short: 'n' },
        'all-namespaces': { type: 'boolean', short: 'A' },
        selector: { type: 'string', short: 'l' },
        output: { type: 'string', short: 'o' },
        kubeconfig: { type: 'string' },
      },
      { max: 2 },
    );
    const [word, name] = positionals;
    if (word === undefined) throw new CommandFailure('which kind? for example: skerry get pods', 2);
    const output = values.output ?? 'table';
    if (!['table', 'wide', 'json', 'yaml', 'name'].includes(output)) {
      throw new CommandFailure(
        `unknown output "${output}": it is one of wide, json, yaml, name`,
        2,
      );
    }
    const client = ApiClient.open(values.kubeconfig);
    try {
      const resource = findResource(await discover(client), word);
      const everywhere = values['all-namespaces'] === true;
      const path = resourcePath(
        resource,
        everywhere ? undefined : (values.namespace ?? 'default'),
        name,
      );
      const query =
        values.selector === undefined
          ? ''
          : `?labelSelector=${encodeURIComponent(values.selector)}`;
      const tabular = output === 'table' || output === 'wide';
      const answer = await client.json('GET', path + query, tabular ? { accept: TABLE } : {});
      process.stdout.write(
        tabular
          ? printTable(
              answer as unknown as Table,
              output === 'wide',
              everywhere && resource.namespaced,
            )
          : printObjects(answer, output, resource.name),
      );
      return 0;
    } catch (error) {
      if (error instanceof ApiFailure)
        throw new CommandFailure(`Error from server (${error.reason}): ${error.message}`);
      throw error;
    } finally {
      client.close();
    }
  },
};

function printTable(table: Table, wide: boolean, withNamespace: boolean): string {
  const shown = table.columnDefinitions.flatMap(({ priority }, index) =>
    wide || priority === 0 ? [index] : [],
  );
  const header = shown.map((index) => table.columnDefinitions[index]?.name.toUpperCase() ?? '');
  const rows = table.rows.map(({ cells, object }) => [
    ...(withNamespace ? [object.metadata.namespace ?? ''] : []),
    ...shown.map((index) => String(cells[index] ?? '')),
  ]);
  return rows.length === 0
    ? 'No resources found\n'
    : alignColumns([withNamespace ? ['NAMESPACE', ...header] : header, ...rows]);
}

function printObjects(answer: JsonObject, output: string, plural: string): string {
  if (output === 'json') return `${JSON.stringify(answer, null, 2)}\n`;
  if (output === 'yaml') return printYaml(answer);
  const items = Array.isArray(answer['items']) ? answer['items'] : [answer];
  return items
    .map(
      (item) => `${plural}/${(item as unknown as { metadata: { name: string } }).metadata.name}\n`,
    )
    .join('');
}
