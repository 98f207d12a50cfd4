import { CONFIG_MAPS } from './config-map.ts';
import { DEPLOYMENTS } from './deployment.ts';
import { ENDPOINT_SLICES } from './endpoint-slice.ts';
import { ENDPOINTS } from './endpoints.ts';
import { EVENTS } from './event.ts';
import { LEASES } from './lease.ts';
import { NAMESPACES } from './namespace.ts';
import { NODES } from './node.ts';
import { PODS } from './pod.ts';
import { REPLICA_SETS } from './replica-set.ts';
import type { ResourceKind } from './resource-kind.ts';
import { SECRETS } from './secret.ts';
import { SERVICES } from './service.ts';
import { SERVICE_ACCOUNTS } from './service-account.ts';

/** Every kind that is served: discovery, routes, OpenAPI, storage and printing derive from these rows. */
export const CATALOG: readonly ResourceKind[] = [
  NAMESPACES,
  NODES,
  PODS,
  REPLICA_SETS,
  DEPLOYMENTS,
  SERVICES,
  ENDPOINTS,
  ENDPOINT_SLICES,
  CONFIG_MAPS,
  SECRETS,
  SERVICE_ACCOUNTS,
  EVENTS,
  LEASES,
];

export function findByKind(group: string, version: string, kind: string): ResourceKind | undefined {
  return CATALOG.find((row) => row.kind === kind && row.group === group && row.version === version);
}

export function findByPlural(
  group: string,
  version: string,
  plural: string,
): ResourceKind | undefined {
  return CATALOG.find(
    (row) => row.plural === plural && row.group === group && row.version === version,
  );
}
