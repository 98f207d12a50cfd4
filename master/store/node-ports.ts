import { type ApiError, internalError, invalid } from '../../shared/errors.ts';
import { needsHealthCheckPort } from '../../shared/resources/service-defaults.ts';
import type { Service, ServicePort } from '../../shared/schema/kubernetes-types.ts';
import { freeNumber } from './free-number.ts';

const FIRST = 30_000;
const LAST = 32_767;
/** The first ports are given out last (KEP-3668): a thirty-second of the range. */
const RESERVED = 86;

/** The node ports that a service holds. */
export function nodePortsOf(service: Service): number[] {
  const { ports = [], healthCheckNodePort } = service.spec ?? {};
  const all = [...ports.map(({ nodePort }) => nodePort), healthCheckNodePort];
  return all.filter((port): port is number => port !== undefined && port !== 0);
}

/**
 * The service with its node ports: those of before kept, those asked for checked (Invalid when out of range or in `taken`), missing
 * ones chosen. A service whose type needs none loses those that it had.
 */
export function assignNodePorts(
  service: Service,
  previous: Service | undefined,
  taken: ReadonlySet<number>,
  random: () => number,
): Service {
  const { spec } = service;
  if (!spec.ports) return service;
  if (!needsNodePorts(service)) return { ...service, spec: withoutPorts(service, previous) };
  const assignment = new Assignment(service, taken, random);
  const kept = spec.ports.map((port) => ({ ...port, ...keptPort(port, previous) }));
  for (const [index, { nodePort, port }] of kept.entries()) {
    if (!nodePort || nodePortsOf(previous ?? emptyService).includes(nodePort)) continue;
    // A new service may use a node port twice only for one port, with several protocols; of a changed one, validation judges.
    const isOwn =
      previous === undefined &&
      kept.slice(0, index).some((one) => one.nodePort === nodePort && one.port !== port);
    assignment.check(nodePort, index, isOwn);
  }
  return { ...service, spec: { ...spec, ports: assignment.fill(kept) } };
}

/**
 * The service with the port at which nodes tell load balancers whether they have endpoints: kept, the one that was asked for, or chosen.
 * It cannot change while it is needed.
 */
export function assignHealthCheckPort(
  service: Service,
  previous: Service | undefined,
  taken: ReadonlySet<number>,
  random: () => number,
): Service {
  const { healthCheckNodePort, ...spec } = service.spec;
  if (!needsHealthCheckPort(service.spec)) return service;
  const before =
    previous && needsHealthCheckPort(previous.spec) ? previous.spec.healthCheckNodePort : undefined;
  const wanted = healthCheckNodePort || before;
  if (before && wanted !== before) throw healthCheckPortChanged(service, wanted);
  const own = new Set([...nodePortsOf({ ...service, spec })]);
  if (wanted && wanted !== before) checkHealthCheckPort(wanted, own, taken);
  const port = wanted ?? new Assignment(service, taken, random).free(own);
  return { ...service, spec: { ...spec, healthCheckNodePort: port } };
}

function healthCheckPortChanged(service: Service, wanted: number | undefined): ApiError {
  return invalid({ group: '', kind: 'Service' }, service.metadata.name, [
    {
      type: 'FieldValueInvalid',
      field: 'spec.healthCheckNodePort',
      message: `Invalid value: ${wanted}: cannot change healthCheckNodePort on loadBalancer service with externalTraffic=Local during update`,
    },
  ]);
}

function checkHealthCheckPort(
  port: number,
  own: ReadonlySet<number>,
  taken: ReadonlySet<number>,
): void {
  const isOutside = port < FIRST || port > LAST;
  if (!isOutside && !own.has(port) && !taken.has(port)) return;
  const why = isOutside
    ? `provided port is not in the valid range. The range of valid ports is ${FIRST}-${LAST}`
    : 'provided port is already allocated';
  throw internalError(`failed to allocate requested HealthCheck NodePort ${port}: ${why}`);
}

const emptyService = { spec: {} } as Service;

function needsNodePorts({ spec }: Service): boolean {
  if (spec.type === 'NodePort') return true;
  return spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false;
}

/** Ports that were asked for by number stay: validation judges them. */
function withoutPorts({ spec }: Service, previous: Service | undefined): Service['spec'] {
  if (spec.type === 'LoadBalancer') return spec;
  const held = new Set(previous && needsNodePorts(previous) ? nodePortsOf(previous) : []);
  if (held.size === 0) return spec;
  const ports = (spec.ports ?? []).map(({ nodePort, ...port }) =>
    nodePort === undefined || held.has(nodePort) ? port : { ...port, nodePort },
  );
  return { ...spec, ports };
}

/** Whoever replaces a service without naming its node ports keeps them. */
function keptPort(port: ServicePort, previous: Service | undefined): { nodePort?: number } {
  if (port.nodePort || !previous || !needsNodePorts(previous)) return {};
  const same = previous.spec.ports?.find(
    (old) => old.port === port.port && (old.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
  );
  return same?.nodePort ? { nodePort: same.nodePort } : {};
}

/** The choice of node ports for one service. */
class Assignment {
  readonly #service: Service;
  readonly #taken: ReadonlySet<number>;
  readonly #random: () => number;

  constructor(service: Service, taken: ReadonlySet<number>, random: () => number) {
    this.#service = service;
    this.#taken = taken;
    this.#random = random;
  }

  check(nodePort: number, index: number, isOwn: boolean): void {
    if (nodePort < FIRST || nodePort > LAST) {
      throw this.#refusal(
        nodePort,
        index,
        `provided port is not in the valid range. The range of valid ports is ${FIRST}-${LAST}`,
      );
    }
    if (isOwn || this.#taken.has(nodePort)) {
      throw this.#refusal(nodePort, index, 'provided port is already allocated');
    }
  }

  /** The same port of several protocols gets one node port, if none was asked for. */
  fill(ports: readonly ServicePort[]): ServicePort[] {
    const own = new Set(ports.flatMap(({ nodePort }) => nodePort || []));
    const chosen = new Map<number, { nodePort: number; protocols: Set<string> }>();
    return ports.map((port) => {
      if (port.nodePort) return port;
      const protocol = port.protocol ?? 'TCP';
      const shared = chosen.get(port.port);
      if (shared && !shared.protocols.has(protocol)) {
        shared.protocols.add(protocol);
        return { ...port, nodePort: shared.nodePort };
      }
      const nodePort = this.free(own);
      own.add(nodePort);
      chosen.set(port.port, { nodePort, protocols: new Set([protocol]) });
      return { ...port, nodePort };
    });
  }

  /** Throws when none is left. */
  free(own: ReadonlySet<number>): number {
    const port = freeNumber(
      { from: FIRST, to: LAST + 1, reserved: RESERVED },
      (value) => own.has(value) || this.#taken.has(value),
      this.#random,
    );
    if (port === undefined) {
      throw internalError('failed to allocate a nodePort: range is full');
    }
    return port;
  }

  #refusal(nodePort: number, index: number, why: string): ApiError {
    return invalid({ group: '', kind: 'Service' }, this.#service.metadata.name, [
      {
        type: 'FieldValueInvalid',
        field: `spec.ports[${index}].nodePort`,
        message: `Invalid value: ${nodePort}: ${why}`,
      },
    ]);
  }
}
