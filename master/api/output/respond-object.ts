import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceExchange } from '../exchange.ts';
import { isTrue } from '../query/flag.ts';
import { negotiate } from './negotiate.ts';
import { partialObject } from './partial-object.ts';
import { respondBytes, respondJson } from './respond.ts';
import { tableHead, tableRow } from './table.ts';

/** Answers with one stored object in the form that the client accepts: itself, a Table of one row, or its metadata. */
export function respondObject(exchange: ResourceExchange, code: number, object: KubeObject): void {
  const { kind, parts } = exchange;
  const form = negotiate(exchange);
  switch (form.kind) {
    case 'object':
      if (isTrue(exchange.query.get('pretty'))) {
        respondJson(exchange, code, object);
      } else {
        respondBytes(exchange, code, parts.registry.cache.json(kind, object));
      }
      return;
    case 'table': {
      const revision = object.metadata.resourceVersion;
      const head = tableHead(
        kind,
        form,
        revision === undefined ? {} : { resourceVersion: revision },
      );
      const row = tableRow(kind, form, object, parts.clock.nowMs());
      respondJson(exchange, code, { ...head, rows: [row] });
      return;
    }
    case 'partial':
      respondJson(exchange, code, partialObject(object, form.apiVersion));
      return;
  }
}
