import type { JsonObject, JsonValue } from '../shared/meta/kube-object.ts';
import { ageOf } from '../shared/meta/time.ts';
import type {
  ContainerState,
  ContainerStatus,
  EndpointSlice,
  Pod,
} from '../shared/schema/kubernetes-types.ts';
import { printYaml } from '../shared/schema/yaml.ts';
import { printTable, type Table } from './object-output.ts';
import type { Paint } from './paint.ts';
import { alignColumns } from './table.ts';

/** What is known of one object. */
export interface Described {
  object: JsonObject;
  /** The server's own table of it. */
  table: Table;
  /** Of core/v1, about it; undefined where they are not known. */
  events: readonly JsonObject[] | undefined;
  /** Of a node: its pods, where they are known. */
  pods: Table | undefined;
  /** Of a service: its EndpointSlices, where they are known. */
  slices?: readonly EndpointSlice[] | undefined;
}

/** Everything of an object for people: facts, conditions, containers, the rest as YAML, and what happened lately. */
export function describeObject(
  { object, table, events, pods, slices }: Described,
  nowMs: number,
  paint: Paint,
): string {
  const sections = [
    facts(object, table, slices && endpoints(slices), nowMs),
    conditions(object),
    object['kind'] === 'Pod' ? containers(object as unknown as Pod, nowMs) : '',
    ...rest(object),
    pods === undefined ? '' : titled('Pods', podLines(pods, paint)),
    titled(
      'Events',
      events === undefined ? 'only the master has them\n' : eventLines(events, nowMs),
    ),
  ];
  return sections.filter((section) => section !== '').join('');
}

function facts(
  object: JsonObject,
  table: Table,
  endpointsOfIt: readonly string[] | undefined,
  nowMs: number,
): string {
  const metadata = (object['metadata'] ?? {}) as {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    ownerReferences?: { kind: string; name: string }[];
  };
  const cells = table.columnDefinitions.flatMap(({ name }, index) =>
    ['Name', 'Age', 'Labels'].includes(name)
      ? []
      : [[name, [String(table.rows[0]?.cells[index] ?? '')]] as const],
  );
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) => name !== 'kubectl.kubernetes.io/last-applied-configuration',
  );
  const owners = metadata.ownerReferences ?? [];
  const { creationTimestamp, deletionTimestamp } = metadata;
  const rows: (readonly [string, readonly string[]])[] = [
    ['Name', [metadata.name ?? '']],
    ...(metadata.namespace === undefined ? [] : [['Namespace', [metadata.namespace]] as const]),
    ['Kind', [String(object['kind'])]],
    ['Labels', pairs(Object.entries(metadata.labels ?? {}))],
    ['Annotations', pairs(annotations)],
    ...(creationTimestamp === undefined
      ? []
      : [['Created', [`${creationTimestamp} (${ageOf(creationTimestamp, nowMs)} ago)`]] as const]),
    ...(deletionTimestamp === undefined ? [] : [['Deleted', [deletionTimestamp]] as const]),
    ...(owners.length === 0
      ? []
      : [['Owned by', owners.map(({ kind, name }) => `${kind}/${name}`)] as const]),
    ...cells,
    ...(endpointsOfIt === undefined ? [] : [['Endpoints', endpointsOfIt] as const]),
  ];
  const width = Math.max(...rows.map(([title]) => title.length)) + 3;
  return rows
    .flatMap(([title, lines]) =>
      (lines.length === 0 ? ['<none>'] : lines).map(
        (line, index) => `${(index === 0 ? `${title}:` : '').padEnd(width)}${line}\n`,
      ),
    )
    .join('');
}

/** What a service leads to: a line for each of its ports, `http 10.42.0.2:8080, 10.42.1.2:8080`. */
function endpoints(slices: readonly EndpointSlice[]): string[] {
  const byPort = new Map<string, string[]>();
  for (const { ports = [], endpoints: found } of slices) {
    // The API leaves the condition out where it is true.
    const addresses = found
      .filter(({ conditions: { ready } = {} }) => ready ?? true)
      .flatMap(({ addresses: [address] }) => address ?? []);
    for (const { name = '', port = '' } of ports) {
      const shown = addresses.map((address) =>
        address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
      );
      byPort.set(name, [...(byPort.get(name) ?? []), ...shown]);
    }
  }
  return [...byPort]
    .filter(([, shown]) => shown.length > 0)
    .map(([name, shown]) => `${name === '' ? '' : `${name} `}${shown.join(', ')}`);
}

