import { ApiError } from '../../../shared/errors.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { WatchEvent } from '../../store/watch-cache.ts';
import type { ResourceExchange } from '../exchange.ts';
import { negotiate } from '../output/negotiate.ts';
import { type WatchPrinter, watchPrinter } from '../output/watch-printer.ts';
import { type ListOptions, listOptions, tooLargeResourceVersion } from '../query/list-options.ts';
import { type Selection, selectionOf } from '../query/selection.ts';
import { WatchStream } from '../watch-stream.ts';

/** Without timeoutSeconds a watch ends after half an hour to an hour, as on Kubernetes (--min-request-timeout). */
const SHORTEST_WATCH_MS = 1_800_000;

/** How often a watch with bookmarks learns of the newest revision. */
const BOOKMARK_INTERVAL_MS = 60_000;

/** GET with `watch`: one line of JSON per change (apimachinery watch.Event). */
export function watchObjects(exchange: ResourceExchange): void {
  const { info, kind, query, parts, res } = exchange;
  const form = negotiate(exchange);
  const options = listOptions(query, kind, true);
  const selection = selectionOf(kind, info, query);
  const printer = watchPrinter(exchange, form);
  const stream = new WatchStream(res);
  const source = openSource(exchange, options, selection, printer, stream);
  const stopBookmarks = options.allowBookmarks
    ? sendBookmarks(exchange, printer, stream)
    : undefined;
  const stopTimeout = parts.clock.after(durationMs(options), () => stream.end());
  stream.start(source.backlog, () => {
    source.stop();
    stopTimeout();
    stopBookmarks?.();
  });
  if (source.failed) stream.end();
}

interface Source {
  backlog: Iterable<Buffer>;
  stop(): void;
  failed: boolean;
}

/** The state at the start, if it is wanted, and the subscription to what follows; both are taken in one turn, so nothing is between. */
function openSource(
  { kind, parts }: ResourceExchange,
  options: ListOptions,
  selection: Selection,
  printer: WatchPrinter,
  stream: WatchStream,
): Source {
  const cache = parts.registry.cache;
  const listener = (events: readonly WatchEvent[]) => {
    for (const event of events) {
      const seen = seenThrough(selection, event);
      if (seen !== undefined)
        stream.send(
          seen === 'as it is' ? printer.event(event) : printer.line(seen.type, seen.object),
        );
    }
  };
  const fromNow = options.resourceVersion === undefined || options.resourceVersion === 0;
  if (!fromNow && options.sendInitialEvents !== true) {
    return openFromRevision(options.resourceVersion ?? 0, printer, (revision) =>
      cache.watch(kind, revision, listener),
    );
  }
  const snapshot = cache.snapshot(
    kind,
    selection.namespace === '' ? undefined : selection.namespace,
  );
  const wanted = options.resourceVersion ?? 0;
  if (wanted > snapshot.revision) throw tooLargeResourceVersion(wanted, snapshot.revision);
  const stop = cache.watch(kind, snapshot.revision, listener);
  if (options.sendInitialEvents === false) return { backlog: [], stop, failed: false };
  const objects = selection.isEverything
    ? snapshot.objects
    : snapshot.objects.filter((object) => selection.matches(object));
  const withEndMark = options.sendInitialEvents === true && options.allowBookmarks;
  const endMark = withEndMark ? printer.bookmark(snapshot.revision, true) : undefined;
  return { backlog: initialLines(objects, printer, endMark), stop, failed: false };
}

function openFromRevision(
  revision: number,
  printer: WatchPrinter,
  open: (revision: number) => () => void,
): Source {
  try {
    return { backlog: [], stop: open(revision), failed: false };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { backlog: [printer.error(error)], stop: () => undefined, failed: true };
  }
}

function* initialLines(
  objects: readonly KubeObject[],
  printer: WatchPrinter,
  endMark: Buffer | undefined,
): Iterable<Buffer> {
  for (const object of objects) yield printer.line('ADDED', object);
  if (endMark !== undefined) yield endMark;
}

/**
 * What a watcher of a selection sees of a change: an object that enters the selection is ADDED, one that leaves it is DELETED in
 * the last state that was selected, with the revision of the change.
 */
function seenThrough(
  selection: Selection,
  event: WatchEvent,
): 'as it is' | { type: WatchEvent['type']; object: KubeObject } | undefined {
  if (!selection.isInNamespace(event.object)) return undefined;
  if (selection.isEverything) return 'as it is';
  const was = event.previous !== undefined && selection.matches(event.previous);
  const is = event.type !== 'DELETED' && selection.matches(event.object);
  if (event.type === 'DELETED') return was ? 'as it is' : undefined;
  if (is) {
    const type = was ? 'MODIFIED' : 'ADDED';
    return type === event.type ? 'as it is' : { type, object: event.object };
  }
  if (!was || event.previous === undefined) return undefined;
  const { metadata } = event.previous;
  return {
    type: 'DELETED',
    object: {
      ...event.previous,
      metadata: { ...metadata, resourceVersion: String(event.revision) },
    },
  };
}

function sendBookmarks(
  { parts }: ResourceExchange,
  printer: WatchPrinter,
  stream: WatchStream,
): () => void {
  let cancel: () => void;
  const send = () => {
    stream.send(printer.bookmark(parts.registry.cache.revision(), false));
    cancel = parts.clock.after(BOOKMARK_INTERVAL_MS, send);
  };
  cancel = parts.clock.after(BOOKMARK_INTERVAL_MS, send);
  return () => cancel();
}

function durationMs({ timeoutSeconds }: ListOptions): number {
  if (timeoutSeconds !== undefined && timeoutSeconds > 0) return timeoutSeconds * 1000;
  return SHORTEST_WATCH_MS * (1 + Math.random());
}
