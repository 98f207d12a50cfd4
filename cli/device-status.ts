import { PODS } from '../shared/resources/pod.ts';
import { countPods, type PodCounts } from './cluster-status.ts';
import type { DeviceView } from './on-this-device.ts';

/** A device in a few words, by its own disk and its agent's process. */
export interface DeviceStatus {
  dataDir: string;
  /** Absent: it has not joined a cluster. */
  node?: string;
  server?: string;
  agentRuns: boolean;
  agentPid?: number;
  linked: boolean;
  /** What keeps the agent from its master, or the master from serving it; one sentence. */
  obstacle?: string;
  pods: PodCounts;
  /** RFC 3339. */
  certificateEnds?: string;
  /** When the saved state last changed; RFC 3339. */
  savedAt?: string;
}

export function deviceStatus(
  { device, agentPid, linked }: DeviceView,
  dataDir: string,
  nowMs: number,
): DeviceStatus {
  const { enrolment, savedAtMs, objects } = device;
  const obstacle = device.damage ?? device.obstacle;
  const status = PODS.columns.find(({ name }) => name === 'Status');
  return {
    dataDir,
    ...(enrolment && { node: enrolment.nodeName, server: enrolment.server }),
    agentRuns: agentPid !== undefined,
    ...(agentPid !== undefined && { agentPid }),
    linked,
    ...(obstacle !== undefined && { obstacle }),
    pods: countPods(
      objects.pods.map((pod) => ({
        namespace: pod.metadata.namespace ?? '',
        name: pod.metadata.name,
        status: String(status?.cell(pod, nowMs) ?? ''),
      })),
    ),
    ...(enrolment && { certificateEnds: new Date(enrolment.certificateEndsMs).toISOString() }),
    ...(savedAtMs !== undefined && { savedAt: new Date(savedAtMs).toISOString() }),
  };
}
