import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** The /etc/hosts of a pod with its own network. */
export function podHosts(pod: Pod, ip: string, hostname: string, clusterDomain: string): string {
  const { subdomain } = pod.spec;
  const domain = `${subdomain}.${pod.metadata.namespace ?? ''}.svc.${clusterDomain}`;
  const names =
    subdomain === undefined || subdomain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    `${ip}\t${names}`,
    ...aliasLines(pod),
    '',
  ].join('\n');
}

/** The /etc/hosts of a pod on the node's network: the node's own, and the pod's aliases. */
export function nodeHosts(pod: Pod, hosts: string): string {
  const end = hosts.endsWith('\n') || hosts === '' ? '' : '\n';
  return `# Kubernetes-managed hosts file (host network).\n${hosts}${end}${aliasLines(pod)
    .map((line) => `${line}\n`)
    .join('')}`;
}

function aliasLines(pod: Pod): string[] {
  const aliases = pod.spec.hostAliases ?? [];
  if (aliases.length === 0) return [];
  const lines = aliases.map(({ ip, hostnames = [] }) => [ip, ...hostnames].join('\t'));
  return ['', '# Entries added by HostAliases.', ...lines];
}
