import { createHash } from 'node:crypto';
import { ApiError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { EVENTS, eventName } from '../../shared/resources/event.ts';
import type { Event } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from './registry.ts';

export interface RecordedEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Series that are counted; beyond it the oldest is begun anew. As many as client-go's correlator keeps. */
const MAX_SERIES = 4096;

/**
 * Records core/v1 Events of the master's own parts. One that says the same of the same object is counted, not repeated. An event that cannot be stored is only logged: nothing waits for events.
 */
export class EventRecorder {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** The name of the event that counts what is said, by a digest of that. */
  readonly #names = new Map<string, string>();
  /** Names whose event is being stored. */
  readonly #storing = new Set<string>();
  #made = 0;

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
    const name = this.#nameOf(component, about, event);
    const made = newEvent(component, about, event, { name, now });
    const key = { namespace: made.metadata.namespace ?? '', name };
    if (this.#registry.find(EVENTS, key) === undefined) {
      try {
        this.#storing.add(name);
        await this.#registry.create(EVENTS, made);
        return;
      } catch (error) {
        if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
      } finally {
        this.#storing.delete(name);
      }
    }
    await this.#registry.update(EVENTS, key, (current) => ({
      ...current,
      count: (current.count ?? 1) + 1,
      lastTimestamp: now,
    }));
  }

  #nameOf(component: string, { kind, metadata }: KubeObject, event: RecordedEvent): string {
    const said = [component, kind, metadata.uid, event.type, event.reason, event.message];
    const digest = createHash('sha256').update(said.join('\n')).digest('hex');
    const known = this.#names.get(digest);
    const namespace = metadata.namespace ?? 'default';
    // One that has expired begins anew, at its place in time.
    const name =
      known !== undefined && this.#isKept({ namespace, name: known })
        ? known
        : eventName(metadata.name, this.#clock.nowMs(), 2 * this.#made++);
    this.#names.delete(digest);
    this.#names.set(digest, name);
    if (this.#names.size > MAX_SERIES) this.#names.delete(this.#names.keys().next().value ?? '');
    return name;
  }

  #isKept(key: { namespace: string; name: string }): boolean {
    return this.#storing.has(key.name) || this.#registry.find(EVENTS, key) !== undefined;
  }
}

function newEvent(
  component: string,
  about: KubeObject,
  event: RecordedEvent,
  { name: nameOfEvent, now }: { name: string; now: string },
): Event {
  const { name, namespace, uid, resourceVersion } = about.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: nameOfEvent,
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
