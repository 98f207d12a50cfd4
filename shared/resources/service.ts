import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { Service } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';
import { carryAllocated, defaultService } from './service-defaults.ts';
import { validateService, validateServiceUpdate } from './service-validation.ts';

export const SERVICES: ResourceKind<Service> = {
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: ['status'],
  isVolatile: () => false,
  strategy: {
    prepareForCreate: (service) => ({
      ...service,
      metadata: newMetadata(service.metadata),
      spec: service.spec ?? {},
      status: { loadBalancer: {} },
    }),
    default: defaultService,
    validate: (service) => validateService(service),
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
      spec: carryAllocated(next.spec ?? {}, previous.spec),
      status: statusFor(next, previous.status),
    }),
    validateUpdate: validateServiceUpdate,
    prepareForStatusUpdate: (next, previous) => ({
      ...next,
      metadata: statusMetadata(next.metadata, previous.metadata),
      spec: previous.spec,
      status: statusFor(previous, next.status),
    }),
    validateStatusUpdate: (next, previous) =>
      validateObjectMetaUpdate(next.metadata, previous.metadata),
  },
  columns: [
    nameColumn(),
    column('Type', 'string', 'How the service is reached.', ({ spec }) => spec.type ?? ''),
    column(
      'Cluster-IP',
      'string',
      'The address within the cluster.',
      ({ spec }) => spec.clusterIPs?.[0] ?? '<none>',
    ),
    column('External-IP', 'string', 'The address from outside.', externalIp),
    column('Port(s)', 'string', 'The ports it is reached at.', portsOf),
    ageColumn(),
    wideColumn('Selector', 'string', 'The labels of the pods behind it.', ({ spec }) => {
      const labels = Object.entries(spec.selector ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
      return labels.map(([key, value]) => `${key}=${value}`).join(',') || '<none>';
    }),
  ],
  selectableFields: {
    'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '',
    'spec.type': ({ spec }) => spec.type ?? '',
  },
};

/** Only a load balancer has addresses of one; nodes take them for their own (ipMode VIP) unless it says otherwise. */
function statusFor({ spec }: Service, status: Service['status']): Service['status'] {
  if (spec?.type !== 'LoadBalancer') return { ...status, loadBalancer: {} };
  const { ingress } = status?.loadBalancer ?? {};
  if (ingress === undefined) return status;
  const complete = ingress.map((one) => (one.ip ? { ...one, ipMode: one.ipMode ?? 'VIP' } : one));
  return { ...status, loadBalancer: { ...status?.loadBalancer, ingress: complete } };
}

function externalIp({ spec, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.join(',') || '<none>';
    case 'LoadBalancer': {
      const ingress = status?.loadBalancer?.ingress ?? [];
      const addresses = ingress.map(({ ip, hostname }) => ip || hostname || '');
      const known = [...new Set(addresses)].filter((address) => address !== '').sort();
      return [...known, ...external].join(',') || '<pending>';
    }
    case 'ExternalName':
      return spec.externalName ?? '';
    default:
      return '<unknown>';
  }
}

function portsOf({ spec }: Service): string {
  const ports = (spec.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return ports.join(',') || '<none>';
}
