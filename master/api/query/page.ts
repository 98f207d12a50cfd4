import { expired } from '../../../shared/errors.ts';
import { type KubeObject, objectKey } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { Snapshot, WatchCache, WatchEvent } from '../../store/watch-cache.ts';
import { type Continue, decodeContinue, encodeContinue } from './continue-token.ts';
import { ExpiredContinue } from './expired-continue.ts';
import { type ListOptions, tooLargeResourceVersion } from './list-options.ts';
import type { Selection } from './selection.ts';

/** One page of a list. */
export interface Page {
  revision: number;
  objects: readonly KubeObject[];
  /** Absent on the last page. */
  continueToken?: string;
  /** Absent on the last page, and with a selector. */
  remainingItemCount?: number;
}

/**
 * The page that the options ask for. Pages of one list show the same revision: what changed since the first page is undone from
 * the history. Throws Expired when that does not reach back, Timeout for a revision that is still to come.
 */
export function pageOf(
  cache: WatchCache,
  kind: ResourceKind,
  selection: Selection,
  options: ListOptions,
): Page {
  const token = options.continueToken === '' ? undefined : decodeContinue(options.continueToken);
  const snapshot = snapshotFor(cache, kind, selection, options, token);
  const from = token === undefined ? 0 : firstIndexFrom(snapshot.objects, token.start);
  if (selection.isEverything) return cut(snapshot, from, options.limit);
  const objects: KubeObject[] = [];
  for (let index = from; index < snapshot.objects.length; index += 1) {
    const object = snapshot.objects[index];
    if (object === undefined || !selection.matches(object)) continue;
    if (options.limit > 0 && objects.length === options.limit) {
      return { revision: snapshot.revision, objects, continueToken: tokenAfter(snapshot, objects) };
    }
    objects.push(object);
  }
  return { revision: snapshot.revision, objects };
}

function snapshotFor(
  cache: WatchCache,
  kind: ResourceKind,
  selection: Selection,
  options: ListOptions,
  token: Continue | undefined,
): Snapshot {
  const now = cache.snapshot(kind, selection.namespace === '' ? undefined : selection.namespace);
  const wanted = options.resourceVersion;
  if (wanted !== undefined && wanted > now.revision) {
    throw tooLargeResourceVersion(wanted, now.revision);
  }
  if (token !== undefined && token.revision > 0) {
    return rewound(
      cache,
      kind,
      selection,
      now,
      token.revision,
      () => new ExpiredContinue({ revision: -1, start: token.start }),
    );
  }
  if (options.exact && wanted !== undefined) {
    return rewound(cache, kind, selection, now, wanted, () =>
      expired(`The resourceVersion for the provided list is too old.`),
    );
  }
  return now;
}

/** The snapshot as it was at an earlier revision. */
function rewound(
  cache: WatchCache,
  kind: ResourceKind,
  selection: Selection,
  now: Snapshot,
  revision: number,
  tooOld: () => Error,
): Snapshot {
  if (revision >= now.revision) return now;
  const events: WatchEvent[] = [];
  try {
    cache.watch(kind, revision, (batch) => events.push(...batch))();
  } catch {
    throw tooOld();
  }
  const relevant = events.filter(
    (event) => event.revision <= now.revision && selection.isInNamespace(event.object),
  );
  return { revision, objects: undo(now.objects, relevant) };
}

/** The objects before the events, which are in revision order. */
function undo(
  objects: readonly KubeObject[],
  events: readonly WatchEvent[],
): readonly KubeObject[] {
  if (events.length === 0) return objects;
  const before = new Map<string, KubeObject | undefined>();
  for (const event of events) {
    const key = keyText(event.object);
    if (!before.has(key)) before.set(key, event.previous);
  }
  const kept = objects.filter((object) => !before.has(keyText(object)));
  const restored = [...before.values()].filter((object) => object !== undefined);
  return [...kept, ...restored].sort(compareObjects);
}

function cut(snapshot: Snapshot, from: number, limit: number): Page {
  const { revision } = snapshot;
  const rest = snapshot.objects.length - from;
  if (limit === 0 || rest <= limit) {
    const objects = from === 0 ? snapshot.objects : snapshot.objects.slice(from);
    return { revision, objects };
  }
  const objects = snapshot.objects.slice(from, from + limit);
  return {
    revision,
    objects,
    continueToken: tokenAfter(snapshot, objects),
    remainingItemCount: rest - limit,
  };
}

function tokenAfter(snapshot: Snapshot, objects: readonly KubeObject[]): string {
  const last = objects.at(-1);
  const start = last === undefined ? '\0' : `${keyText(last)}\0`;
  return encodeContinue({ revision: snapshot.revision, start });
}

/** Binary search; a start is a key with a NUL behind it, so no key equals it. */
function firstIndexFrom(objects: readonly KubeObject[], start: string): number {
  let low = 0;
  let high = objects.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const object = objects[middle];
    if (object !== undefined && keyText(object) < start) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the cache orders by; the namespace is empty for cluster-scoped objects. */
function keyText(object: KubeObject): string {
  const { namespace, name } = objectKey(object);
  return `${namespace}/${name}`;
}

function compareObjects(a: KubeObject, b: KubeObject): number {
  return keyText(a) < keyText(b) ? -1 : 1;
}
