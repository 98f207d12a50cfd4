import {
  type Cidr,
  cidrContains,
  formatIpv4,
  isIpv4,
  parseCidr,
  parseIpv4,
} from '../../../shared/meta/cidr.ts';
import type { NameData, SoaData, ZoneRecord } from './records.ts';
import {
  type DnsService,
  type DnsSlice,
  isHeadless,
  type ServiceNames,
  serviceNames,
} from './service-names.ts';

export interface ZoneOptions {
  /** `cluster.local`. */
  domain: string;
  /** Where this server is reached; answered for the zone's own name server. */
  address: string;
  /** Ranges whose reverse names belong to the cluster, `10.42.0.0/16`. */
  cidrs: readonly string[];
}

/** What the zone says to one question. */
export type ZoneAnswer =
  | { kind: 'records'; records: ZoneRecord[]; additionals: ZoneRecord[] }
  /** The name is another name for `target`. */
  | { kind: 'alias'; record: ZoneRecord; target: string }
  /** The name exists, without records of that type. */
  | { kind: 'no-data'; authority: ZoneRecord }
  | { kind: 'no-name'; authority: ZoneRecord }
  /** The name belongs to somebody else. */
  | { kind: 'foreign' };

/** Records change with their endpoints: what resolvers keep is out of date for at most this long. */
const TTL_SECONDS = 5;
const SCHEMA_TTL_SECONDS = 28_800;
const SCHEMA_VERSION = '1.1.0';

interface ServiceEntry {
  service: DnsService | undefined;
  slices: Map<string, DnsSlice>;
  found: ServiceNames;
}

/**
 * The cluster's names, kept up to date change by change: a change costs what its one service has, however many others there are. Pure:
 * after the same changes in any order it answers the same. Names are compared without case.
 */
export class Zone {
  readonly #domain: string;
  readonly #serviceDomain: string;
  readonly #address: string;
  readonly #cidrs: readonly Cidr[];
  /** By `name.namespace`. */
  readonly #services = new Map<string, ServiceEntry>();
  /** Which service a slice (`namespace/name`) belongs to. */
  readonly #sliceOwners = new Map<string, string>();
  /** How many services each namespace has. */
  readonly #namespaces = new Map<string, number>();
  /** By address, then by service. */
  readonly #reverse = new Map<string, Map<string, { names: string[]; cluster: boolean }>>();
  #serial = 1;

  constructor({ domain, address, cidrs }: ZoneOptions) {
    this.#domain = domain.toLowerCase();
    this.#serviceDomain = `svc.${this.#domain}`;
    this.#address = address;
    this.#cidrs = cidrs.map(parseCidr);
  }

  /** Another number after every change of any record. */
  get serial(): number {
    return this.#serial;
  }

