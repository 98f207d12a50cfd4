import { expect, test } from 'vitest';
import { ApiFailure } from './api-client.ts';
import type { DiscoveredResource } from './resource-path.ts';
import { untilGone } from './until-gone.ts';

const PODS = { groupVersion: 'v1', kind: 'Pod', name: 'pods', namespaced: true };
const WEB = { resource: PODS as DiscoveredResource, namespace: 'shop', name: 'web' };

/** Answers looks by these versions (undefined: gone), and watches by these types of events; what was asked. */
function server(versions: (string | undefined)[], watches: string[][]) {
  const asked: string[] = [];
  return {
    asked,
    async json(_method: string, path: string) {
      asked.push(path);
      const resourceVersion = versions.shift();
      if (resourceVersion === undefined) throw new ApiFailure(404, 'NotFound', 'gone');
      return { metadata: { resourceVersion } };
    },
    async *watch(path: string) {
      asked.push(path.replace(/.*resourceVersion=/, 'since '));
      for (const type of watches.shift() ?? []) yield { type, object: {} };
    },
  };
}

const signal = new AbortController().signal;

test('an object is gone when its end is seen, or when it is no more', async () => {
  const seen = server(['5'], [['MODIFIED', 'DELETED']]);
  await untilGone(seen, WEB, signal);
  expect(seen.asked).toEqual(['/api/v1/namespaces/shop/pods/web', 'since 5']);
  await untilGone(server([undefined], []), WEB, signal);
});

test('a watch that the server ends is followed by another look', async () => {
  const ended = server(['5', '9', undefined], [['MODIFIED'], ['ERROR']]);
  await untilGone(ended, WEB, signal);
  expect(ended.asked.filter((path) => path.startsWith('since'))).toEqual(['since 5', 'since 9']);
});

test('a wait that is given up is no end', async () => {
  await expect(untilGone(server(['5'], [[]]), WEB, AbortSignal.abort())).rejects.toThrow();
});
