import type { EndpointSliceDocument } from '../../../shared/wire/network-documents.ts';
import type { LocalPod } from '../../pods/collaborators.ts';

/** Which slices name which pods, so that a change of a pod costs what its own slices have. */
export class PodsOfSlices {
  readonly #podsOf = new Map<string, string[]>();
  readonly #slicesOf = new Map<string, Set<string>>();

  /** `slice` undefined: it is gone. */
  set(key: string, slice: EndpointSliceDocument | undefined): void {
    for (const pod of this.#podsOf.get(key) ?? []) {
      const slices = this.#slicesOf.get(pod);
      slices?.delete(key);
      if (slices?.size === 0) this.#slicesOf.delete(pod);
    }
    const pods = (slice?.endpoints ?? []).flatMap(({ targetRef }) => targetRef?.uid ?? []);
    if (pods.length === 0) this.#podsOf.delete(key);
    else this.#podsOf.set(key, pods);
    for (const pod of pods) {
      const slices = this.#slicesOf.get(pod) ?? new Set();
      this.#slicesOf.set(pod, slices.add(key));
    }
  }

  slicesOf(podUid: string): string[] {
    return [...(this.#slicesOf.get(podUid) ?? [])];
  }
}

/** The slice with this node's own pods as they are now; of the pods of other nodes only the slice knows. */
export function withLocalPods(
  slice: EndpointSliceDocument,
  nodeName: string,
  localPod: (podUid: string) => LocalPod | undefined,
): EndpointSliceDocument {
  const endpoints = (slice.endpoints ?? []).map((endpoint) => {
    const uid = endpoint.targetRef?.uid;
    const isLocal = endpoint.nodeName === nodeName;
    const pod = isLocal && uid !== undefined ? localPod(uid) : undefined;
    if (pod === undefined) return endpoint;
    return {
      ...endpoint,
      addresses: pod.address === undefined ? [] : [pod.address],
      conditions: { ...endpoint.conditions, ready: pod.ready && !pod.terminating },
    };
  });
  return { ...slice, endpoints };
}
