import type { ApiClient } from './api-client.ts';
import { installedOptions } from './installed-options.ts';

/** How devices reach the master: `https://HOST:PORT`. The kubeconfig of the master's own machine names the loopback. */
export async function serverForDevices(client: ApiClient): Promise<string> {
  const endpoints = (await client.json(
    'GET',
    '/api/v1/namespaces/default/endpoints/kubernetes',
  )) as { subsets?: { addresses?: { ip: string }[] }[] };
  const advertised = installedOptions('master')['advertiseAddress'];
  return chooseServer(client.server, {
    advertised: advertised?.text,
    endpoint: endpoints.subsets?.[0]?.addresses?.[0]?.ip,
  });
}

/** `endpoint`: the address of the Service `kubernetes`. */
export function chooseServer(
  reached: string,
  known: { advertised: string | undefined; endpoint: string | undefined },
): string {
  const { hostname, port } = new URL(reached);
  const isLoopback = /^127\.|^localhost$|^\[::1\]$/.test(hostname);
  const host = isLoopback ? (known.advertised ?? known.endpoint ?? hostname) : hostname;
  return `https://${host}:${port || '443'}`;
}
