import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { apiVersionOf, type ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { ResourceExchange } from '../exchange.ts';
import { negotiate, type OutputForm } from '../output/negotiate.ts';
import { partialObject } from '../output/partial-object.ts';
import { streamJson } from '../output/stream-json.ts';
import { type ListMeta, tableHead, tableRow } from '../output/table.ts';
import { listOptions } from '../query/list-options.ts';
import { type Page, pageOf } from '../query/page.ts';
import { selectionOf } from '../query/selection.ts';

/** GET of a collection: the objects, a Table of them, or their metadata. */
export async function listObjects(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, query } = exchange;
  const form = negotiate(exchange);
  const options = listOptions(query, kind, false);
  const selection = selectionOf(kind, info, query);
  const page = pageOf(parts.registry.cache, kind, selection, options);
  await streamJson(exchange, piecesOf(exchange, form, page));
}

function* piecesOf(exchange: ResourceExchange, form: OutputForm, page: Page): Iterable<Buffer> {
  const { head, items } = frameOf(exchange, form, listMeta(page));
  // The frame is an object whose last field is the empty list.
  yield Buffer.from(`${JSON.stringify({ ...head, [items]: [] }).slice(0, -2)}`);
  const item = itemPrinter(exchange, form);
  let first = true;
  for (const object of page.objects) {
    if (!first) yield COMMA;
    first = false;
    yield item(object);
  }
  yield END;
}

/** The items of a list leave out what the list says already: their kind, which stands first in the bytes of an object. */
function withoutKind(
  kind: ResourceKind,
  print: (object: KubeObject) => Buffer,
): (object: KubeObject) => Buffer {
  const head = JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind });
  const opening = Buffer.from(`${head.slice(0, -1)},`);
  return (object) => {
    const bytes = print(object);
    const isFirst = bytes.subarray(0, opening.byteLength).equals(opening);
    if (!isFirst) return bytes;
    // A copy: the bytes are shared with watchers. The brace takes the place of the last comma.
    const item = Buffer.from(bytes.subarray(opening.byteLength - 1));
    item[0] = BRACE;
    return item;
  };
}

const BRACE = '{'.charCodeAt(0);
const COMMA = Buffer.from(',');
const END = Buffer.from(']}\n');

function listMeta(page: Page): ListMeta {
  return {
    resourceVersion: String(page.revision),
    ...(page.continueToken === undefined ? {} : { continue: page.continueToken }),
    ...(page.remainingItemCount === undefined
      ? {}
      : { remainingItemCount: page.remainingItemCount }),
  };
}

function frameOf(
  { kind }: ResourceExchange,
  form: OutputForm,
  metadata: ListMeta,
): { head: object; items: 'items' | 'rows' } {
  switch (form.kind) {
    case 'object':
      return {
        head: { kind: `${kind.kind}List`, apiVersion: apiVersionOf(kind), metadata },
        items: 'items',
      };
    case 'table':
      return { head: tableHead(kind, form, metadata), items: 'rows' };
    case 'partial':
      return {
        head: { kind: 'PartialObjectMetadataList', apiVersion: form.apiVersion, metadata },
        items: 'items',
      };
  }
}

function itemPrinter(
  { kind, parts }: ResourceExchange,
  form: OutputForm,
): (object: KubeObject) => Buffer {
  const cache = parts.registry.cache;
  const nowMs = parts.clock.nowMs();
  switch (form.kind) {
    case 'object':
      return withoutKind(kind, (object) => cache.json(kind, object));
    case 'table':
      return (object) => Buffer.from(JSON.stringify(tableRow(kind, form, object, nowMs)));
    case 'partial':
      return (object) => Buffer.from(JSON.stringify(partialObject(object, form.apiVersion)));
  }
}