function pairs(entries: readonly (readonly [string, string])[]): string[] {
  return entries.map(([name, value]) => `${name}=${value}`);
}

function conditions(object: JsonObject): string {
  const { conditions: found } = (object['status'] ?? {}) as {
    conditions?: { type: string; status: string; reason?: string; message?: string }[];
  };
  if (found === undefined || found.length === 0) return '';
  const rows = found.map(({ type, status, reason = '', message = '' }) => [
    type,
    status,
    reason,
    message,
  ]);
  return titled('Conditions', alignColumns([['TYPE', 'STATUS', 'REASON', 'MESSAGE'], ...rows]));
}

function containers(pod: Pod, nowMs: number): string {
  const statuses = [
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.containerStatuses ?? []),
  ];
  const rows = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(
    ({ name, image = '' }) => {
      const status = statuses.find((candidate) => candidate.name === name);
      return [
        name,
        image,
        stateText(status?.state, nowMs),
        String(status?.ready ?? false),
        String(status?.restartCount ?? 0),
        lastEnd(status),
      ];
    },
  );
  const head = ['NAME', 'IMAGE', 'STATE', 'READY', 'RESTARTS', 'LAST END'];
  return titled('Containers', alignColumns([head, ...rows]));
}

function stateText(state: ContainerState | undefined, nowMs: number): string {
  if (state?.running) return `running for ${ageOf(state.running.startedAt, nowMs)}`;
  if (state?.terminated) return endText(state.terminated);
  const { reason = 'ContainerCreating', message } = state?.waiting ?? {};
  return message ? `waiting: ${reason} (${message})` : `waiting: ${reason}`;
}

function lastEnd(status: ContainerStatus | undefined): string {
  const end = status?.lastState?.terminated;
  return end === undefined ? '' : endText(end);
}

function endText(end: { reason?: string; exitCode: number; message?: string }): string {
  const what = `${end.reason ?? 'ended'}, code ${end.exitCode}`;
  return end.message ? `${what}: ${end.message.trim().split('\n')[0]}` : what;
}

/** What is shown above in a better form. */
const SHOWN: readonly string[] = [
  'conditions',
  'containerStatuses',
  'initContainerStatuses',
  'images',
];

/** The other fields as YAML. Of a Secret only how long its values are. */
function rest(object: JsonObject): string[] {
  return Object.entries(object)
    .filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name))
    .map(([name, value]) => {
      if (name === 'status') return [name, withoutShown(value)] as const;
      if (object['kind'] === 'Secret' && isObject(value)) return [name, sizes(value)] as const;
      return [name, value] as const;
    })
    .filter(([, value]) => !isObject(value) || Object.keys(value).length > 0)
    .map(([name, value]) => {
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      return isObject(value) || Array.isArray(value)
        ? titled(title, printYaml(value))
        : `${title}: ${String(value)}\n`;
    });
}

function withoutShown(status: JsonValue): JsonValue {
  if (!isObject(status)) return status;
  return Object.fromEntries(Object.entries(status).filter(([name]) => !SHOWN.includes(name)));
}

function sizes(data: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      `${Buffer.from(String(value), 'base64').length} bytes`,
    ]),
  );
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function podLines(pods: Table, paint: Paint): string {
  return printTable(pods, { wide: false, withNamespace: true, paint }) || '<none>\n';
}

interface EventFields {
  type?: string;
  reason?: string;
  message?: string;
  count?: number;
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  source?: { component?: string };
  reportingComponent?: string;
}

/** Oldest first, as they happened; `2m (x5 over 9m)` is what happened again. */
function eventLines(events: readonly JsonObject[], nowMs: number): string {
  if (events.length === 0) return '<none>\n';
  const rows = (events as unknown as EventFields[])
    .map((event) => ({ event, last: event.lastTimestamp ?? event.eventTime ?? '' }))
    .sort((left, right) => (left.last < right.last ? -1 : 1))
    .map(({ event, last }) => {
      const { count = 1, firstTimestamp } = event;
      const again = count > 1 ? ` (x${count} over ${ageOf(firstTimestamp, nowMs)})` : '';
      return [
        `${ageOf(last, nowMs)}${again}`,
        event.type ?? '',
        event.reason ?? '',
        event.source?.component || event.reportingComponent || '',
        (event.message ?? '').trim().replaceAll('\n', ' '),
      ];
    });
  return alignColumns([['AGE', 'TYPE', 'REASON', 'FROM', 'MESSAGE'], ...rows]);
}

function titled(title: string, text: string): string {
  return `${title}:\n${text.replaceAll(/^(?=.)/gm, '  ')}`;
}
