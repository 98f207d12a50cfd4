import type { JsonObject } from '../shared/meta/kube-object.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { Failures } from './failures.ts';
import { FILENAME_OPTION, readManifests } from './manifest.ts';
import { secondsAsMs } from './option-values.ts';
import { parseOptions } from './options.ts';
import { Progress } from './progress.ts';
import {
  type DiscoveredResource,
  discover,
  findResource,
  printedKind,
  resourceOf,
  resourcePath,
} from './resource-path.ts';
import { readNamedTargets } from './targets.ts';
import { type Named, untilGone } from './until-gone.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  ...FILENAME_OPTION,
  ...NAMESPACE_OPTION,
  'ignore-not-found': { type: 'boolean', description: 'what is not there is deleted already' },
  wait: {
    type: 'string',
    value: 'SECONDS',
    description: 'end when they are gone, fail after this long',
  },
  ...KUBECONFIG_OPTION,
} as const;

export const deleteCommand = declareCommand({
  synopsis: [
    'delete KIND NAME... [-n NAMESPACE] [--wait SECONDS]',
    'delete KIND/NAME... [-n NAMESPACE] [--wait SECONDS]',
    'delete -f FILE... [--wait SECONDS]',
  ],
  about: `Deletes objects, and with them what they own: the pods of a Deployment go too. Pods have the time that they ask for to end, so they
are still there for a moment; --wait waits for that.`,
  options: OPTIONS,
  examples: [
    ['skerry delete pod web-5d4f', 'its ReplicaSet makes another'],
    ['skerry delete deployment web -n shop --wait 60', ''],
    ['skerry delete $(skerry get pods -l app=web -o name)', 'what get has found'],
    ['skerry delete -f examples/sample.yaml', 'what apply made of it'],
  ],
  exitCodes: '0 done, 1 failed, or one of them was not there, 2 wrong call',
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: Number.POSITIVE_INFINITY });
    const { filename } = values;
    const targets = filename === undefined ? readNamedTargets(positionals) : undefined;
    if (filename === undefined ? targets === undefined : positionals.length > 0)
      throw new CommandFailure(
        'what? for example: skerry delete pod NAME, or skerry delete -f FILE',
        2,
      );
    const waitMs = values.wait === undefined ? undefined : secondsAsMs('--wait', values.wait, 1);
    const failures = new Failures();
    const objects = await readManifests(filename ?? [], failures);
    await withClient(values.kubeconfig, async (client) => {
      const resources = await discover(client);
      const given = values.namespace ?? 'default';
      const doomed: Named[] = (targets ?? []).map(({ kind, name }) => ({
        resource: findResource(resources, kind),
        namespace: given,
        name,
      }));
      // In the reverse of the order in which they were made.
      for (const object of objects.reverse()) {
        const one = await failures.of(() => namedIn(object, resources, given));
        if (one !== undefined) doomed.push(one);
      }
      const ending: Named[] = [];
      for (const one of doomed) {
        await failures.of(async () => {
          await deleteOne(client, one, values['ignore-not-found'] === true);
          ending.push(one);
        });
      }
      if (waitMs !== undefined) await failures.of(() => waitGone(client, ending, waitMs));
    });
    failures.end();
    if (filename !== undefined && objects.length === 0)
      process.stdout.write('No resources found\n');
    return 0;
  },
});

function namedIn(
  object: JsonObject,
  resources: readonly DiscoveredResource[],
  given: string,
): Named {
  const metadata = (object['metadata'] ?? {}) as { name?: string; namespace?: string };
  return {
    resource: resourceOf(resources, object),
    namespace: metadata.namespace ?? given,
    name: metadata.name ?? '',
  };
}

async function deleteOne(
  client: ApiClient,
  { resource, namespace, name }: Named,
  ignoreNotFound: boolean,
): Promise<void> {
  try {
    await client.json('DELETE', resourcePath(resource, namespace, name), {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
    });
    process.stdout.write(`${printedKind(resource)} "${name}" deleted\n`);
  } catch (error) {
    const isGone = error instanceof ApiFailure && error.code === 404;
    if (!isGone || !ignoreNotFound) throw error;
  }
}

/** Follows each by a watch until it is gone. */
async function waitGone(
  client: ApiClient,
  ending: readonly Named[],
  waitMs: number,
): Promise<void> {
  const signal = AbortSignal.timeout(waitMs);
  const progress = new Progress();
  for (const one of ending) {
    const label = `${printedKind(one.resource)}/${one.name}`;
    progress.show(`waiting for ${label} to end`);
    try {
      await untilGone(client, one, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new CommandFailure(`${label} is still there after ${waitMs / 1000} s`);
    } finally {
      progress.clear();
    }
  }
}
