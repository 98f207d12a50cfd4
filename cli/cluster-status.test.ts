import { expect, test } from 'vitest';
import { countNodes, countPods } from './cluster-status.ts';

const named = (name: string, status: string) => ({ namespace: 'default', name, status });

test('a node that takes no new pods is ready all the same', () => {
  const nodes = [
    named('a', 'Ready'),
    named('b', 'Ready,SchedulingDisabled'),
    named('c', 'NotReady'),
  ];
  expect(countNodes(nodes)).toEqual({
    total: 3,
    ready: 2,
    notReady: [{ name: 'c', status: 'NotReady' }],
  });
});

test('pods that neither run nor are done are named', () => {
  const pods = [named('a', 'Running'), named('b', 'Completed'), named('c', 'ErrImagePull')];
  expect(countPods(pods)).toEqual({
    total: 3,
    running: 1,
    completed: 1,
    others: [named('c', 'ErrImagePull')],
  });
});
