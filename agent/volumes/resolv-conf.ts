import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** What resolv.conf(5) can say. */
export interface Resolver {
  nameservers: string[];
  searches: string[];
  options: string[];
}

/** The cluster's own DNS server. */
export interface ClusterResolver {
  address: string;
  /** `cluster.local`. */
  domain: string;
}

/** What resolvers take at most, as Kubernetes' validation: three servers, 32 search domains, 2048 characters of these. */
const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;

/**
 * The pod's resolver by its dnsPolicy: the cluster's (ClusterFirst, and on the host's network ClusterFirstWithHostNet), the node's
 * (Default, and ClusterFirst on the host's network) or none; its dnsConfig is added. As long as the node does not know the cluster's
 * server, the node's own stands in for it.
 */
export function podResolver(
  pod: Pod,
  node: Resolver,
  cluster: ClusterResolver | undefined,
): Resolver {
  const base = baseResolver(pod, node, cluster);
  const { nameservers = [], searches = [], options = [] } = pod.spec.dnsConfig ?? {};
  const merged = new Map(base.options.map((option) => [option.split(':')[0] ?? option, option]));
  for (const { name = '', value } of options) {
    merged.set(name, value === undefined || value === '' ? name : `${name}:${value}`);
  }
  return {
    nameservers: unique([...base.nameservers, ...nameservers]).slice(0, MAX_NAMESERVERS),
    searches: withinCharacters(unique([...base.searches, ...searches]).slice(0, MAX_SEARCHES)),
    options: [...merged.values()],
  };
}

function baseResolver(pod: Pod, node: Resolver, cluster: ClusterResolver | undefined): Resolver {
  const { dnsPolicy = 'ClusterFirst', hostNetwork = false } = pod.spec;
  if (dnsPolicy === 'None') return { nameservers: [], searches: [], options: [] };
  const wantsCluster =
    dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
  if (!wantsCluster || cluster === undefined) return node;
  const { address, domain } = cluster;
  const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    nameservers: [address],
    searches: unique([...own, ...node.searches]),
    // A name with up to four dots may be one of the cluster: `_http._tcp.web.shop.svc`.
    options: ['ndots:5'],
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
    else if (keyword === 'search' || keyword === 'domain') {
      resolver.searches = values.map((value) => (value === '.' ? value : value.replace(/\.$/, '')));
    } else if (keyword === 'options') resolver.options.push(...values);
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

function withinCharacters(searches: readonly string[]): string[] {
  let length = -1;
  return searches.filter((search) => {
    length += search.length + 1;
    return length <= MAX_SEARCH_CHARACTERS;
  });
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)];
}
