import {
  type FieldError,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkQualifiedName } from '../meta/names.ts';
import { canonicalQuantity } from '../meta/quantity.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../schema/kubernetes-types.ts';

/** What an environment variable may take from its pod. */
export const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

/** What a downward API volume may take from its pod. */
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

/** `metadata.labels['app']`: the map and the key. */
function splitSubscript(fieldPath: string): { map: string; key: string } | undefined {
  const parts = /^(.+)\['(.*)'\]$/s.exec(fieldPath);
  return parts === null ? undefined : { map: parts[1] ?? '', key: parts[2] ?? '' };
}

export function validateFieldReference(
  reference: ObjectFieldSelector,
  supported: readonly string[],
  path: string,
): FieldError[] {
  const { apiVersion, fieldPath } = reference;
  if (!apiVersion) return [fieldRequired(`${path}.apiVersion`)];
  if (!fieldPath) return [fieldRequired(`${path}.fieldPath`)];
  const wrong = (why: string): FieldError[] => [
    fieldInvalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`),
  ];
  if (apiVersion !== 'v1') return wrong(`unsupported pod version: ${apiVersion}`);
  const subscript = splitSubscript(fieldPath);
  if (subscript !== undefined) {
    if (subscript.map === 'metadata.annotations') {
      return fieldInvalidEach(
        path,
        subscript.key.toLowerCase(),
        checkQualifiedName(subscript.key.toLowerCase()),
      );
    }
    if (subscript.map === 'metadata.labels') {
      return fieldInvalidEach(path, subscript.key, checkQualifiedName(subscript.key));
    }
    return wrong(`field label does not support subscript: ${fieldPath}`);
  }
  if (!POD_FIELDS.includes(fieldPath)) return wrong(`field label not supported: ${fieldPath}`);
  return supported.includes(fieldPath)
    ? []
    : [fieldNotSupported(`${path}.fieldPath`, fieldPath, supported)];
}

/** `needsContainer`: in a volume, which belongs to no container of its own. */
export function validateResourceReference(
  reference: ResourceFieldSelector,
  path: string,
  needsContainer: boolean,
): FieldError[] {
  const { resource, containerName } = reference;
  const errors: FieldError[] = [];
  if (needsContainer && !containerName) errors.push(fieldRequired(`${path}.containerName`));
  else if (!resource) errors.push(fieldRequired(`${path}.resource`));
  else if (!RESOURCES.includes(resource) && !HUGE_PAGES.test(resource)) {
    errors.push(fieldNotSupported(`${path}.resource`, resource, RESOURCES));
  }
  return [...errors, ...validateDivisor(reference, path)];
}

const POD_FIELDS = [
  ...new Set([
    ...ENV_FIELDS,
    ...VOLUME_FIELDS,
    'spec.restartPolicy',
    'spec.schedulerName',
    'spec.host',
    'status.phase',
  ]),
];
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const HUGE_PAGES = /^(?:limits|requests)\.hugepages-/;
const BYTE_DIVISORS = [
  '1',
  '1k',
  '1M',
  '1G',
  '1T',
  '1P',
  '1E',
  '1Ki',
  '1Mi',
  '1Gi',
  '1Ti',
  '1Pi',
  '1Ei',
];

function validateDivisor({ resource, divisor }: ResourceFieldSelector, path: string): FieldError[] {
  const value = canonicalQuantity(divisor ?? '0');
  if (value === '0') return [];
  const wrong = (rule: string): FieldError[] => [
    fieldInvalid(`${path}.divisor`, resource, `only divisor's values ${rule}`),
  ];
  const name = resource.replace(/^(?:limits|requests)\./, '');
  if (name === 'cpu') {
    if (value === '1m' || value === '1') return [];
    return wrong('1m and 1 are supported with the cpu resource');
  }
  const label = DIVISOR_LABELS[name.startsWith('hugepages-') ? 'hugepages' : name];
  if (label === undefined || BYTE_DIVISORS.includes(value)) return [];
  return wrong(`${BYTE_DIVISORS.join(', ')} are supported with the ${label} resource`);
}

const DIVISOR_LABELS: Readonly<Record<string, string>> = {
  memory: 'memory',
  'ephemeral-storage': 'local ephemeral storage',
  hugepages: 'hugepages',
};
