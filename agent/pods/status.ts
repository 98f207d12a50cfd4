import { formatTime } from '../../shared/meta/time.ts';
import { podQosClass } from '../../shared/resources/pod-resources.ts';
import type { Pod, PodStatus } from '../../shared/schema/kubernetes-types.ts';
import {
  type ContainerStatusContext,
  initContainerStatuses,
  mainContainerStatuses,
} from './container-status.ts';
import { podPhase } from './phase.ts';
import { podConditions } from './pod-conditions.ts';

export interface PodStatusContext extends ContainerStatusContext {
  /** No container will be started again. */
  finished: boolean;
  hasSandbox: boolean;
  hostIp: string;
}

/** The status of a pod as the kubelet would report it. Pure. */
export function podStatus(pod: Pod, context: PodStatusContext, nowMs: number): PodStatus {
  const { record } = context;
  const init = initContainerStatuses(pod, context);
  const main = mainContainerStatuses(pod, context);
  const runs = pod.spec.containers.map(({ name }) => record.containers[name]?.run);
  const replacing = runs.some((run) => run?.ended !== undefined && run.replaced === true);
  const before = record.status?.phase;
  const isOver = before === 'Succeeded' || before === 'Failed';
  const phase =
    record.failed !== undefined
      ? 'Failed'
      : isOver
        ? before
        : podPhase(pod, init, main, { finished: context.finished, replacing });
  const facts = { pod, phase, init, main, hasSandbox: context.hasSandbox };
  return {
    phase,
    ...(record.failed ?? {}),
    conditions: podConditions(facts, record.status?.conditions, formatTime(nowMs)),
    hostIP: context.hostIp,
    hostIPs: [{ ip: context.hostIp }],
    ...(record.ip === undefined || record.ip === ''
      ? {}
      : { podIP: record.ip, podIPs: [{ ip: record.ip }] }),
    startTime: record.startTime,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    qosClass: podQosClass(pod.spec),
  };
}
