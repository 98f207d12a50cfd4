import type { JsonObject } from '../shared/meta/kube-object.ts';
import type { Deployment } from '../shared/schema/kubernetes-types.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { Failures } from './failures.ts';
import { withLastApplied } from './last-applied.ts';
import { FILENAME_OPTION, readManifests } from './manifest.ts';
import { secondsAsMs } from './option-values.ts';
import { parseOptions } from './options.ts';
import { Progress } from './progress.ts';
import {
  type DiscoveredResource,
  discover,
  printedKind,
  resourceOf,
  resourcePath,
} from './resource-path.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  ...FILENAME_OPTION,
  wait: {
    type: 'string',
    value: 'SECONDS',
    description: 'end when every Deployment of the manifests is available, fail after this long',
  },
  ...KUBECONFIG_OPTION,
} as const;

export const apply = declareCommand({
  synopsis: ['apply -f FILE... [--wait SECONDS]'],
  about: `Creates the objects of manifests (YAML or JSON), or patches those that exist with what they say. A field that was removed from a
manifest stays as it is: kubectl apply removes it.`,
  options: OPTIONS,
  examples: [
    ['skerry apply -f examples/sample.yaml --wait 60', 'and wait until it runs'],
    ['skerry apply -f database.yaml -f web/', 'with every manifest of a folder'],
    ['cat app.yaml | skerry apply -f -', ''],
  ],
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    if (values.filename === undefined)
      throw new CommandFailure('which manifest? for example: skerry apply -f app.yaml', 2);
    const waitMs = values.wait === undefined ? undefined : secondsAsMs('--wait', values.wait, 1);
    const failures = new Failures();
    const objects = await readManifests(values.filename, failures);
    if (objects.length === 0) {
      failures.end();
      throw new CommandFailure('no objects passed to apply');
    }
    await withClient(values.kubeconfig, async (client) => {
      const resources = await discover(client);
      const applied: { resource: DiscoveredResource; object: JsonObject }[] = [];
      for (const object of objects) {
        await failures.of(async () => {
          const resource = resourceOf(resources, object);
          applied.push({ resource, object: await applyObject(client, resource, object) });
        });
      }
      for (const { resource, object } of waitMs === undefined ? [] : applied) {
        if (resource.kind === 'Deployment')
          await failures.of(() => waitAvailable(client, resource, object, waitMs ?? 0));
      }
    });
    failures.end();
    return 0;
  },
});

async function applyObject(
  client: ApiClient,
  resource: DiscoveredResource,
  object: JsonObject,
): Promise<JsonObject> {
  const metadata = (object['metadata'] ?? {}) as { name?: string; namespace?: string };
  const namespace = metadata.namespace ?? 'default';
  const inNamespace = resource.namespaced ? namespace : undefined;
  const label = `${printedKind(resource)}/${metadata.name ?? ''}`;
  const query = '?fieldManager=skerry&fieldValidation=Strict';
  try {
    const created = await client.json('POST', resourcePath(resource, namespace) + query, {
      body: withLastApplied(object, inNamespace),
    });
    process.stdout.write(`${label} created\n`);
    return created;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    if (error.reason !== 'AlreadyExists') throw new CommandFailure(`${label}: ${error.message}`);
  }
  try {
    const path = resourcePath(resource, namespace, metadata.name);
    const before = await client.json('GET', path);
    const patched = await client.json('PATCH', path + query, {
      body: withLastApplied(object, inNamespace, before),
      type: 'application/strategic-merge-patch+json',
    });
    const version = (value: JsonObject) =>
      (value['metadata'] as { resourceVersion?: string }).resourceVersion;
    process.stdout.write(
      `${label} ${version(before) === version(patched) ? 'unchanged' : 'configured'}\n`,
    );
    return patched;
  } catch (error) {
    if (error instanceof ApiFailure) throw new CommandFailure(`${label}: ${error.message}`);
    throw error;
  }
}

/** Ends when the Deployment's controller has seen it, all its replicas are updated and available, and no older ones are left. */
async function waitAvailable(
  client: ApiClient,
  resource: DiscoveredResource,
  object: JsonObject,
  waitMs: number,
): Promise<void> {
  const { name, namespace } = object['metadata'] as { name: string; namespace: string };
  const signal = AbortSignal.timeout(waitMs);
  const progress = new Progress();
  let last: Deployment | undefined;
  try {
    const path = `${resourcePath(resource, namespace)}?watch=true&fieldSelector=metadata.name%3D${encodeURIComponent(name)}`;
    for await (const event of client.watch(path, signal)) {
      last = event.object as unknown as Deployment;
      const { status, spec, metadata } = last;
      const wanted = spec.replicas ?? 1;
      const seen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
      const counts = [status.replicas, status.updatedReplicas, status.availableReplicas];
      if (seen && counts.every((count) => (count ?? 0) === wanted)) {
        progress.clear();
        process.stdout.write(`deployment/${name} is available: ${wanted} of ${wanted} replicas\n`);
        return;
      }
      progress.show(
        `deployment/${name}: ${status.availableReplicas ?? 0} of ${wanted} replicas available`,
      );
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.clear();
  }
  throw new CommandFailure(
    `deployment/${name} is not available after ${waitMs / 1000} s: ${last?.status.availableReplicas ?? 0} of ${last?.spec.replicas ?? '?'} replicas; \`skerry get pods -n ${namespace}\` and \`skerry describe pod NAME -n ${namespace}\` say why`,
  );
}