  putService(service: DnsService): void {
    this.#change(serviceKey(service.metadata.namespace, service.metadata.name), (entry) => {
      entry.service = service;
    });
  }

  removeService(namespace: string, name: string): void {
    this.#change(serviceKey(namespace, name), (entry) => {
      entry.service = undefined;
    });
  }

  /** The label `kubernetes.io/service-name` says whose slice it is; it may change. */
  putSlice(slice: DnsSlice): void {
    const { namespace = '', name, labels } = slice.metadata;
    const id = `${namespace}/${name}`;
    const ownerName = labels?.['kubernetes.io/service-name'];
    const owner = ownerName === undefined ? undefined : serviceKey(namespace, ownerName);
    const before = this.#sliceOwners.get(id);
    if (before !== undefined && before !== owner) this.removeSlice(namespace, name);
    if (owner === undefined) return;
    this.#sliceOwners.set(id, owner);
    this.#change(owner, (entry) => entry.slices.set(name, slice));
  }

  removeSlice(namespace: string, name: string): void {
    const id = `${namespace}/${name}`;
    const owner = this.#sliceOwners.get(id);
    if (owner === undefined) return;
    this.#sliceOwners.delete(id);
    this.#change(owner, (entry) => entry.slices.delete(name));
  }

  /** `name` in lower case without the trailing dot; `type` as `A`, `SRV`, … or `ANY`. */
  lookup(name: string, type: string): ZoneAnswer {
    if (name === this.#domain || name.endsWith(`.${this.#domain}`)) {
      const path = name.slice(0, Math.max(0, name.length - this.#domain.length - 1));
      return this.#answer(name, type, this.#dataAt(path), this.#soa(this.#domain));
    }
    if (name.endsWith('.in-addr.arpa')) return this.#lookupReverse(name, type);
    return { kind: 'foreign' };
  }

  #change(key: string, change: (entry: ServiceEntry) => void): void {
    const known = this.#services.get(key);
    const entry = known ?? { service: undefined, slices: new Map(), found: NOTHING };
    const existed = entry.service !== undefined;
    change(entry);
    const { service, slices } = entry;
    if (service === undefined && slices.size === 0) this.#services.delete(key);
    else if (known === undefined) this.#services.set(key, entry);
    this.#countNamespace(key, Number(service !== undefined) - Number(existed));
    const found =
      service === undefined ? NOTHING : serviceNames(service, inOrder(slices), this.#serviceDomain);
    const before = entry.found;
    if (before === found || (service !== undefined && isSame(service, before, found))) return;
    entry.found = found;
    this.#replaceReverse(key, before, found);
    this.#serial = (this.#serial + 1) % 2 ** 32;
  }

  #countNamespace(key: string, difference: number): void {
    if (difference === 0) return;
    const namespace = key.slice(key.indexOf('.') + 1);
    const count = (this.#namespaces.get(namespace) ?? 0) + difference;
    if (count === 0) this.#namespaces.delete(namespace);
    else this.#namespaces.set(namespace, count);
  }

  #replaceReverse(key: string, before: ServiceNames, after: ServiceNames): void {
    for (const { address } of before.reverse) {
      const owners = this.#reverse.get(address);
      owners?.delete(key);
      if (owners?.size === 0) this.#reverse.delete(address);
    }
    const own = `${key}.${this.#serviceDomain}`;
    for (const { address, sub, cluster } of after.reverse) {
      const name = sub === '' ? own : `${sub}.${own}`;
      const owners = this.#reverse.get(address) ?? new Map();
      this.#reverse.set(address, owners);
      const known = owners.get(key);
      if (known === undefined) owners.set(key, { names: [name], cluster });
      else known.names.push(name);
    }
  }

  /** What is at a path below the domain; undefined when there is no such name. */
  #dataAt(path: string): NameData | OwnData | undefined {
    if (path === '') return { NS: `ns.dns.${this.#domain}` };
    if (path === 'dns-version') return { TXT: SCHEMA_VERSION };
    if (path === 'ns.dns') return { A: [this.#address] };
    if (path === 'dns' || path === 'svc' || path === 'pod') return {};
    const labels = path.split('.');
    const kind = labels.pop();
    const namespace = labels.pop() ?? '';
    const name = labels.pop();
    if (kind === 'pod') return podData(labels.length === 0 ? name : '');
    if (kind !== 'svc') return undefined;
    if (name === undefined) return this.#namespaces.has(namespace) ? {} : undefined;
    return this.#services.get(`${name}.${namespace}`)?.found.names.get(labels.join('.'));
  }

  #answer(
    name: string,
    type: string,
    data: NameData | OwnData | undefined,
    authority: ZoneRecord,
  ): ZoneAnswer {
    if (data === undefined) return { kind: 'no-name', authority };
    if ('CNAME' in data && data.CNAME !== undefined) {
      const record = { name, type: 'CNAME', ttl: TTL_SECONDS, data: data.CNAME } as const;
      return type === 'CNAME' || type === 'ANY'
        ? { kind: 'records', records: [record], additionals: [] }
        : { kind: 'alias', record, target: data.CNAME };
    }
    const records = recordsOf(name, type, data);
    if (type === 'SOA' && name === this.#domain) records.push(authority);
    if (records.length === 0) return { kind: 'no-data', authority };
    return { kind: 'records', records, additionals: this.#addressesOf(records) };
  }

  /** The addresses of the targets of SRV and NS records. */
  #addressesOf(records: readonly ZoneRecord[]): ZoneRecord[] {
    const targets = new Set<string>();
    for (const record of records) {
      if (record.type === 'SRV') targets.add(record.data.target);
      if (record.type === 'NS') targets.add(record.data);
    }
    return [...targets].flatMap((target) => {
      const data = this.#dataAt(target.slice(0, -this.#domain.length - 1));
      return data === undefined
        ? []
        : [...recordsOf(target, 'A', data), ...recordsOf(target, 'AAAA', data)];
    });
  }

  #lookupReverse(name: string, type: string): ZoneAnswer {
    const address = name.slice(0, -'.in-addr.arpa'.length).split('.').reverse().join('.');
    const owners = [...(this.#reverse.get(address)?.values() ?? [])];
    const cidr = this.#cidrs.find((one) => reverseWithin(one, address));
    if (owners.length === 0 && cidr === undefined) return { kind: 'foreign' };
    const authority = this.#soa(cidr === undefined ? name : reverseZone(cidr));
    const cluster = owners.filter((owner) => owner.cluster);
    const names = (cluster.length > 0 ? cluster : owners).flatMap((owner) => owner.names);
    if (type === 'SOA' && name === authority.name) {
      return { kind: 'records', records: [authority], additionals: [] };
    }
    if (names.length === 0) {
      const between = address.split('.').length < 4;
      return { kind: between ? 'no-data' : 'no-name', authority };
    }
    if (type !== 'PTR' && type !== 'ANY') return { kind: 'no-data', authority };
    const records = names
      .sort()
      .map((data) => ({ name, type: 'PTR', ttl: TTL_SECONDS, data }) as const);
    return { kind: 'records', records, additionals: [] };
  }

  #soa(name: string): ZoneRecord & { type: 'SOA' } {
    const data: SoaData = {
      mname: `ns.dns.${this.#domain}`,
      rname: `hostmaster.${this.#domain}`,
      serial: this.#serial,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL_SECONDS,
    };
    return { name, type: 'SOA', ttl: TTL_SECONDS, data };
  }
}

/** Endpoints that flap behind a cluster IP change no record, and should not look as if they did. */
function isSame(service: DnsService, before: ServiceNames, after: ServiceNames): boolean {
  if (isHeadless(service) || before.names.size !== after.names.size) return false;
  const text = ({ names, reverse }: ServiceNames) => JSON.stringify([[...names], reverse]);
  return text(before) === text(after);
}

/** Names of the zone that belong to no service. */
interface OwnData {
  A?: string[];
  NS?: string;
  TXT?: string;
}

const NOTHING: ServiceNames = { names: new Map(), reverse: [] };

function recordsOf(name: string, type: string, data: NameData | OwnData): ZoneRecord[] {
  const { A, AAAA, SRV, NS, TXT }: NameData & OwnData = data;
  const wanted = (one: string) => type === one || type === 'ANY';
  const records: ZoneRecord[] = [];
  const ttl = TTL_SECONDS;
  if (wanted('A')) for (const data of A ?? []) records.push({ name, type: 'A', ttl, data });
  if (wanted('AAAA'))
    for (const data of AAAA ?? []) records.push({ name, type: 'AAAA', ttl, data });
  if (wanted('SRV')) for (const data of SRV ?? []) records.push({ name, type: 'SRV', ttl, data });
  if (wanted('NS') && NS !== undefined) records.push({ name, type: 'NS', ttl, data: NS });
  if (wanted('TXT') && TXT !== undefined) {
    records.push({ name, type: 'TXT', ttl: SCHEMA_TTL_SECONDS, data: TXT });
  }
  return records;
}

/** `10-42-0-3.ns.pod.…`: an address in words, whether there is such a pod or not (specification §2.6). */
function podData(name: string | undefined): NameData | undefined {
  // A namespace alone: there may be pods in it.
  if (name === undefined) return {};
  const address = name.replaceAll('-', '.');
  return isIpv4(address) ? { A: [address] } : undefined;
}

function serviceKey(namespace: string | undefined, name: string): string {
  return `${name}.${namespace ?? ''}`.toLowerCase();
}

/** Slices by name: what a service answers must not depend on the order of changes. */
function inOrder(slices: ReadonlyMap<string, DnsSlice>): DnsSlice[] {
  if (slices.size < 2) return [...slices.values()];
  return [...slices].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, slice]) => slice);
}

/** Whether a reverse name, `10.42.0.3` or its beginning `10.42`, lies within the range. */
function reverseWithin(cidr: Cidr, address: string): boolean {
  if (isIpv4(address)) return cidrContains(cidr, parseIpv4(address));
  const zone = wholeOctets(cidr);
  return address === zone || address.startsWith(`${zone}.`);
}

function reverseZone(cidr: Cidr): string {
  return `${wholeOctets(cidr).split('.').reverse().join('.')}.in-addr.arpa`;
}

/** `10.42` of 10.42.0.0/16 and of 10.42.0.0/20: zones of reverse names end at whole octets. */
function wholeOctets({ base, prefix }: Cidr): string {
  return formatIpv4(base)
    .split('.')
    .slice(0, Math.max(1, Math.floor(prefix / 8)))
    .join('.');
}
