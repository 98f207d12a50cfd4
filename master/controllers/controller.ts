import type { Logger } from '../../shared/logger.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { EventRecorder } from '../store/event-recorder.ts';
import type { Registry } from '../store/registry.ts';

/** What every controller is made of. */
export interface ControllerParts {
  registry: Registry;
  clock: Clock;
  log: Logger;
  events: EventRecorder;
}

/** A kind whose changes wake a controller, and the keys that a change of one object makes due. */
export interface Trigger<T extends KubeObject = KubeObject> {
  kind: ResourceKind<T>;
  /** `previous` is undefined for a new object, `object` is the last state of a removed one. */
  keys(change: { object: T; previous: T | undefined; removed: boolean }): readonly string[];
}

/** A controller brings one keyed thing closer to what is desired; the one loop runs it (controller-runner.ts). */
export interface Controller {
  name: string;
  triggers: readonly Trigger[];
  reconcile(key: string, signal: AbortSignal): Promise<{ afterMs: number } | undefined>;
}

/** A Trigger with its own kind's type, as one of any kind. */
export function trigger<T extends KubeObject>(
  kind: ResourceKind<T>,
  keys: Trigger<T>['keys'],
): Trigger {
  return { kind, keys } as unknown as Trigger;
}
