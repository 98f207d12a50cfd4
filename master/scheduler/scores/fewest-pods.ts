import type { Score } from './score.ts';

/** Pods that ask for nothing spread by number. A small weight: it decides between nodes that are otherwise alike. */
export const fewestPods: Score = {
  name: 'fewest-pods',
  weight: 0.1,
  score: (_pod, { podCount, allowedPods }) =>
    allowedPods <= 0 ? 0 : Math.max(0, (100 * (allowedPods - podCount)) / allowedPods),
};
