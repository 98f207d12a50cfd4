import { ApiError } from '../../../shared/errors.ts';
import { type KubeObject, objectKey } from '../../../shared/meta/kube-object.ts';
import { apiVersionOf } from '../../../shared/resources/resource-kind.ts';
import type { ResourceExchange } from '../exchange.ts';
import { respondJson } from '../output/respond.ts';
import { deleteOptions } from '../query/delete-options.ts';
import { listOptions } from '../query/list-options.ts';
import { pageOf } from '../query/page.ts';
import { selectionOf } from '../query/selection.ts';

/** How many objects are under way at once; the store writes what arrives together in one go. */
const AT_ONCE = 50;

/** DELETE of a collection: every object that the selectors name. Answers with the list of them. */
export async function deleteCollection(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, query } = exchange;
  const options = await deleteOptions(exchange);
  const selection = selectionOf(kind, info, query);
  const page = pageOf(parts.registry.cache, kind, selection, listOptions(query, kind, false));
  const items: KubeObject[] = [];
  for (let at = 0; at < page.objects.length; at += AT_ONCE) {
    const batch = page.objects.slice(at, at + AT_ONCE).map(async (object) => {
      try {
        items.push((await parts.registry.delete(kind, objectKey(object), options)).object);
      } catch (error) {
        // Somebody else deleted it meanwhile: it is gone, as asked.
        if (!(error instanceof ApiError && error.reason === 'NotFound')) throw error;
      }
    });
    await Promise.all(batch);
  }
  respondJson(exchange, 200, {
    kind: `${kind.kind}List`,
    apiVersion: apiVersionOf(kind),
    metadata: { resourceVersion: String(page.revision) },
    // Members of a list do not say what they are, as in Go's typed lists.
    items: items.map(({ apiVersion: _apiVersion, kind: _kind, ...item }) => item),
  });
}
