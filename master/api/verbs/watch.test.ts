import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CONFIG_MAPS } from '../../../shared/resources/config-map.ts';
import type { ConfigMap } from '../../../shared/schema/kubernetes-types.ts';
import { type ApiFixture, apiFixture, listenPlain } from '../api-fixture.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Json = { [key: string]: any };

const PATH = '/api/v1/namespaces/default/configmaps';

let clock: ManualClock;
let fixture: ApiFixture;
let base: string;
const open: Watch[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  fixture = await apiFixture({ clock });
  base = await listenPlain(fixture);
});

afterEach(async () => {
  for (const watch of open.splice(0)) watch.stop();
  await fixture.stop();
});

/** The lines of one watch, each awaited when it is asked for. */
class Watch {
  readonly code: number;
  readonly contentType: string | null;
  private readonly abort: AbortController;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  private text = '';

  constructor(answer: Response, abort: AbortController) {
    this.code = answer.status;
    this.contentType = answer.headers.get('content-type');
    this.abort = abort;
    this.reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  }

  /** undefined when the watch has ended. */
  async next(): Promise<Json | undefined> {
    for (;;) {
      const end = this.text.indexOf('\n');
      if (end >= 0) {
        const line = this.text.slice(0, end);
        this.text = this.text.slice(end + 1);
        return JSON.parse(line) as Json;
      }
      const { done, value } = await this.reader.read();
      if (done) return undefined;
      this.text += Buffer.from(value).toString('utf8');
    }
  }

  async take(count: number): Promise<string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const event = await this.next();
      if (event === undefined) break;
      seen.push(`${event['type']} ${event['object'].metadata?.name ?? ''}`);
    }
    return seen;
  }

  stop(): void {
    this.abort.abort();
  }
}

async function watch(query: string, headers: Record<string, string> = {}): Promise<Watch> {
  const abort = new AbortController();
  const answer = await fetch(`${base}${PATH}?watch=1&${query}`, { signal: abort.signal, headers });
  const opened = new Watch(answer, abort);
  open.push(opened);
  return opened;
}

function create(name: string, labels: Record<string, string> = {}, data = {}): Promise<ConfigMap> {
  return fixture.registry.create(CONFIG_MAPS, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels },
    data,
  } as ConfigMap);
}

function change(name: string, next: Partial<ConfigMap>, labels?: Record<string, string>) {
  return fixture.registry.update(CONFIG_MAPS, { namespace: 'default', name }, (current) => ({
    ...current,
    ...next,
    ...(labels === undefined ? {} : { metadata: { ...current.metadata, labels } }),
  }));
}

function remove(name: string) {
  return fixture.registry.delete(CONFIG_MAPS, { namespace: 'default', name });
}

test('without a version the state comes first, then every change', async () => {
  await create('a');
  const events = await watch('');
  expect(await events.take(1)).toEqual(['ADDED a']);
  await create('b');
  await change('b', { data: { x: 'y' } });
  await remove('a');
  expect(await events.take(3)).toEqual(['ADDED b', 'MODIFIED b', 'DELETED a']);
});

test('from a version on come the changes after it', async () => {
  const first = await create('a');
  await create('b');
  const events = await watch(`resourceVersion=${first.metadata.resourceVersion}`);
  expect(events.contentType).toBe('application/json');
  expect(await events.take(1)).toEqual(['ADDED b']);
  await create('c');
  expect(await events.take(1)).toEqual(['ADDED c']);
});

test('changes since a version come whole, however large they are together', async () => {
  const { metadata } = await create('a');
  for (let round = 0; round < 8; round += 1) {
    await change('a', { data: { x: `${round}`.repeat(900_000) } });
  }
  const events = await watch(`resourceVersion=${metadata.resourceVersion}`);
  expect(await events.take(8)).toEqual(Array.from({ length: 8 }, () => 'MODIFIED a'));
  await create('b');
  expect(await events.take(1)).toEqual(['ADDED b']);
});

test('other namespaces are not seen', async () => {
  const { NAMESPACES } = await import('../../../shared/resources/namespace.ts');
  await fixture.registry.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'other' },
  } as never);
  const events = await watch('');
  const elsewhere = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'x', namespace: 'other' },
  };
  await fixture.registry.create(CONFIG_MAPS, elsewhere as ConfigMap);
  await create('mine');
  expect(await events.take(1)).toEqual(['ADDED mine']);
});

