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
