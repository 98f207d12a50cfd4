import type { Pod, Taint } from '../../../shared/schema/kubernetes-types.ts';
import type { Filter } from './filter.ts';

/** Taints of the node that the pod does not tolerate, and cordoned nodes (spec.unschedulable). */
export const taints: Filter = ({ pod }, { node }) => {
  const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule', value: '' };
  if (node.spec.unschedulable === true && !tolerates(pod, cordon))
    return ['node(s) were unschedulable'];
  const refusing = (node.spec.taints ?? []).find(
    (taint) =>
      taint.effect !== 'PreferNoSchedule' && taint.key !== cordon.key && !tolerates(pod, taint),
  );
  return refusing === undefined
    ? []
    : [`node(s) had untolerated taint {${refusing.key}: ${refusing.value ?? ''}}`];
};

/** Whether a toleration of the pod covers the taint (core/v1 Toleration). */
export function tolerates(pod: Pod, taint: Taint): boolean {
  return (pod.spec.tolerations ?? []).some(
    ({ key = '', operator = 'Equal', value = '', effect = '' }) =>
      (effect === '' || effect === taint.effect) &&
      (key === taint.key || (key === '' && operator === 'Exists')) &&
      (operator === 'Exists' || value === (taint.value ?? '')),
  );
}
