import { expect, it } from 'vitest';
import { stopContainers } from './stop-containers.ts';
import { container, PodBench, pod } from './testing/pod-bench.ts';

it('everything that runs is asked to end, and killed only after the grace of its own pod', async () => {
  const bench = new PodBench();
  await bench.start();
  const containers = (name: string) => [container(name)];
  await bench.apply(pod('a', { containers: containers('willing') }));
  await bench.apply(
    pod('b', { containers: containers('short'), terminationGracePeriodSeconds: 5 }),
  );
  await bench.apply(
    pod('c', { containers: containers('long'), terminationGracePeriodSeconds: 60 }),
  );
  await bench.apply(pod('d', { containers: containers('default') }));
  await bench.worker.stop();
  for (const name of ['short', 'long', 'default']) bench.runtime.ignoresTerm.add(name);
  const stopped = stopContainers(bench.runtime, bench.clock);
  await bench.settle();
  expect(bench.runtime.running()).toEqual(['default', 'long', 'short']);
  await bench.advance(4_999);
  expect(bench.runtime.running()).toEqual(['default', 'long', 'short']);
  await bench.advance(1);
  expect(bench.runtime.running()).toEqual(['default', 'long']);
  await bench.advance(25_000);
  expect(bench.runtime.running()).toEqual(['long']);
  bench.runtime.exit(bench.runtime.idOf('long'), 0);
  expect(await stopped).toBe(4);
  expect(bench.clock.pending).toBe(0);
});

it('when one stop fails, the others are waited for and no timer is left', async () => {
  const bench = new PodBench();
  await bench.start();
  await bench.apply(pod('a', { containers: [container('stuck')] }));
  await bench.apply(pod('b', { containers: [container('stubborn')] }));
  await bench.worker.stop();
  bench.runtime.ignoresTerm.add('stubborn');
  const stuck = bench.runtime.idOf('stuck');
  const signal = bench.runtime.signal.bind(bench.runtime);
  bench.runtime.signal = async (id, name) => {
    if (id === stuck) throw new Error('no such shim');
    await signal(id, name);
  };
  let outcome: string | undefined;
  const stopped = stopContainers(bench.runtime, bench.clock).catch((error: Error) => {
    outcome = error.message;
  });
  await bench.settle();
  expect(outcome).toBeUndefined();
  await bench.advance(30_000);
  await stopped;
  expect(outcome).toBe('no such shim');
  expect(bench.runtime.running()).toEqual(['stuck']);
  expect(bench.clock.pending).toBe(0);
});
