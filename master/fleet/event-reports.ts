import { ApiError } from '../../shared/errors.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { EVENTS } from '../../shared/resources/event.ts';
import { PODS } from '../../shared/resources/pod.ts';
import type { Event, ObjectReference } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';
import { RefusedReport } from './report-error.ts';

/** Events about cluster-scoped objects lie in this namespace. */
const CLUSTER_EVENTS_NAMESPACE = 'default';

/** Reports `events/<namespace>/<name>`: the Event, whole; a repeated one has a higher count. */
export class EventReports {
  readonly #registry: Registry;

  constructor(parts: { registry: Registry }) {
    this.#registry = parts.registry;
  }

  /**
   * Takes events about a pod of this node, in the pod's namespace, and about the node itself; those that come when the pod is gone, or its
   * namespace ends, are dropped without a word. Throws RefusedReport, ApiError.
   */
  async take(
    node: string,
    key: { namespace: string; name: string },
    body: JsonObject,
  ): Promise<void> {
    const reported = body as unknown as Partial<Event>;
    if (this.#isLate(node, key.namespace, reported.involvedObject)) return;
    const current = this.#registry.find(EVENTS, key);
    if (!current) {
      try {
        await this.#registry.create(EVENTS, eventOf(node, key, reported));
        return;
      } catch (error) {
        // client-go's recorder passes over it as well.
        if (isOfTerminating(error)) return;
        if (!(error instanceof ApiError && error.reason === 'AlreadyExists')) throw error;
      }
    }
    await this.#registry.update(EVENTS, key, (stored) => {
      if (stored.source?.host !== node) throw new RefusedReport('the event is not of this node');
      return { ...eventOf(node, key, reported), metadata: stored.metadata };
    });
  }

  /** Whether it is about a pod that is gone already. Throws RefusedReport where the node may not speak of it. */
  #isLate(node: string, namespace: string, subject: ObjectReference | undefined): boolean {
    if (subject?.kind === 'Node' && subject.name === node) {
      if (namespace === CLUSTER_EVENTS_NAMESPACE) return false;
      throw new RefusedReport(`events about a node lie in ${CLUSTER_EVENTS_NAMESPACE}`);
    }
    if (subject?.kind !== 'Pod' || subject.namespace !== namespace) {
      throw new RefusedReport('the event is about neither the node nor a pod in its namespace');
    }
    const pod = this.#registry.find(PODS, { namespace, name: subject.name ?? '' });
    if (pod !== undefined && pod.spec.nodeName !== node)
      throw new RefusedReport('the event is about no pod of this node');
    return pod === undefined;
  }
}

function isOfTerminating(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true
  );
}

function eventOf(
  node: string,
  { namespace, name }: { namespace: string; name: string },
  reported: Partial<Event>,
): Event {
  return {
    ...reported,
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace, uid: '', resourceVersion: '', creationTimestamp: '' },
    involvedObject: reported.involvedObject ?? {},
    source: { ...reported.source, host: node },
    ...(reported.reportingInstance === undefined ? {} : { reportingInstance: node }),
  };
}
