import type { Exchange } from '../exchange.ts';
import {
  aggregatedContentType,
  aggregatedDiscovery,
  apiGroupDocument,
  apiGroupListDocument,
  apiResourceListDocument,
  apiVersionsDocument,
} from '../output/discovery.ts';
import { PageNotFound } from '../output/page-not-found.ts';
import { respondBytes, respondJson } from '../output/respond.ts';

/** GET /api, /apis and what lies below them down to the version. Undefined for other paths. */
export function discoveryHandler(path: string): ((exchange: Exchange) => void) | undefined {
  const [root, first, second, ...rest] = path.split('/').filter((part) => part !== '');
  if (rest.length > 0) return undefined;
  if (root === 'api' && first === undefined) return respondCore;
  if (root === 'api' && first !== undefined && second === undefined) {
    return (exchange) => respondResources(exchange, '', first);
  }
  if (root !== 'apis') return undefined;
  if (first === undefined) return respondGroups;
  if (second === undefined) {
    return (exchange) => respondFound(exchange, apiGroupDocument(exchange.parts.kinds, first));
  }
  return (exchange) => respondResources(exchange, first, second);
}

function respondCore(exchange: Exchange): void {
  const version = aggregatedVersion(exchange);
  if (version !== undefined) respondAggregated(exchange, 'core', version);
  else respondJson(exchange, 200, apiVersionsDocument(exchange.req.headers.host ?? ''));
}

function respondGroups(exchange: Exchange): void {
  const version = aggregatedVersion(exchange);
  if (version !== undefined) respondAggregated(exchange, 'named', version);
  else respondJson(exchange, 200, apiGroupListDocument(exchange.parts.kinds));
}

function respondResources(exchange: Exchange, group: string, version: string): void {
  respondFound(exchange, apiResourceListDocument(exchange.parts.kinds, group, version));
}

function respondFound(exchange: Exchange, document: object | undefined): void {
  if (document === undefined) throw new PageNotFound();
  respondJson(exchange, 200, document);
}

/** KEP-3352: the first form of the Accept header decides. */
function aggregatedVersion({ req }: Exchange): 'v2' | 'v2beta1' | undefined {
  for (const clause of (req.headers.accept ?? '').split(',')) {
    const parts = clause.split(';').map((part) => part.trim());
    if (parts.length === 1) return undefined;
    if (!parts.includes('as=APIGroupDiscoveryList')) continue;
    if (parts.includes('v=v2')) return 'v2';
    if (parts.includes('v=v2beta1')) return 'v2beta1';
  }
  return undefined;
}

function respondAggregated(
  exchange: Exchange,
  scope: 'core' | 'named',
  version: 'v2' | 'v2beta1',
): void {
  const document = aggregatedDiscovery(exchange.parts.kinds, scope, version);
  const bytes = Buffer.from(`${JSON.stringify(document)}\n`);
  exchange.res.setHeader('Vary', 'Accept');
  respondBytes(exchange, 200, bytes, aggregatedContentType(version));
}
