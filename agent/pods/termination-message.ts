import { containerNamed } from '../../shared/resources/pod-containers.ts';
import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { PodLogs, PodVolumes } from './collaborators.ts';
import type { ObservedPod } from './observed-pod.ts';
import type { PodMemory } from './pod-memory.ts';

export interface MessageSources {
  volumes: Pick<PodVolumes, 'terminationMessage'>;
  logs: Pick<PodLogs, 'tail'>;
}

/** Termination messages of containers whose end is new; the file is the last attempt's. */
export async function readMessages(
  memory: PodMemory,
  pod: Pod | undefined,
  containers: ObservedPod['containers'],
  sources: MessageSources,
): Promise<void> {
  if (pod === undefined) return;
  for (const { id, container, attempt, state, exitCode } of containers) {
    const run = memory.record.containers[container]?.run;
    const isNew =
      run === undefined || run.attempt < attempt || (run.id === id && run.ended === undefined);
    const isLast = !containers.some((one) => one.container === container && one.attempt > attempt);
    if (state !== 'exited' || !isNew || !isLast || memory.messages.has(id)) continue;
    memory.messages.set(id, await terminationMessage(pod, container, attempt, exitCode, sources));
  }
}

async function terminationMessage(
  pod: Pod,
  name: string,
  attempt: number,
  exitCode: number,
  { volumes, logs }: MessageSources,
): Promise<string> {
  const message = await volumes.terminationMessage(pod.metadata.uid, name);
  const container = containerNamed(pod.spec, name);
  const wantsLog = container?.terminationMessagePolicy === 'FallbackToLogsOnError';
  if (message !== '' || exitCode === 0 || !wantsLog) return message;
  return await logs.tail(pod, name, attempt);
}
