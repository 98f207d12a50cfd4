import { carriedMetadata, newMetadata, statusMetadata } from '../meta/carried-metadata.ts';
import { findCondition } from '../meta/condition.ts';
import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  goQuote,
  goStringSlice,
} from '../meta/field-error.ts';
import { checkCidr, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type { Node } from '../schema/kubernetes-types.ts';
import { ageColumn, column, nameColumn, wideColumn } from './columns.ts';
import { canonicalResources } from './pod-defaults.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';
import { validateAmount } from './resource-requirements.ts';
import { validateTaints } from './scheduling-validation.ts';

export const NODES: ResourceKind<Node> = {
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  verbs: ALL_VERBS,
  subresources: ['status'],
  isVolatile: () => false,
  strategy: {
    // A node registers itself with its status: only nodes and administrators may write it.
    prepareForCreate: (node) => ({
      ...node,
      metadata: newMetadata(node.metadata),
      spec: node.spec ?? {},
      status: node.status ?? {},
    }),
    default: defaultNode,
    validate,
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
      spec: next.spec ?? {},
      status: previous.status,
    }),
    validateUpdate: (next, previous) => [...validate(next), ...validateChange(next, previous)],
    prepareForStatusUpdate: (next, previous) => ({
      ...next,
      metadata: statusMetadata(next.metadata, previous.metadata),
      spec: previous.spec,
    }),
    validateStatusUpdate: validateChange,
  },
  columns: [
    nameColumn(),
    column('Status', 'string', 'The status of the node', statusOf),
    column('Roles', 'string', 'The roles of the node', rolesOf),
    ageColumn(),
    column(
      'Version',
      'string',
      'The version of the agent on the node.',
      ({ status }) => status?.nodeInfo?.kubeletVersion ?? '',
    ),
    wideColumn('Internal-IP', 'string', 'The address within the cluster.', (node) =>
      addressOf(node, 'InternalIP'),
    ),
    wideColumn('External-IP', 'string', 'The address from outside.', (node) =>
      addressOf(node, 'ExternalIP'),
    ),
    wideColumn(
      'OS-Image',
      'string',
      'The operating system.',
      ({ status }) => status?.nodeInfo?.osImage || '<unknown>',
    ),
    wideColumn(
      'Kernel-Version',
      'string',
      'The version of the kernel.',
      ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>',
    ),
    wideColumn(
      'Container-Runtime',
      'string',
      'The container runtime and its version.',
      ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    ),
  ],
  selectableFields: { 'spec.unschedulable': ({ spec }) => String(spec?.unschedulable ?? false) },
};

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function statusOf({ status, spec }: Node): string {
  const ready = findCondition(status?.conditions, 'Ready');
  const readiness = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable ? `${readiness},SchedulingDisabled` : readiness;
}

function rolesOf({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)];
    return key === 'kubernetes.io/role' ? [value] : [];
  });
  const named = [...new Set(roles)].filter((role) => role !== '').sort();
  return named.join(',') || '<none>';
}

function addressOf({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address ?? '<none>';
}

/** What is not said to be kept back is there to be used. podCIDR and podCIDRs say the same. */
function defaultNode(node: Node): Node {
  const { capacity, allocatable = capacity } = node.status ?? {};
  const { podCIDR, podCIDRs } = node.spec ?? {};
  const first = podCIDRs?.[0];
  return {
    ...node,
    spec: {
      ...node.spec,
      ...(podCIDR && !first && { podCIDRs: [podCIDR] }),
      ...(first && !podCIDR && { podCIDR: first }),
    },
    status: {
      ...node.status,
      ...(capacity && { capacity: canonicalResources(capacity) }),
      ...(allocatable && { allocatable: canonicalResources(allocatable) }),
    },
  };
}

function validate(node: Node): FieldError[] {
  const errors = [
    ...validateObjectMeta(node.metadata, false, nameIsDnsSubdomain),
    // The path is Kubernetes' own, although taints are in the spec.
    ...validateTaints(node.spec?.taints, 'metadata.taints'),
    ...validateAmounts(node),
  ];
  const ranges = node.spec?.podCIDRs ?? [];
  for (const [index, range] of ranges.entries()) {
    errors.push(...fieldInvalidEach(`spec.podCIDRs[${index}]`, range, checkCidr(range)));
  }
  const ofSix = ranges.filter((range) => range.includes(':')).length;
  if (ofSix > 1 || ranges.length - ofSix > 1) {
    errors.push(
      fieldInvalid(
        'spec.podCIDRs',
        { goSyntax: goStringSlice(ranges) },
        'may specify no more than one CIDR for each IP family',
      ),
    );
  }
  return errors;
}

function validateAmounts({ status }: Node): FieldError[] {
  return (['capacity', 'allocatable'] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, amount]) =>
      validateAmount(name, amount, `status.${list}.${name}`),
    ),
  );
}

function validateChange(next: Node, previous: Node): FieldError[] {
  const errors = [
    ...validateObjectMetaUpdate(next.metadata, previous.metadata),
    ...validateAmounts(next),
  ];
  const addresses = next.status?.addresses ?? [];
  for (const [index, { type, address }] of addresses.entries()) {
    const isRepeated = addresses
      .slice(0, index)
      .some((other) => other.type === type && other.address === address);
    if (!isRepeated) continue;
    errors.push(
      fieldDuplicate(`status.addresses[${index}]`, {
        goSyntax: `core.NodeAddress{Type:${goQuote(type)}, Address:${goQuote(address)}}`,
      }),
    );
  }
  const ranges = previous.spec?.podCIDRs ?? [];
  if (ranges.length > 0 && !semanticEqual(ranges, next.spec?.podCIDRs)) {
    errors.push(
      fieldForbidden(
        'spec.podCIDRs',
        'node updates may not change podCIDR except from "" to valid',
      ),
    );
  }
  const provider = previous.spec?.providerID;
  if (provider && provider !== next.spec?.providerID) {
    errors.push(
      fieldForbidden(
        'spec.providerID',
        'node updates may not change providerID except from "" to valid',
      ),
    );
  }
  return [...errors, ...validateTaints(next.spec?.taints, 'metadata.taints')];
}
