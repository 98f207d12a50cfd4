import { createHash } from 'node:crypto';
import { ApiError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { EVENTS } from '../../shared/resources/event.ts';
import type { Event } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from './registry.ts';

export interface RecordedEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/**
 * Records core/v1 Events of the master's own parts. One that says the same of the same object is counted, not repeated: its name is a
 * digest of what it says. An event that cannot be stored is only logged: nothing waits for events.
 */
export class EventRecorder {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(parts: { registry: Registry; clock: Clock; log: Logger }) {
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** `component` is the event's source: deployment-controller, default-scheduler, … */
  record(component: string, about: KubeObject, event: RecordedEvent): void {
    this.#store(component, about, event).catch((error: unknown) => {
      // A namespace that is going takes no events, on Kubernetes as here.
      const expected =
        error instanceof ApiError && (error.reason === 'Forbidden' || error.reason === 'NotFound');
      if (!expected)
        this.#log.warn('event not stored', {
          reason: event.reason,
          object: about.metadata.name,
          error,
        });
    });
  }

  async #store(component: string, about: KubeObject, event: RecordedEvent): Promise<void> {
    const now = formatTime(this.#clock.nowMs());
    const made = newEvent(component, about, event, now);
    const key = { namespace: made.metadata.namespace ?? '', name: made.metadata.name };
    if (this.#registry.find(EVENTS, key) === undefined) {
      try {
        await this.#registry.create(EVENTS, made);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
      }
    }
    await this.#registry.update(EVENTS, key, (current) => ({
      ...current,
      count: (current.count ?? 1) + 1,
      lastTimestamp: now,
    }));
  }
}

function newEvent(component: string, about: KubeObject, event: RecordedEvent, now: string): Event {
  const { name, namespace, uid, resourceVersion } = about.metadata;
  const digest = createHash('sha256')
    .update([component, about.kind, uid, event.type, event.reason, event.message].join('\n'))
    .digest('hex')
    .slice(0, 16);
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: `${name}.${digest}`,
      namespace: namespace ?? 'default',
      uid: '',
      resourceVersion: '',
      creationTimestamp: '',
    },
    involvedObject: {
      apiVersion: about.apiVersion,
      kind: about.kind,
      name,
      uid,
      resourceVersion,
      ...(namespace !== undefined && { namespace }),
    },
    ...event,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: now,
    lastTimestamp: now,
    count: 1,
  };
}
