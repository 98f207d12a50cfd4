import type { BackoffEntry } from './backoff.ts';
import type { Waiting } from './observed-pod.ts';

/** Everything that can be done for a pod, with its arguments; execute.ts has an executor for each. Actions of one plan run together. */
export interface PodActionArguments {
  /** Runs the set-up hooks; a new sandbox counts as the pod's next. */
  setUp: { newSandbox: boolean };
  /** Lets the volumes follow changed ConfigMaps, Secrets or labels. */
  refreshVolumes: object;
  /** Undoes every hook, last first. */
  tearDown: object;
  lookUpImage: { image: string };
  pullImage: { container: string; image: string };
  /** Creates and starts; `backoff` is remembered for the restart after this one. */
  startContainer: {
    container: string;
    attempt: number;
    /** The image was there and nothing was pulled for this start. */
    alreadyPresent: boolean;
    backoff: (BackoffEntry & { specImage: string }) | undefined;
  };
  /** Asks it to end: by its preStop hook, and when that is over by its signal. `graceMs` is the container's own, if not the pod's. */
  terminate: {
    id: string;
    container: string;
    message: string;
    replace: boolean;
    graceMs: number | undefined;
  };
  /** The hook is over, or its time. */
  signalStop: { id: string; container: string };
  kill: { id: string; container: string };
  /** `log`: the attempt whose log goes with it. */
  removeContainer: { id: string; container: string; log: number | undefined };
  /** The agent ends the pod: past its deadline. */
  fail: { reason: string; message: string };
  /** Nothing of the pod is left: tell the master. */
  reportGone: object;
  /** No desired state names the pod and nothing of it is left: drop its logs and its record. */
  forget: object;
}

export type PodAction = {
  [Kind in keyof PodActionArguments]: { kind: Kind } & PodActionArguments[Kind];
}[keyof PodActionArguments];

export interface PodPlan {
  /** To be done now, together. Empty: nothing to do until something changes or `lookAgainAfterMs` is over. */
  actions: PodAction[];
  lookAgainAfterMs?: number;
  /** By container name, for those that are to run and do not. */
  waiting: ReadonlyMap<string, Waiting>;
  /** No container of the pod will be started again. */
  finished: boolean;
}
