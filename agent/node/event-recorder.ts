import { createHash } from 'node:crypto';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { eventName } from '../../shared/resources/event.ts';
import type { Event } from '../../shared/schema/kubernetes-types.ts';
import type { Outbox } from '../link/outbox.ts';
import type { EventRecorder } from '../pods/collaborators.ts';

/** Series that are counted; beyond it the oldest is begun anew. As many as the kubelet's correlator keeps (its LRU is 4096). */
const MAX_SERIES = 1024;
/** Events about a node lie here: a Node has no namespace. */
const NODE_EVENTS_NAMESPACE = 'default';

interface Series {
  /** Of the Event. */
  name: string;
  count: number;
  firstTimestamp: string;
}

/** Makes Events of what happens to pods and hands them to the outbox; one that says the same again has a higher count. */
export class ReportedEvents implements EventRecorder {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #nodeName: string;
  readonly #series = new Map<string, Series>();
  #made = 0;

  constructor(parts: { outbox: Outbox; clock: Clock; nodeName: string }) {
    this.#outbox = parts.outbox;
    this.#clock = parts.clock;
    this.#nodeName = parts.nodeName;
  }

  record(
    about: Parameters<EventRecorder['record']>[0],
    event: Parameters<EventRecorder['record']>[1],
  ): void {
    const now = formatTime(this.#clock.nowMs());
    const namespace = about.kind === 'Node' ? NODE_EVENTS_NAMESPACE : about.namespace;
    const said = digestOf([
      about.kind,
      about.uid,
      about.fieldPath ?? '',
      event.type,
      event.reason,
      event.message,
    ]);
    const { name, count, firstTimestamp } = this.#countOne(`${namespace}/${said}`, about.name, now);
    const { namespace: _namespace, ...reference } = about;
    const object: Omit<Event, 'metadata' | 'apiVersion' | 'kind'> = {
      involvedObject: {
        apiVersion: 'v1',
        ...reference,
        ...(about.kind === 'Pod' && { namespace }),
      },
      ...event,
      source: { component: 'kubelet', host: this.#nodeName },
      reportingComponent: 'kubelet',
      reportingInstance: this.#nodeName,
      firstTimestamp,
      lastTimestamp: now,
      count,
    };
    this.#outbox.put({ key: `events/${namespace}/${name}`, body: object as unknown as JsonObject });
  }

  #countOne(key: string, about: string, now: string): Series {
    const before = this.#series.get(key);
    const series = {
      name: before?.name ?? eventName(about, this.#clock.nowMs(), 2 * this.#made++ + 1),
      count: (before?.count ?? 0) + 1,
      firstTimestamp: before?.firstTimestamp ?? now,
    };
    // Set again at the end, so that the first one is the one that was not heard of for longest.
    this.#series.delete(key);
    this.#series.set(key, series);
    if (this.#series.size > MAX_SERIES) this.#series.delete(this.#series.keys().next().value ?? '');
    return series;
  }
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}
