import type { ApiError } from '../../../shared/errors.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { apiVersionOf, type ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { WatchEvent } from '../../store/watch-cache.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { OutputForm } from './negotiate.ts';
import { partialObject } from './partial-object.ts';
import { failureStatus } from './status.ts';
import { type TableHead, tableHead, tableRow } from './table.ts';

/** Prints the lines of one watch. Objects in full share one Buffer per event among all watchers. */
export interface WatchPrinter {
  event(event: WatchEvent): Buffer;
  line(type: WatchEvent['type'], object: KubeObject): Buffer;
  /** KEP-956; `isEndOfInitial` marks the end of the initial events (KEP-3157). */
  bookmark(revision: number, isEndOfInitial: boolean): Buffer;
  error(error: ApiError): Buffer;
}

export function watchPrinter(exchange: ResourceExchange, form: OutputForm): WatchPrinter {
  const { kind, parts, eventLines } = exchange;
  const print = objectPrinter(exchange, form);
  const line: WatchPrinter['line'] = (type, object) =>
    form.kind === 'object'
      ? joinLine(type, parts.registry.cache.json(kind, object))
      : jsonLine(type, print(object));
  return {
    line,
    event: (event) =>
      form.kind === 'object' ? eventLines.line(event) : line(event.type, event.object),
    bookmark: (revision, isEndOfInitial) =>
      jsonLine('BOOKMARK', bookmarkObject(kind, form, revision, isEndOfInitial)),
    error: (error) => jsonLine('ERROR', failureStatus(error)),
  };
}

/** The lines of the events of this turn of the event loop: serialised once, shared by all watchers, kept by nobody. */
export class EventLines {
  private readonly lines = new Map<WatchEvent, Buffer>();

  line(event: WatchEvent): Buffer {
    const known = this.lines.get(event);
    if (known !== undefined) return known;
    if (this.lines.size === 0) setImmediate(() => this.lines.clear());
    const line = joinLine(event.type, event.json());
    this.lines.set(event, line);
    return line;
  }
}

/** Only the first Table of a watch carries the column definitions. */
function objectPrinter(
  { kind, parts }: ResourceExchange,
  form: OutputForm,
): (object: KubeObject) => object {
  if (form.kind === 'partial') return (object) => partialObject(object, form.apiVersion);
  if (form.kind === 'object') return (object) => object;
  let isFirst = true;
  return (object) => {
    const resourceVersion = object.metadata.resourceVersion ?? '';
    const head: Omit<TableHead, 'columnDefinitions'> & { columnDefinitions: unknown } = tableHead(
      kind,
      form,
      { resourceVersion },
    );
    if (!isFirst) head.columnDefinitions = null;
    isFirst = false;
    return { ...head, rows: [tableRow(kind, form, object, parts.clock.nowMs())] };
  };
}

function bookmarkObject(
  kind: ResourceKind,
  form: OutputForm,
  revision: number,
  isEndOfInitial: boolean,
): object {
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(isEndOfInitial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  switch (form.kind) {
    case 'object':
      return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
    case 'partial':
      return { kind: 'PartialObjectMetadata', apiVersion: form.apiVersion, metadata };
    case 'table':
      return {
        kind: 'Table',
        apiVersion: form.apiVersion,
        metadata: { resourceVersion: String(revision) },
        columnDefinitions: null,
        rows: [
          {
            cells: kind.columns.map(() => ''),
            object: { kind: 'PartialObjectMetadata', apiVersion: form.apiVersion, metadata },
          },
        ],
      };
  }
}

function joinLine(type: string, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, LINE_END]);
}

const LINE_END = Buffer.from('}\n');

function jsonLine(type: string, object: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}
