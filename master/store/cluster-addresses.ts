import { type ApiError, internalError, invalid } from '../../shared/errors.ts';
import {
  type Cidr,
  cidrContains,
  cidrSize,
  formatIpv4,
  isIpv4,
  parseCidr,
  parseIpv4,
} from '../../shared/meta/cidr.ts';
import type { FieldError } from '../../shared/meta/field-error.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Service, ServiceSpec } from '../../shared/schema/kubernetes-types.ts';
import { freeNumber } from './free-number.ts';
import { assignHealthCheckPort, assignNodePorts, nodePortsOf } from './node-ports.ts';
import type { Preparation } from './registry.ts';

interface Claim {
  address: string | undefined;
  nodePorts: readonly number[];
}

const HEADLESS = 'None';

/**
 * Gives services their cluster IPs and node ports when they are written. Invariant: nothing is given out twice, because what a write
 * is about to take counts as taken until the write has ended; what a removed service had is free again. Explicit values are
 * checked, out of range or taken is Invalid.
 */
export class ClusterAddresses implements Preparation<Service> {
  readonly kind: ResourceKind<Service>;
  readonly #range: Cidr;
  readonly #services: () => readonly Service[];
  readonly #random: () => number;
  readonly #claims = new Map<Service, Claim>();

  /** `services`: those that are stored. Throws RangeError for a CIDR that is none. */
  constructor(parts: {
    serviceCidr: string;
    kind: ResourceKind<Service>;
    services: () => readonly Service[];
    random?: () => number;
  }) {
    this.kind = parts.kind;
    this.#range = parseCidr(parts.serviceCidr);
    this.#services = parts.services;
    this.#random = parts.random ?? Math.random;
  }

  /** For the registry's list, whose members are of any kind. */
  get preparation(): Preparation {
    return this as unknown as Preparation;
  }

  prepare(service: Service, previous: Service | undefined): Service {
    const taken = this.#taken(previous);
    const addressed = this.#withAddress(service, previous, taken.addresses);
    const reachable = assignNodePorts(addressed, previous, taken.nodePorts, this.#random);
    const prepared = assignHealthCheckPort(reachable, previous, taken.nodePorts, this.#random);
    const address = addressOf(prepared);
    this.#claims.set(prepared, { address, nodePorts: nodePortsOf(prepared) });
    return prepared;
  }

  settled(service: Service): void {
    this.#claims.delete(service);
  }

  #taken(previous: Service | undefined): { addresses: Set<string>; nodePorts: Set<number> } {
    const addresses = new Set<string>();
    const nodePorts = new Set<number>();
    const take = (claim: Claim) => {
      if (claim.address) addresses.add(claim.address);
      for (const port of claim.nodePorts) nodePorts.add(port);
    };
    for (const service of this.#services()) {
      if (service.metadata.uid === previous?.metadata.uid) continue;
      take({ address: addressOf(service), nodePorts: nodePortsOf(service) });
    }
    for (const [service, claim] of this.#claims) {
      if (service.metadata.uid !== previous?.metadata.uid) take(claim);
    }
    return { addresses, nodePorts };
  }

  #withAddress(
    service: Service,
    previous: Service | undefined,
    taken: ReadonlySet<string>,
  ): Service {
    const { spec } = service;
    const before = previous && addressOf(previous);
    const asked = spec.clusterIP || spec.clusterIPs?.[0];
    if (spec.type === 'ExternalName') {
      // The address goes with the type; another one than before is left for validation to refuse.
      return asked && asked === before ? { ...service, spec: withoutAddress(spec) } : service;
    }
    // A list alone is for validation to refuse, too.
    if (!previous && !spec.clusterIP && spec.clusterIPs?.length) return service;
    const wanted = asked || previous?.spec.clusterIP || undefined;
    if (isOfUnknownFamily(spec, wanted)) return this.#withoutFamily(service);
    if (wanted === HEADLESS) return { ...service, spec: withAddress(spec, HEADLESS) };
    if (wanted !== undefined && wanted === before) {
      return { ...service, spec: withAddress(spec, wanted) };
    }
    if (wanted !== undefined && !isIpv4(wanted)) return service;
    if (wanted !== undefined) this.#check(service, wanted, taken);
    return { ...service, spec: withAddress(spec, wanted ?? this.#free(taken)) };
  }

  /** There are IPv4 addresses here; what is no family at all is for validation to refuse. */
  #withoutFamily(service: Service): Service {
    if (service.spec.ipFamilies?.[0] !== 'IPv6') return service;
    throw this.#invalid(service, {
      type: 'FieldValueInvalid',
      field: 'spec.ipFamilies[0]',
      message: 'Invalid value: "IPv6": not configured on this cluster',
    });
  }

  #check(service: Service, address: string, taken: ReadonlySet<string>): void {
    const value = parseIpv4(address);
    const last = this.#range.base + cidrSize(this.#range) - 1;
    const isUsable =
      cidrContains(this.#range, value) && value !== this.#range.base && value !== last;
    if (!isUsable) {
      const why = 'the provided network does not match the current range';
      throw this.#refusal(service, address, why);
    }
    if (taken.has(address)) {
      throw this.#refusal(service, address, 'provided IP is already allocated');
    }
  }

  #refusal(service: Service, address: string, why: string): ApiError {
    return this.#invalid(service, {
      type: 'FieldValueInvalid',
      field: 'spec.clusterIPs',
      message: `Invalid value: []string{${JSON.stringify(address)}}: failed to allocate IP ${address}: ${why}`,
    });
  }

  #invalid(service: Service, error: FieldError): ApiError {
    return invalid(this.kind, service.metadata.name, [error]);
  }

  #free(taken: ReadonlySet<string>): string {
    const { base } = this.#range;
    const size = cidrSize(this.#range);
    // The first address is that of default/kubernetes, the tenth that of DNS; both ask for theirs.
    const isTaken = (offset: number) =>
      offset === 1 || offset === 10 || taken.has(formatIpv4(base + offset));
    const reserved = Math.min(Math.max(16, Math.floor(size / 16)), 256);
    const offset = freeNumber({ from: 1, to: size - 1, reserved }, isTaken, this.#random);
    if (offset === undefined) {
      throw internalError('failed to allocate a serviceIP: range is full');
    }
    return formatIpv4(base + offset);
  }
}

/** A headless service without a selector may point anywhere; an address that was asked for is for validation to compare. */
function isOfUnknownFamily(
  { ipFamilies = [], selector = {} }: ServiceSpec,
  wanted: string | undefined,
): boolean {
  if ((ipFamilies[0] ?? 'IPv4') === 'IPv4') return false;
  return wanted === undefined || (wanted === HEADLESS && Object.keys(selector).length > 0);
}

/** The address that the service holds; undefined: none. */
function addressOf(service: Service): string | undefined {
  const { clusterIP, type } = service.spec ?? {};
  if (type === 'ExternalName' || !clusterIP || clusterIP === HEADLESS) return undefined;
  return clusterIP;
}

function withAddress(spec: ServiceSpec, address: string): ServiceSpec {
  // Others are for validation to refuse.
  const clusterIPs = spec.clusterIPs?.length ? spec.clusterIPs : [address];
  return { ...spec, clusterIP: address, clusterIPs };
}

function withoutAddress(spec: ServiceSpec): ServiceSpec {
  const { clusterIP: _clusterIP, clusterIPs: _clusterIPs, ...rest } = spec;
  return rest;
}
