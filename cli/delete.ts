import { type ApiClient, ApiFailure } from './api-client.ts';
import { declareCommand, KUBECONFIG_OPTION, NAMESPACE_OPTION } from './command.ts';
import { CommandFailure } from './command-failure.ts';
import { readManifest } from './manifest.ts';
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
import { type Named, untilGone } from './until-gone.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  filename: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    description: 'every object of a manifest; - is standard input',
  },
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
  synopsis: ['delete KIND NAME... [-n NAMESPACE] [--wait SECONDS]', 'delete -f FILE'],
  about: `Deletes objects, and with them what they own: the pods of a Deployment go too. Pods have the time that they ask for to end, so they
are still there for a moment; --wait waits for that.`,
  options: OPTIONS,
  examples: [
    ['skerry delete pod web-5d4f', 'its ReplicaSet makes another'],
    ['skerry delete deployment web -n shop --wait 60', ''],
    ['skerry delete -f examples/sample.yaml', 'what apply made of it'],
  ],
  exitCodes: '0 done, 1 failed, or one of them was not there, 2 wrong call',
  async run(args) {
    const { values, positionals } = parseOptions(args, OPTIONS, { max: Number.POSITIVE_INFINITY });
    const [word, ...names] = positionals;
    const { filename } = values;
    if (
      (filename === undefined) === (word === undefined) ||
      (word !== undefined && names.length === 0)
    )
      throw new CommandFailure(
        'what? for example: skerry delete pod NAME, or skerry delete -f FILE',
        2,
      );
    const waitMs = values.wait === undefined ? undefined : secondsAsMs('--wait', values.wait, 1);
    return await withClient(values.kubeconfig, async (client) => {
      const resources = await discover(client);
      const given = values.namespace ?? 'default';
      const doomed =
        filename === undefined
          ? names.map((name) => ({
              resource: findResource(resources, word ?? ''),
              namespace: given,
              name,
            }))
          : namedIn(filename, resources, given);
      let missing = 0;
      for (const one of doomed) {
        if (!(await deleteOne(client, one, values['ignore-not-found'] === true))) missing += 1;
      }
      if (waitMs !== undefined) await waitGone(client, doomed, waitMs);
      return missing === 0 ? 0 : 1;
    });
  },
});

/** In the reverse of the order in which they were made. */
function namedIn(file: string, resources: readonly DiscoveredResource[], given: string): Named[] {
  return readManifest(file)
    .map((object) => {
      const metadata = (object['metadata'] ?? {}) as { name?: string; namespace?: string };
      return {
        resource: resourceOf(resources, object),
        namespace: metadata.namespace ?? given,
        name: metadata.name ?? '',
      };
    })
    .reverse();
}

/** Whether it was there, or need not have been. */
async function deleteOne(
  client: ApiClient,
  { resource, namespace, name }: Named,
  ignoreNotFound: boolean,
): Promise<boolean> {
  try {
    await client.json('DELETE', resourcePath(resource, namespace, name), {
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' },
    });
    process.stdout.write(`${printedKind(resource)} "${name}" deleted\n`);
    return true;
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.code !== 404) throw error;
    if (!ignoreNotFound)
      process.stderr.write(`Error from server (${error.reason}): ${error.message}\n`);
    return ignoreNotFound;
  }
}

/** Follows each by a watch until it is gone. */
async function waitGone(
  client: ApiClient,
  doomed: readonly Named[],
  waitMs: number,
): Promise<void> {
  const signal = AbortSignal.timeout(waitMs);
  const progress = new Progress();
  for (const one of doomed) {
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
