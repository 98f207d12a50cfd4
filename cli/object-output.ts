import type { JsonObject } from '../shared/meta/kube-object.ts';
import { printYaml } from '../shared/schema/yaml.ts';
import { CommandFailure } from './command-failure.ts';
import type { Paint } from './paint.ts';
import { type DiscoveredResource, printedKind } from './resource-path.ts';
import { alignColumns } from './table.ts';

/** What asks the server for a Table, with as much of each object as its name. */
export const TABLE_TYPE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';

export const OUTPUT_OPTION = {
  output: {
    type: 'string',
    short: 'o',
    value: 'wide|json|yaml|name',
    description: 'a table if absent',
  },
} as const;

/** Of commands whose answer is no list of objects. */
export const DATA_OUTPUT_OPTION = {
  output: {
    type: 'string',
    short: 'o',
    value: 'json|yaml',
    description: 'for programs',
  },
} as const;

export type Output = 'table' | 'wide' | 'json' | 'yaml' | 'name';

const OUTPUTS: readonly string[] = ['table', 'wide', 'json', 'yaml', 'name'] satisfies Output[];

/** Throws CommandFailure. */
export function readOutput(text = 'table'): Output {
  if (OUTPUTS.includes(text)) return text as Output;
  throw new CommandFailure(`unknown output "${text}": it is one of wide, json, yaml, name`, 2);
}

/** `json` or `yaml`, for what is no list of objects; undefined for people. Throws CommandFailure. */
export function readDataOutput(text: string | undefined): 'json' | 'yaml' | undefined {
  if (text === undefined || text === 'json' || text === 'yaml') return text;
  throw new CommandFailure(`unknown output "${text}": it is one of json, yaml`, 2);
}

/** meta.k8s.io/v1 Table. */
export interface Table {
  columnDefinitions: { name: string; priority: number }[];
  rows: {
    cells: (string | number | boolean)[];
    object: { metadata: { name: string; namespace?: string } };
  }[];
}

/** As kubectl prints it, with `kind` before each name where several kinds are shown; on a terminal a status has a colour. */
export function printTable(
  table: Table,
  {
    wide,
    withNamespace,
    kind,
    paint,
  }: { wide: boolean; withNamespace: boolean; kind?: string | undefined; paint: Paint },
): string {
  if (table.rows.length === 0) return '';
  const shown = table.columnDefinitions.flatMap(({ name, priority }, index) =>
    wide || priority === 0 ? [{ index, name: name.toUpperCase() }] : [],
  );
  const header = shown.map(({ name }) => name);
  const rows = table.rows.map(({ cells, object }) => [
    ...(withNamespace ? [object.metadata.namespace ?? ''] : []),
    ...shown.map(({ index, name }) => {
      const cell = String(cells[index] ?? '');
      if (name === 'NAME' && kind !== undefined) return `${kind}/${cell}`;
      return name === 'STATUS' ? paintStatus(cell, paint) : cell;
    }),
  ]);
  return alignColumns([withNamespace ? ['NAMESPACE', ...header] : header, ...rows]);
}

const GOOD = new Set([
  'Running',
  'Ready',
  'Completed',
  'Succeeded',
  'Active',
  'Bound',
  'Available',
]);
const ON_ITS_WAY =
  /^(?:Pending|ContainerCreating|PodInitializing|Terminating|Init:\d+\/\d+|Ready,SchedulingDisabled|Released)$/;

/** Green: as it should be; yellow: not yet; red: look at it. */
export function paintStatus(status: string, paint: Paint): string {
  if (GOOD.has(status)) return paint.green(status);
  return ON_ITS_WAY.test(status) ? paint.yellow(status) : paint.red(status);
}

/** `pod/web`, for scripts; `resource` says of what kind they are. */
export function printNames(objects: readonly JsonObject[], resource: DiscoveredResource): string {
  return objects
    .map((object) => {
      const { name } = object['metadata'] as { name: string };
      return `${printedKind(resource)}/${name}\n`;
    })
    .join('');
}

export function printData(data: JsonObject, output: 'json' | 'yaml'): string {
  return output === 'json' ? `${JSON.stringify(data, null, 2)}\n` : printYaml(data);
}
