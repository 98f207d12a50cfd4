import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkQualifiedName } from '../meta/names.ts';
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
} from '../meta/quantity.ts';
import type { ResourceRequirements } from '../schema/kubernetes-types.ts';

/** Requests and limits of a container (core validation, ValidateContainerResourceRequirements). */
export function validateRequirements(
  requirements: ResourceRequirements | undefined,
  path: string,
): FieldError[] {
  if (requirements === undefined) return [];
  const errors: FieldError[] = [];
  const limits = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(requirements.limits ?? {})) {
    const at = `${path}.limits[${name}]`;
    errors.push(...validateResourceName(name, at));
    const quantity = readAmount(name, text, at, errors);
    if (quantity !== undefined) limits.set(name, quantity);
  }
  for (const [name, text] of Object.entries(requirements.requests ?? {})) {
    const at = `${path}.requests[${name}]`;
    errors.push(...validateResourceName(name, at));
    const request = readAmount(name, text, at, errors);
    if (request !== undefined) errors.push(...compare(name, request, limits.get(name), path));
  }
  const names = Object.keys({ ...requirements.limits, ...requirements.requests });
  if (names.some(isHugePages) && !names.some((name) => name === 'cpu' || name === 'memory')) {
    errors.push(fieldForbidden(path, 'HugePages require cpu or memory'));
  }
  return errors;
}

/** Capacity, allocatable: never negative, and whole where only whole ones make sense. */
export function validateAmount(name: string, text: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  readAmount(name, text, path, errors);
  return errors;
}

const STANDARD = [
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
];
const OF_CONTAINERS = ['cpu', 'memory', 'ephemeral-storage'];
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];

/** The quantity, unless the text is none; what is wrong with it goes to `errors`. */
function readAmount(
  name: string,
  text: string,
  path: string,
  errors: FieldError[],
): Quantity | undefined {
  let quantity: Quantity;
  try {
    quantity = parseQuantity(String(text));
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    errors.push(fieldInvalid(path, String(text), error.message));
    return undefined;
  }
  if (quantity.nano < 0n) {
    const shown = formatQuantity(quantity);
    errors.push(fieldInvalid(path, shown, 'must be greater than or equal to 0'));
  }
  if (isWhole(name) && quantity.nano % 1_000_000_000n !== 0n) {
    errors.push(fieldInvalid(path, { goSyntax: goQuantity(quantity) }, 'must be an integer'));
  }
  return quantity;
}

function compare(
  name: string,
  request: Quantity,
  limit: Quantity | undefined,
  path: string,
): FieldError[] {
  const mayOvercommit = isNative(name) && !isHugePages(name);
  if (limit === undefined) {
    if (mayOvercommit) return [];
    return [fieldRequired(`${path}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const order = compareQuantities(request, limit);
  const rule =
    order !== 0 && !mayOvercommit ? 'equal to' : order > 0 ? 'less than or equal to' : undefined;
  if (rule === undefined) return [];
  return [
    fieldInvalid(
      `${path}.requests`,
      formatQuantity(request),
      `must be ${rule} ${name} limit of ${formatQuantity(limit)}`,
    ),
  ];
}

function validateResourceName(name: string, path: string): FieldError[] {
  const errors = fieldInvalidEach(path, name, checkQualifiedName(name));
  if (!name.includes('/')) {
    if (errors.length === 0 && !STANDARD.includes(name) && !isHugePages(name)) {
      errors.push(fieldInvalid(path, name, 'must be a standard resource type or fully qualified'));
    }
    if (!OF_CONTAINERS.includes(name) && !isHugePages(name)) {
      errors.push(fieldInvalid(path, name, 'must be a standard resource for containers'));
    }
  } else if (!isNative(name) && !isExtended(name)) {
    errors.push(fieldInvalid(path, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isExtended(name: string): boolean {
  if (isNative(name) || name.startsWith('requests.')) return false;
  return checkQualifiedName(`requests.${name}`).length === 0;
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

function isWhole(name: string): boolean {
  return COUNTED.includes(name) || isExtended(name);
}

/** As %#v prints a quantity that has a fraction. */
function goQuantity(quantity: Quantity): string {
  const text = formatQuantity(quantity);
  const value = /^-?\d+/.exec(text)?.[0] ?? '0';
  const scale = { m: -3, u: -6, n: -9 }[text.slice(value.length)] ?? 0;
  return (
    `resource.Quantity{i:resource.int64Amount{value:${value}, scale:${scale}}, ` +
    `d:resource.infDecAmount{Dec:(*inf.Dec)(nil)}, s:"${text}", Format:"${quantity.format}"}`
  );
}
