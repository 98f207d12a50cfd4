import { isSidecar } from '../../shared/resources/pod-resources.ts';
import type { ContainerStatus, Pod, PodCondition } from '../../shared/schema/kubernetes-types.ts';
import { hasStarted, type PodPhase } from './phase.ts';

type Verdict = Pick<PodCondition, 'status' | 'reason' | 'message'>;

interface Facts {
  pod: Pod;
  phase: PodPhase;
  init: readonly ContainerStatus[];
  main: readonly ContainerStatus[];
  hasSandbox: boolean;
}

/** The pod's conditions in the kubelet's order; the time of one changes only with its status. */
export function podConditions(
  facts: Facts,
  previous: readonly PodCondition[] | undefined,
  now: string,
): PodCondition[] {
  const containersReady = containersReadyVerdict(facts);
  const verdicts: [string, Verdict][] = [
    ['PodReadyToStartContainers', { status: facts.hasSandbox ? 'True' : 'False' }],
    ['Initialized', initializedVerdict(facts)],
    ['Ready', readyVerdict(facts.pod, containersReady)],
    ['ContainersReady', containersReady],
    ['PodScheduled', { status: 'True' }],
  ];
  const known = [...(previous ?? []), ...(facts.pod.status?.conditions ?? [])];
  return verdicts.map(([type, verdict]) => {
    const before = known.find((condition) => condition.type === type);
    const isSame = before?.status === verdict.status && before.lastTransitionTime !== undefined;
    return { type, ...verdict, lastTransitionTime: isSame ? before.lastTransitionTime : now };
  }) as PodCondition[];
}

function initializedVerdict({ pod, phase, init, main }: Facts): Verdict {
  const incomplete = (pod.spec.initContainers ?? []).filter((container) => {
    const status = init.find(({ name }) => name === container.name);
    return isSidecar(container) ? status?.started !== true : status?.ready !== true;
  });
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' };
  if (main.some(hasStarted) || incomplete.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${incomplete.map(({ name }) => name).join(' ')}]`,
  };
}

function containersReadyVerdict({ pod, phase, init, main }: Facts): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const isReady = (name: string) => [...init, ...main].find((one) => one.name === name)?.ready;
  const unready = [...sidecars, ...pod.spec.containers].filter(
    ({ name }) => isReady(name) !== true,
  );
  if (unready.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.map(({ name }) => name).join(' ')}]`,
  };
}

/** KEP-580: gates are conditions that others set on the pod's status. */
function readyVerdict(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status !== 'True') return containersReady;
  const messages: string[] = [];
  for (const { conditionType } of pod.spec.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (condition === undefined) {
      messages.push(
        `corresponding condition of pod readiness gate "${conditionType}" does not exist.`,
      );
    } else if (condition.status !== 'True') {
      messages.push(
        `the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`,
      );
    }
  }
  if (messages.length === 0) return { status: 'True' };
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') };
}
