import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import {
  type PodCgroups,
  type PodNetwork,
  type PodVolumes,
  type Sandbox,
  VolumeError,
} from './collaborators.ts';
import { podLabel } from './pod-label.ts';

/** What the hooks make for a pod. */
export interface PodResources {
  volumes?: ReadonlyMap<string, string>;
  sandbox?: Sandbox;
}

/**
 * One step of a pod's set-up. `setUp` may be repeated at any time and then changes nothing that is right already; `tearDown` of what
 * is not there is no error.
 */
export interface PodHook {
  name: string;
  setUp(pod: Pod, wantedIp: string | undefined): Promise<PodResources>;
  tearDown(podUid: string): Promise<void>;
  /** The event and the waiting reason of a failed set-up. */
  explain(pod: Pod, error: Error): { reason: string; message: string };
}

/** In the order of set-up; tear-down goes backwards. */
export function podHooks(
  cgroups: PodCgroups,
  volumes: PodVolumes,
  network: PodNetwork,
): readonly PodHook[] {
  return [
    {
      name: 'cgroup',
      // The engine makes it.
      setUp: async () => ({}),
      tearDown: (uid) => cgroups.tearDown(uid),
      explain: sandboxFailure,
    },
    {
      name: 'volumes',
      setUp: async (pod) => ({ volumes: await volumes.setUp(pod) }),
      tearDown: (uid) => volumes.tearDown(uid),
      explain: (pod, error) => ({
        reason: 'FailedMount',
        message:
          error instanceof VolumeError
            ? error.message
            : `Unable to attach or mount volumes for pod "${podLabel(pod)}": ${error.message}`,
      }),
    },
    {
      name: 'network',
      setUp: async (pod, wantedIp) => ({ sandbox: await network.setUp(pod, wantedIp) }),
      tearDown: (uid) => network.tearDown(uid),
      explain: sandboxFailure,
    },
  ];
}

function sandboxFailure(_pod: Pod, error: Error) {
  return {
    reason: 'FailedCreatePodSandBox',
    message: `Failed to create pod sandbox: ${error.message}`,
  };
}

/** A hook that failed, with what its event says. */
export class PodSetUpError extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.name = 'PodSetUpError';
    this.reason = reason;
  }
}

/** Runs every hook in order. Throws PodSetUpError at the first that fails; what was set up before stays for the next try. */
export async function setUpPod(
  hooks: readonly PodHook[],
  pod: Pod,
  wantedIp: string | undefined,
): Promise<Required<PodResources>> {
  const resources: PodResources = {};
  for (const hook of hooks) {
    try {
      Object.assign(resources, await hook.setUp(pod, wantedIp));
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error));
      const { reason, message } = hook.explain(pod, cause);
      throw new PodSetUpError(reason, message);
    }
  }
  const { volumes, sandbox } = resources;
  if (volumes === undefined || sandbox === undefined) throw new Error('a set-up hook is missing');
  return { volumes, sandbox };
}

export async function tearDownPod(hooks: readonly PodHook[], podUid: string): Promise<void> {
  for (const hook of [...hooks].reverse()) await hook.tearDown(podUid);
}
