import type {
  Node as KubeNode,
  NodeSelectorRequirement,
  NodeSelectorTerm,
} from '../../../shared/schema/kubernetes-types.ts';
import type { Filter } from './filter.ts';

/** spec.nodeSelector, and the required part of the node affinity. */
export const nodeAffinity: Filter = ({ pod }, { node }) => {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => labels[key] === value,
  );
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const matched =
    required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
  return selected && matched ? [] : ["node(s) didn't match Pod's node affinity/selector"];
};

/** All requirements of a term; a term without any matches nothing. */
function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  node: KubeNode,
): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((requirement) => matches(requirement, labels[requirement.key])) &&
    matchFields.every(
      (requirement) =>
        requirement.key === 'metadata.name' && matches(requirement, node.metadata.name),
    )
  );
}

function matches(
  { operator, values = [] }: NodeSelectorRequirement,
  value: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