test('an object that enters the selection is added, one that leaves it deleted', async () => {
  await create('a', { color: 'red' });
  const events = await watch('labelSelector=color%3Dblue');
  await change('a', {}, { color: 'blue' });
  await change('a', { data: { x: '1' } });
  const left = await change('a', { data: { x: '2' } }, { color: 'green' });
  await remove('a');
  await create('b', { color: 'blue' });
  expect((await events.next())?.['type']).toBe('ADDED');
  expect((await events.next())?.['type']).toBe('MODIFIED');
  const gone = await events.next();
  expect(gone).toMatchObject({
    type: 'DELETED',
    object: {
      metadata: { labels: { color: 'blue' }, resourceVersion: left.metadata.resourceVersion },
      data: { x: '1' },
    },
  });
  expect(await events.take(1)).toEqual(['ADDED b']);
});

test('a watch of one name sees that object alone', async () => {
  await create('a');
  const events = await watch('fieldSelector=metadata.name%3Db');
  await create('b');
  await change('a', { data: { x: 'y' } });
  await remove('b');
  expect(await events.take(2)).toEqual(['ADDED b', 'DELETED b']);
});

test('a version that is too old ends in an ERROR event', async () => {
  await create('a');
  for (let index = 0; index < 1005; index += 1) await change('a', { data: { n: String(index) } });
  const events = await watch('resourceVersion=1');
  expect(events.code).toBe(200);
  expect(await events.next()).toMatchObject({
    type: 'ERROR',
    object: { kind: 'Status', code: 410, reason: 'Expired' },
  });
  expect(await events.next()).toBeUndefined();
});

test('a watch list sends the state and marks its end', async () => {
  await create('a');
  const events = await watch(
    'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true',
  );
  expect(await events.take(1)).toEqual(['ADDED a']);
  expect(await events.next()).toMatchObject({
    type: 'BOOKMARK',
    object: {
      kind: 'ConfigMap',
      metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } },
    },
  });
});

test('bookmarks come each minute to who wants them, and no timer stays behind', async () => {
  const events = await watch('allowWatchBookmarks=true');
  const { metadata } = await create('a');
  clock.advance(60_000);
  expect(await events.take(1)).toEqual(['ADDED a']);
  expect(await events.next()).toMatchObject({
    type: 'BOOKMARK',
    object: { metadata: { resourceVersion: metadata.resourceVersion } },
  });
  clock.advance(60_000);
  expect((await events.next())?.['type']).toBe('BOOKMARK');
});

test('a watch ends after timeoutSeconds', async () => {
  const events = await watch('timeoutSeconds=5');
  clock.advance(5000);
  expect(await events.next()).toBeUndefined();
});

test('in a Table watch only the first event has the column definitions', async () => {
  const events = await watch('', { Accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  await create('a');
  await create('b');
  const [first, second] = [await events.next(), await events.next()];
  expect(first?.['object'].columnDefinitions[0].name).toBe('Name');
  expect(second?.['object'].columnDefinitions).toBeNull();
  expect(second?.['object'].rows[0].cells[0]).toBe('b');
});

test.each([
  [
    'sendInitialEvents=true',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
  ],
  [
    'resourceVersionMatch=NotOlderThan',
    'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
  ],
])('%s is refused', async (query, message) => {
  const answer = await fetch(`${base}${PATH}?watch=1&${query}`);
  expect([answer.status, ((await answer.json()) as Json)['message']]).toEqual([422, message]);
});

test('a reader that does not read is cut off, and others are not held up', async () => {
  const { port, hostname } = new URL(base);
  const lazy = connect(Number(port), hostname);
  lazy.pause();
  const closed = new Promise((resolve) => {
    lazy.once('close', resolve);
    lazy.once('error', resolve);
  });
  lazy.write(`GET ${PATH}?watch=1 HTTP/1.1\r\nHost: x\r\n\r\n`);
  const eager = await watch('');
  await create('big');
  expect(await eager.take(1)).toEqual(['ADDED big']);
  const connections = () =>
    new Promise<number>((resolve) => {
      fixture.http.getConnections((_, count) => resolve(count));
    });
  const before = await connections();
  let rounds = 0;
  while ((await connections()) === before && rounds < 100) {
    rounds += 1;
    await change('big', { data: { x: `${rounds}`.repeat(400_000) } });
    expect(await eager.take(1)).toEqual(['MODIFIED big']);
  }
  expect(rounds).toBeLessThan(100);
  lazy.resume();
  await closed;
});
