import { goQuote } from '../meta/field-error.ts';
import { formatQuantity, parseQuantity, tryParseQuantity } from '../meta/quantity.ts';
import type { Container, ContainerPort, PodSpec } from '../schema/kubernetes-types.ts';

/**
 * What is accepted in a pod and yet hardly meant, in the words of Kubernetes' warnings: kubectl shows them at every write of the spec.
 * @param path of the pod or template, `''` or `spec.template.`
 */
export function podWarnings(spec: PodSpec, path: '' | 'spec.template.'): string[] {
  const at = `${path}spec`;
  const containers = [
    ...placed(spec.initContainers, `${at}.initContainers`),
    ...placed(spec.containers, `${at}.containers`),
  ];
  return [
    ...repeated(spec.hostAliases ?? [], 'ip', `${at}.hostAliases`),
    ...secretWarnings(spec, at),
    ...containers.flatMap(({ container, field }) => [
      ...byteWarnings(container, field),
      ...envWarnings(container, field),
    ]),
    ...portWarnings(containers),
    ...portNameWarnings(containers),
  ];
}

interface Placed {
  container: Container;
  field: string;
}

function placed(containers: readonly Container[] | undefined, path: string): Placed[] {
  return (containers ?? []).map((container, index) => ({ container, field: `${path}[${index}]` }));
}

function repeated<K extends string>(
  items: readonly { [key in K]?: string }[],
  key: K,
  path: string,
): string[] {
  const values = items.map((item) => item[key] ?? '');
  return values.flatMap((value, index) =>
    values.indexOf(value) < index
      ? [`${path}[${index}].${key}: duplicate ${key} ${goQuote(value)}`]
      : [],
  );
}

function secretWarnings({ imagePullSecrets = [] }: PodSpec, path: string): string[] {
  const field = `${path}.imagePullSecrets`;
  const empty = imagePullSecrets.flatMap(({ name }, index) =>
    name ? [] : [`${field}[${index}].name: invalid empty name ""`],
  );
  return [...empty, ...repeated(imagePullSecrets, 'name', field)];
}

/** Bytes cannot be divided; `100m` of memory is a slip for `100M`. */
function byteWarnings({ resources }: Container, field: string): string[] {
  return (['memory', 'ephemeral-storage'] as const).flatMap((resource) =>
    (['limits', 'requests'] as const).flatMap((list) => {
      const text = resources?.[list]?.[resource];
      if (text === undefined) return [];
      const quantity = tryParseQuantity(text);
      if (quantity === undefined || quantity.nano % 1_000_000_000n === 0n) return [];
      const value = goQuote(formatQuantity(parseQuantity(text)));
      return [
        `${field}.resources.${list}[${resource}]: fractional byte value ${value} is invalid, must be an integer`,
      ];
    }),
  );
}

/** A variable may be built on the one of the same name before it; otherwise that one is lost. */
function envWarnings({ env = [] }: Container, field: string): string[] {
  const names = env.map(({ name }) => name);
  return env.flatMap(({ name, value = '', valueFrom }, index) => {
    if (names.indexOf(name) === index) return [];
    const reference = `$(${name})`;
    const builds = valueFrom === undefined && value !== reference && value.includes(reference);
    if (builds) return [];
    return [
      `${field}.env[${index}]: hides previous definition of ${goQuote(name)}, which may be dropped when using apply`,
    ];
  });
}

function portWarnings(containers: readonly Placed[]): string[] {
  const warnings: string[] = [];
  const before: { port: ContainerPort; field: string }[] = [];
  for (const { container, field } of containers) {
    for (const [index, port] of (container.ports ?? []).entries()) {
      const own = `${field}.ports[${index}]`;
      for (const other of before) {
        const clash = clashOf(port, other.port);
        if (clash !== undefined) warnings.push(`${own}: ${clash} with ${other.field}`);
      }
      before.push({ port, field: own });
    }
  }
  return warnings;
}

function clashOf(port: ContainerPort, other: ContainerPort): string | undefined {
  if (port.containerPort !== other.containerPort || port.protocol !== other.protocol) {
    return undefined;
  }
  const [hostPort, otherHostPort] = [port.hostPort ?? 0, other.hostPort ?? 0];
  const [hostIp, otherHostIp] = [port.hostIP ?? '', other.hostIP ?? ''];
  if (hostIp === otherHostIp && hostPort === otherHostPort) return 'duplicate port definition';
  if (hostPort === 0 || otherHostPort === 0) return 'overlapping port definition';
  const isAmbiguous = hostPort === otherHostPort && (hostIp === '') !== (otherHostIp === '');
  return isAmbiguous ? 'dangerously ambiguous port definition' : undefined;
}

function portNameWarnings(containers: readonly Placed[]): string[] {
  const first = new Map<string, string>();
  const warnings: string[] = [];
  for (const { container, field } of containers) {
    for (const [index, { name }] of (container.ports ?? []).entries()) {
      if (!name) continue;
      const own = `${field}.ports[${index}]`;
      const other = first.get(name);
      if (other === undefined) first.set(name, own);
      else {
        warnings.push(
          `${own}: duplicate port name ${goQuote(name)} with ${other}, services and probes that select ports by name will use ${other}`,
        );
      }
    }
  }
  return warnings;
}
