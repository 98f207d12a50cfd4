import { type ApiClient, ApiFailure } from './api-client.ts';
import { type DiscoveredResource, resourcePath } from './resource-path.ts';

/** One object. */
export interface Named {
  resource: DiscoveredResource;
  namespace: string;
  name: string;
}

/**
 * Resolves when the object is gone. Each watch begins where the look before it ended, so that no end is missed in between; one that the
 * server ends says nothing of the object. Throws when `signal` aborts.
 */
export async function untilGone(
  client: Pick<ApiClient, 'json' | 'watch'>,
  { resource, namespace, name }: Named,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const version = await versionOf(client, resourcePath(resource, namespace, name));
    if (version === undefined) return;
    const query = new URLSearchParams({
      watch: 'true',
      fieldSelector: `metadata.name=${name}`,
      resourceVersion: version,
    });
    const path = `${resourcePath(resource, namespace)}?${query}`;
    for await (const { type } of client.watch(path, signal)) if (type === 'DELETED') return;
    signal.throwIfAborted();
  }
}

/** Undefined when it is gone. */
async function versionOf(
  client: Pick<ApiClient, 'json'>,
  path: string,
): Promise<string | undefined> {
  try {
    const { metadata } = (await client.json('GET', path)) as {
      metadata?: { resourceVersion?: string };
    };
    return metadata?.resourceVersion ?? '';
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 404) return undefined;
    throw error;
  }
}
