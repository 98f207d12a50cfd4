import { isConditionTrue } from '../../../shared/meta/condition.ts';
import type { Filter } from './filter.ts';
import { tolerates } from './taints.ts';

/** Kubernetes taints nodes that are not ready or unreachable; the conditions say the same, a step earlier. */
export const nodeReady: Filter = ({ pod }, { node }) => {
  if (isConditionTrue(node.status.conditions, 'Ready')) return [];
  const status = node.status.conditions?.find(({ type }) => type === 'Ready')?.status;
  const key =
    status === 'Unknown' ? 'node.kubernetes.io/unreachable' : 'node.kubernetes.io/not-ready';
  const taint = { key, effect: 'NoSchedule', value: '' };
  return tolerates(pod, taint) ? [] : [`node(s) had untolerated taint {${key}: }`];
};
