import { type ApiClient, ApiFailure } from './api-client.ts';
import { CommandFailure } from './command-failure.ts';
import { installedOptions } from './installed-options.ts';

/**
 * How devices reach the master: `https://HOST:PORT`. The kubeconfig of the master's own machine names the loopback. Throws CommandFailure
 * when nothing else is known.
 */
export async function serverForDevices(client: ApiClient): Promise<string> {
  return chooseServer(client.server, {
    advertised: installedOptions('master')['advertiseAddress']?.text,
    endpoint: await endpointAddress(client),
  });
}

/** `endpoint`: the address of the Service `kubernetes`. */
export function chooseServer(
  reached: string,
  known: { advertised: string | undefined; endpoint: string | undefined },
): string {
  const { hostname, port } = new URL(reached);
  const isLoopback = /^127\.|^localhost$|^\[::1\]$/.test(hostname);
  const host = isLoopback ? (known.advertised ?? known.endpoint) : hostname;
  if (host !== undefined) return `https://${host}:${port || '443'}`;
  throw new CommandFailure(
    'the master knows no address by which devices reach it: start it with --advertise-address ADDRESS (in an installation advertiseAddress in /etc/skerry/master.yaml), or name a --kubeconfig whose server devices reach',
  );
}

/** A master on the loopback alone has none. */
async function endpointAddress(client: ApiClient): Promise<string | undefined> {
  try {
    const path = '/api/v1/namespaces/default/endpoints/kubernetes';
    const { subsets } = (await client.json('GET', path)) as {
      subsets?: { addresses?: { ip: string }[] }[];
    };
    return subsets?.[0]?.addresses?.[0]?.ip;
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 404) return undefined;
    throw error;
  }
}
