import { expect, test } from 'vitest';
import { ContainerIndex } from './container-index.ts';
import { FakeRuntime } from './testing/fake-runtime.ts';

const NOW_MS = 1_700_000_000_000;

/** A runtime whose next list is taken at once and handed over only when the test says so. */
class SlowRuntime extends FakeRuntime {
  handOver: () => void = () => {};

  override async list() {
    const listed = await super.list();
    await new Promise<void>((resolve) => {
      this.handOver = resolve;
    });
    return listed;
  }
}

function container(id: string, state: 'created' | 'running' = 'running') {
  return {
    id,
    name: id,
    labels: { 'io.kubernetes.pod.uid': 'p1', 'io.kubernetes.container.name': id },
    state,
    createdAt: new Date(NOW_MS).toISOString(),
    image: 'docker.io/library/app:1',
    imageId: 'app',
  };
}

/** An index in the middle of a refresh, whose list shows `containers`. */
async function refreshing(...containers: ReturnType<typeof container>[]) {
  const runtime = new SlowRuntime(() => NOW_MS);
  for (const one of containers) runtime.containers.set(one.id, one);
  const index = new ContainerIndex(runtime);
  for (const one of containers) index.put(one);
  const refreshed = index.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  const finish = async () => {
    runtime.handOver();
    await refreshed;
    return index.ofPod('p1');
  };
  return { index, finish };
}

test('a container that is made while the list is read is not taken for lost', async () => {
  const { index, finish } = await refreshing();
  index.put(container('web', 'created'));
  index.started('web', new Date(NOW_MS).toISOString());
  expect(await finish()).toMatchObject([{ id: 'web', state: 'running' }]);
});

test('an exit that is heard while the list is read counts, though the list shows the container as running', async () => {
  const { index, finish } = await refreshing(container('web'));
  expect(index.exited({ id: 'web', exitCode: 3, oomKilled: false, finishedAtMs: NOW_MS })).toBe(
    'p1',
  );
  expect(await finish()).toMatchObject([{ id: 'web', state: 'exited', exitCode: 3 }]);
});

test('an exit of a container that only the list knows counts, too', async () => {
  const runtime = new SlowRuntime(() => NOW_MS);
  runtime.containers.set('web', container('web'));
  const index = new ContainerIndex(runtime);
  const refreshed = index.refresh();
  await new Promise((resolve) => setImmediate(resolve));
  index.exited({ id: 'web', exitCode: 3, oomKilled: false, finishedAtMs: NOW_MS });
  runtime.handOver();
  await refreshed;
  expect(index.ofPod('p1')).toMatchObject([{ state: 'exited', exitCode: 3 }]);
});

test('a container that is removed while the list is read stays removed', async () => {
  const { index, finish } = await refreshing(container('web'), container('db'));
  index.removed('web');
  expect(await finish()).toMatchObject([{ id: 'db' }]);
});

test('what changed before a refresh is read from the list', async () => {
  const { finish } = await refreshing(container('web'));
  expect(await finish()).toMatchObject([{ id: 'web', state: 'running' }]);
});
