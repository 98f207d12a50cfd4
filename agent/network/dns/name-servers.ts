import { isIpv4 } from '../../../shared/meta/cidr.ts';
import { parseResolver } from '../../volumes/resolv-conf.ts';

/** More would only make a client wait longer; the C library takes as many. */
const MAX_SERVERS = 3;

/** The servers that a resolv.conf(5) names, without the cluster's own: asking that would ask ourselves. */
export function nameServers(text: string, own: string | undefined): string[] {
  const servers = parseResolver(text)
    .nameservers.map((server) => (server === '0.0.0.0' ? '127.0.0.1' : server))
    .filter((server) => server !== own && (isIpv4(server) || server.includes(':')));
  return [...new Set(servers)].slice(0, MAX_SERVERS);
}
