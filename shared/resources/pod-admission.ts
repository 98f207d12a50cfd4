import { type ApiError, forbidden } from '../errors.ts';
import type { Pod, PodSpec } from '../schema/kubernetes-types.ts';
import { withEvictionTolerations } from './eviction-tolerations.ts';
import { DEFAULT_ACCOUNT } from './service-account.ts';

/** The classes that every cluster has; there are no others yet. */
const CLASS_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
};

const PREEMPTION_POLICY = 'PreemptLowerPriority';

/**
 * The spec of a new pod after the admission plugins Priority, DefaultTolerationSeconds, RuntimeClass and ServiceAccount (the default
 * one's name: no token is mounted).
 * @throws ApiError Forbidden for a class that does not exist, or a priority other than that of the class
 */
export function admittedSpec({ metadata }: Pod, spec: PodSpec): PodSpec {
  const refusal = (why: string): ApiError =>
    forbidden({ group: '', plural: 'pods' }, metadata.name ?? '', why);
  const { priorityClassName = '', preemptionPolicy, runtimeClassName } = spec;
  const priority = priorityClassName === '' ? 0 : CLASS_PRIORITIES[priorityClassName];
  if (priority === undefined) {
    throw refusal(`no PriorityClass with name ${priorityClassName} was found`);
  }
  if (spec.priority !== undefined && spec.priority !== priority) {
    throw refusal(
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`,
    );
  }
  if (preemptionPolicy !== undefined && preemptionPolicy !== PREEMPTION_POLICY) {
    throw refusal(
      `the string value of PreemptionPolicy (${preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${PREEMPTION_POLICY} from the given PriorityClass name`,
    );
  }
  if (runtimeClassName) throw refusal(`pod rejected: RuntimeClass "${runtimeClassName}" not found`);
  return withEvictionTolerations({
    ...spec,
    priority,
    preemptionPolicy: PREEMPTION_POLICY,
    serviceAccountName: spec.serviceAccountName || spec.serviceAccount || DEFAULT_ACCOUNT,
  });
}
