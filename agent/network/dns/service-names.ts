import type { Service } from '../../../shared/schema/kubernetes-types.ts';
import type { NameData, SrvData } from './records.ts';

/** The parts of a Service and of an EndpointSlice that its records depend on. */
export interface DnsService {
  metadata: { namespace?: string; name: string };
  spec: Service['spec'];
}
export interface DnsSlice {
  metadata: { namespace?: string; name: string; labels?: Record<string, string> };
  addressType?: string;
  endpoints?: {
    addresses?: string[];
    conditions?: { ready?: boolean };
    hostname?: string;
  }[];
  ports?: { name?: string; protocol?: string; port?: number }[];
}

/** The records of one service. */
export interface ServiceNames {
  /** By the name below the service's own: '' for itself, `_http._tcp`, `pod-0`. A name that only lies in between has no data. */
  names: Map<string, NameData>;
  /** Addresses whose PTR leads here. */
  reverse: ReverseName[];
}

export interface ReverseName {
  address: string;
  /** Below the service's own name. */
  sub: string;
  /** The service's own address: it goes before endpoints that have the same. */
  cluster: boolean;
}

interface Endpoint {
  /** '' when it has none of its own. */
  hostname: string;
  addresses: readonly string[];
  ports: readonly { name: string; protocol: string; port: number }[];
}

/** The weights of one answer's SRV records add up to about this. */
const TOTAL_WEIGHT = 100;

/**
 * The records of a Service and its EndpointSlices, as the Kubernetes DNS specification 1.1.0 says (§2.3 cluster IP, §2.4 headless,
 * §2.5 external name). `domain` is `svc.cluster.local`. Endpoints with a hostname have a name below every kind of service, the others
 * below headless ones only. The service's own name answers SRV too, for all of its ports, as clients of CoreDNS expect.
 */
export function serviceNames(
  service: DnsService,
  slices: Iterable<DnsSlice>,
  domain: string,
): ServiceNames {
  const { spec, metadata } = service;
  const own = `${metadata.name}.${metadata.namespace ?? ''}.${domain}`.toLowerCase();
  const builder = new NamesBuilder();
  if (spec.type === 'ExternalName') addExternalName(builder, spec.externalName ?? '');
  else if (isHeadless(service)) addHeadless(builder, readyEndpoints(service, slices), own);
  else addClusterIp(builder, spec, readyEndpoints(service, slices), own);
  return builder.finish();
}

/** Whether the endpoints of such a service can have names. */
export function isHeadless({ spec }: DnsService): boolean {
  return spec.clusterIP === 'None' || spec.clusterIPs?.[0] === 'None';
}

function addExternalName(builder: NamesBuilder, externalName: string): void {
  const target = externalName.toLowerCase().replace(/\.$/, '');
  // What looks like an address is no name: resolvers would not take it.
  if (target === '' || /^[\d.]+$/.test(target) || target.includes(':')) return;
  builder.at('').CNAME = target;
}

function addClusterIp(
  builder: NamesBuilder,
  spec: DnsService['spec'],
  endpoints: readonly Endpoint[],
  own: string,
): void {
  const all = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP ?? ''];
  const clusterIps = all.filter((address) => address !== '');
  if (clusterIps.length === 0) return;
  for (const address of clusterIps) {
    builder.addAddress('', address);
    builder.addReverse({ address, sub: '', cluster: true });
  }
  for (const { name = '', protocol = 'TCP', port } of spec.ports ?? []) {
    builder.addPort(name, protocol, port, own);
  }
  for (const { hostname, addresses } of endpoints) {
    if (hostname !== '') for (const address of addresses) builder.addAddress(hostname, address);
  }
}

function addHeadless(builder: NamesBuilder, endpoints: readonly Endpoint[], own: string): void {
  for (const { hostname, addresses, ports } of endpoints) {
    for (const address of addresses) {
      const sub = hostname === '' ? address.replace(/[.:]/g, '-') : hostname;
      builder.addAddress('', address);
      builder.addAddress(sub, address);
      builder.addReverse({ address, sub, cluster: false });
      for (const { name, protocol, port } of ports) {
        builder.addPort(name, protocol, port, `${sub}.${own}`);
      }
    }
  }
}

function readyEndpoints(service: DnsService, slices: Iterable<DnsSlice>): Endpoint[] {
  const notReadyToo = service.spec.publishNotReadyAddresses === true;
  const ready: Endpoint[] = [];
  for (const { addressType, endpoints, ports } of slices) {
    if (addressType === 'FQDN') continue;
    const open = (ports ?? []).flatMap(({ name, protocol, port }) =>
      port === undefined ? [] : [{ name: name ?? '', protocol: protocol ?? 'TCP', port }],
    );
    for (const { addresses = [], conditions, hostname = '' } of endpoints ?? []) {
      // Not said means ready.
      if (conditions?.ready === false && !notReadyToo) continue;
      ready.push({ hostname: hostname.toLowerCase(), addresses, ports: open });
    }
  }
  return ready;
}

/** Collects the records of one service, each once. */
class NamesBuilder {
  readonly #names = new Map<string, NameData>();
  readonly #reverse: ReverseName[] = [];
  readonly #seen = new Set<string>();

  at(sub: string): NameData {
    const known = this.#names.get(sub);
    if (known !== undefined) return known;
    const data: NameData = {};
    this.#names.set(sub, data);
    return data;
  }

  addAddress(sub: string, address: string): void {
    const type = address.includes(':') ? 'AAAA' : 'A';
    if (!this.#isNew(`${type} ${sub} ${address}`)) return;
    const data = this.at(sub);
    data[type] ??= [];
    data[type].push(address);
  }

  addPort(name: string, protocol: string, port: number, target: string): void {
    const record = { priority: 0, weight: 0, port, target };
    this.#addService('', record);
    if (name !== '') this.#addService(`_${name}._${protocol}`.toLowerCase(), record);
  }

  addReverse(reverse: ReverseName): void {
    if (this.#isNew(`PTR ${reverse.sub} ${reverse.address}`)) this.#reverse.push(reverse);
  }

  finish(): ServiceNames {
    for (const [sub, { SRV }] of [...this.#names]) {
      if (SRV !== undefined) shareWeight(SRV);
      // `_tcp` exists, without data, when `_http._tcp` does (RFC 8020).
      for (let dot = sub.indexOf('.'); dot >= 0; dot = sub.indexOf('.', dot + 1)) {
        this.at(sub.slice(dot + 1));
      }
    }
    return { names: this.#names, reverse: this.#reverse };
  }

  #addService(sub: string, record: SrvData): void {
    if (!this.#isNew(`SRV ${sub} ${record.port} ${record.target}`)) return;
    const data = this.at(sub);
    data.SRV ??= [];
    data.SRV.push({ ...record });
  }

  #isNew(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

function shareWeight(records: SrvData[]): void {
  const weight = Math.max(1, Math.floor(TOTAL_WEIGHT / records.length));
  for (const record of records) record.weight = weight;
}
