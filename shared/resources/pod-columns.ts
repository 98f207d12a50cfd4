import { isConditionTrue } from '../meta/condition.ts';
import { humanDuration, parseTime } from '../meta/time.ts';
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
} from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts';
import { isTerminal } from './pod-conditions.ts';
import { isSidecar } from './pod-resources.ts';
import type { Column } from './resource-kind.ts';

export const POD_COLUMNS: readonly Column<Pod>[] = [
  nameColumn(),
  column(
    'Ready',
    'string',
    'The aggregate readiness state of this pod for accepting traffic.',
    (pod) => {
      const { ready, total } = summarisePod(pod);
      return `${ready}/${total}`;
    },
  ),
  column(
    'Status',
    'string',
    'The aggregate status of the containers in this pod.',
    (pod) => summarisePod(pod).reason,
  ),
  column(
    'Restarts',
    'string',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    (pod, nowMs) => {
      const { restarts, lastRestartMs } = summarisePod(pod);
      if (restarts === 0 || lastRestartMs === undefined) return String(restarts);
      return `${restarts} (${humanDuration(nowMs - lastRestartMs)} ago)`;
    },
  ),
  ageColumn(),
  wideColumn(
    'IP',
    'string',
    'The IP address allocated to the pod.',
    (pod) => pod.status?.podIPs?.[0]?.ip || '<none>',
  ),
  wideColumn(
    'Node',
    'string',
    'The node that the pod is scheduled onto.',
    (pod) => pod.spec.nodeName || '<none>',
  ),
  wideColumn(
    'Nominated Node',
    'string',
    'The node that waits for other pods to leave before this pod can be scheduled onto it.',
    (pod) => pod.status?.nominatedNodeName || '<none>',
  ),
  wideColumn(
    'Readiness Gates',
    'string',
    'The conditions that must hold besides its containers being ready.',
    (pod) => {
      const gates = pod.spec.readinessGates ?? [];
      if (gates.length === 0) return '<none>';
      const met = gates.filter(({ conditionType }) =>
        isConditionTrue(pod.status?.conditions, conditionType),
      );
      return `${met.length}/${gates.length}`;
    },
  ),
];

/** What one line of `kubectl get pods` says about a pod. */
export interface PodSummary {
  ready: number;
  /** Main containers and sidecars. */
  total: number;
  /** The phase, or what keeps the pod from being simply that. */
  reason: string;
  restarts: number;
  /** When the container that restarted last had ended; undefined when none has. */
  lastRestartMs: number | undefined;
}

/** The status line of a pod, by the rules of the API server's printer. */
function summarisePod(pod: Pod): PodSummary {
  const status = pod.status ?? {};
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const summary: PodSummary = {
    ready: 0,
    total: pod.spec.containers.length + sidecars.length,
    reason: status.reason || status.phase || '',
    restarts: 0,
    lastRestartMs: undefined,
  };
  const isGated = status.conditions?.some(
    ({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated',
  );
  if (isGated) summary.reason = 'SchedulingGated';

  const isInitialising = addInitContainers(summary, pod, sidecars);
  if (!isInitialising || isConditionTrue(status.conditions, 'Initialized')) {
    addContainers(summary, pod, sidecars);
  }
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown';
    else if (!isTerminal(pod)) summary.reason = 'Terminating';
  }
  return summary;
}

/** Returns whether an init container still holds the pod up; the reason then tells which. */
function addInitContainers(summary: PodSummary, pod: Pod, sidecars: readonly string[]): boolean {
  const statuses = pod.status?.initContainerStatuses ?? [];
  for (const [index, status] of statuses.entries()) {
    addRestarts(summary, status);
    const { terminated, waiting } = status.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.includes(status.name) && status.started) {
      if (status.ready) summary.ready += 1;
      continue;
    }
    if (terminated) {
      summary.reason = `Init:${terminationReason(terminated)}`;
    } else if (waiting?.reason && waiting.reason !== 'PodInitializing') {
      summary.reason = `Init:${waiting.reason}`;
    } else {
      summary.reason = `Init:${index}/${pod.spec.initContainers?.length ?? 0}`;
    }
    return true;
  }
  return false;
}

/** Once initialised, only the restarts of sidecars and main containers count. */
function addContainers(summary: PodSummary, pod: Pod, sidecars: readonly string[]): void {
  summary.restarts = 0;
  summary.lastRestartMs = undefined;
  for (const status of pod.status?.initContainerStatuses ?? []) {
    if (sidecars.includes(status.name)) addRestarts(summary, status);
  }
  let hasRunning = false;
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    addRestarts(summary, status);
    const reason = stateReason(status.state);
    if (reason !== undefined) {
      summary.reason = reason;
    } else if (status.ready && status.state?.running) {
      hasRunning = true;
      summary.ready += 1;
    }
  }
  if (summary.reason === 'Completed' && hasRunning) {
    summary.reason = isConditionTrue(pod.status?.conditions, 'Ready') ? 'Running' : 'NotReady';
  }
}

function stateReason(state: ContainerState | undefined): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason;
  return state?.terminated && terminationReason(state.terminated);
}

function terminationReason({ reason, signal, exitCode }: ContainerStateTerminated): string {
  if (reason) return reason;
  return signal ? `Signal:${signal}` : `ExitCode:${exitCode}`;
}

function addRestarts(summary: PodSummary, status: ContainerStatus): void {
  summary.restarts += status.restartCount;
  const endedMs = parseTime(status.lastState?.terminated?.finishedAt);
  if (endedMs === undefined) return;
  summary.lastRestartMs = Math.max(summary.lastRestartMs ?? endedMs, endedMs);
}
