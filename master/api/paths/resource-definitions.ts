import type { Exchange } from '../exchange.ts';
import { respondJson } from '../output/respond.ts';
import type { RequestInfo } from '../request-info.ts';

const GROUP = 'apiextensions.k8s.io';

/**
 * Whether custom resources are asked for. kubectl does, without a look at discovery, before it says that a kind does not exist
 * (k8s.io/kubectl cmd/util NewCRDFinder): a 404 would hide that sentence behind another.
 */
export function isDefinitionList(info: RequestInfo): boolean {
  return (
    info.isResource &&
    info.verb === 'list' &&
    info.group === GROUP &&
    info.version === 'v1' &&
    info.resource === 'customresourcedefinitions'
  );
}

/** There are none. */
export function respondDefinitions(exchange: Exchange): void {
  respondJson(exchange, 200, {
    kind: 'CustomResourceDefinitionList',
    apiVersion: `${GROUP}/v1`,
    metadata: {},
    items: [],
  });
}
