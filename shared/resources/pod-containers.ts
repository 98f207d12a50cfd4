import type { Container, PodSpec } from '../schema/kubernetes-types.ts';

/** The init containers in their order, then the main ones. */
export function allContainers(spec: PodSpec): Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers];
}

/** Names are unique over both lists. */
export function containerNamed(spec: PodSpec, name: string): Container | undefined {
  return allContainers(spec).find((container) => container.name === name);
}
