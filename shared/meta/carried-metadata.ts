import type { ObjectMeta } from '../schema/kubernetes-types.ts';

/**
 * The metadata of an update: what no client may change comes from the previous object, whatever was sent. `isChanged` raises the
 * generation; it is undefined for kinds that have none.
 */
export function carriedMetadata(
  next: ObjectMeta,
  previous: ObjectMeta,
  isChanged?: boolean,
): ObjectMeta {
  const {
    deletionTimestamp: _timestamp,
    deletionGracePeriodSeconds: _seconds,
    generation: _generation,
    ...free
  } = next;
  const { deletionTimestamp, deletionGracePeriodSeconds, generation } = previous;
  const raised = isChanged ? (generation ?? 0) + 1 : generation;
  return {
    ...free,
    uid: next.uid || previous.uid,
    creationTimestamp: previous.creationTimestamp,
    ...(raised !== undefined && { generation: raised }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
  };
}

/** The metadata of a new object; `generation` 1 for kinds that count their spec's changes. */
export function newMetadata(metadata: ObjectMeta, generation?: number): ObjectMeta {
  const { generation: _generation, selfLink: _selfLink, ...rest } = metadata;
  return generation === undefined ? rest : { ...rest, generation };
}

/** The metadata of a status update: as an update's, and the owners stay too, since the writer knows only the status. */
export function statusMetadata(next: ObjectMeta, previous: ObjectMeta): ObjectMeta {
  const { ownerReferences: _owners, ...carried } = carriedMetadata(next, previous);
  return previous.ownerReferences === undefined
    ? carried
    : { ...carried, ownerReferences: previous.ownerReferences };
}
