import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ContainerProbes, ContainerReadiness } from './collaborators.ts';
import type { Failure, ObservedPod } from './observed-pod.ts';
import type { PodMemory } from './pod-memory.ts';

const NO_PROBES: ContainerProbes = {
  isStarted: () => true,
  isReady: () => true,
  follow: () => {},
  failures: () => [],
  forget: () => {},
  stop: () => {},
};

/** What probes and postStart hooks say of the containers of pods. */
export class PodProbes {
  readonly #probes: ContainerProbes;
  readonly #scheme: string;
  readonly #nodeIp: () => string;

  /** `scheme`: what ids of containers begin with in a status. Without `probes` nothing is probed. */
  constructor(parts: {
    probes: ContainerProbes | undefined;
    scheme: string;
    nodeIp: () => string;
  }) {
    this.#probes = parts.probes ?? NO_PROBES;
    this.#scheme = parts.scheme;
    this.#nodeIp = parts.nodeIp;
  }

  /** Probes begin when the postStart hook is over. What was told of a run before this life of the agent holds until a probe differs. */
  follow(memory: PodMemory, pod: Pod, containers: ObservedPod['containers']): void {
    const { record, postStart, preStop } = memory;
    const statuses = [
      ...(record.status?.containerStatuses ?? []),
      ...(record.status?.initContainerStatuses ?? []),
    ];
    const running = containers.filter(({ id, state }) => state === 'running' && !postStart.has(id));
    // A hook of a container that is gone has nothing left to do.
    for (const [id, hook] of [...postStart, ...preStop]) {
      if (!containers.some((one) => one.id === id && one.state === 'running')) hook.abort();
    }
    const probed = running.map(({ container: name, id, startedAt }) => {
      const containerID = `${this.#scheme}://${id}`;
      const status = statuses.find((one) => one.containerID === containerID);
      return {
        name,
        id,
        ...(startedAt === undefined ? {} : { startedAt }),
        ...(status === undefined || memory.startedHere.has(id)
          ? {}
          : { before: { started: status.started === true, ready: status.ready === true } }),
      };
    });
    this.#probes.follow(pod, record.ip || this.#nodeIp(), probed);
  }

  /** Containers that have to be killed, by their id. */
  failures(memory: PodMemory): ObservedPod['failures'] {
    const failures = new Map<string, Failure>();
    for (const id of memory.postStartFailed) failures.set(id, { of: 'postStart' });
    for (const { id, probe, graceSeconds } of this.#probes.failures(memory.uid)) {
      const grace = graceSeconds === undefined ? {} : { graceMs: graceSeconds * 1000 };
      failures.set(id, { of: probe, ...grace });
    }
    return failures;
  }

  /** A container counts as started when its postStart hook is over and its startup probe says so. */
  readinessOf({ record, postStart }: PodMemory): ContainerReadiness {
    const isReadied = (name: string) => !postStart.has(record.containers[name]?.run?.id ?? '');
    return {
      isStarted: (uid, name) => isReadied(name) && this.#probes.isStarted(uid, name),
      isReady: (uid, name) => isReadied(name) && this.#probes.isReady(uid, name),
    };
  }

  forget(podUid: string): void {
    this.#probes.forget(podUid);
  }

  stop(): void {
    this.#probes.stop();
  }
}
