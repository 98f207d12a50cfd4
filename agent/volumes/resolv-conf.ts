import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** What resolv.conf(5) can say. */
export interface Resolver {
  nameservers: string[];
  searches: string[];
  options: string[];
}

/** What resolvers take at most, as Kubernetes' validation: three servers, 32 search domains. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;

/**
 * The pod's resolver by its dnsPolicy: `None` has only its dnsConfig, all others begin with the node's. ClusterFirst belongs to the
 * cluster's own DNS server; as long as there is none it is like Default.
 */
export function podResolver(pod: Pod, node: Resolver): Resolver {
  const base =
    pod.spec.dnsPolicy === 'None' ? { nameservers: [], searches: [], options: [] } : node;
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const merged = new Map(base.options.map((option) => [option.split(':')[0] ?? option, option]));
  for (const { name = '', value } of options) {
    merged.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  }
  return {
    nameservers: unique([...base.nameservers, ...nameservers]).slice(0, MAX_NAMESERVERS),
    searches: unique([...base.searches, ...searches]).slice(0, MAX_SEARCHES),
    options: [...merged.values()],
  };
}

export function parseResolver(text: string): Resolver {
  const resolver: Resolver = { nameservers: [], searches: [], options: [] };
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver') resolver.nameservers.push(...values.slice(0, 1));
    // The last search line counts.
    else if (keyword === 'search' || keyword === 'domain') resolver.searches = values;
    else if (keyword === 'options') resolver.options.push(...values);
  }
  return resolver;
}

export function formatResolver({ nameservers, searches, options }: Resolver): string {
  const lines = nameservers.map((server) => `nameserver ${server}`);
  if (searches.length > 0) lines.unshift(`search ${searches.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** A server that only the node itself reaches: a stub on a loopback address. */
export function isLoopbackOnly({ nameservers }: Resolver): boolean {
  return nameservers.length > 0 && nameservers.every((server) => /^127\.|^::1$/.test(server));
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
