import { badRequest } from '../errors.ts';
import type { JsonValue } from '../meta/kube-object.ts';
import type { Gvk } from './gvk.ts';
import { typeOfKind } from './schema.ts';

/**
 * The kind that a body says it has, with what it leaves out taken from the kind that is expected.
 * @throws ApiError BadRequest when it is another kind, or the value is no object
 */
export function checkKind(expected: Gvk, value: JsonValue, text = JSON.stringify(value)): Gvk {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    if (value === null) return expected;
    const what = Array.isArray(value)
      ? 'array'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
    const why = `json: cannot unmarshal ${what} into Go value of type ${FIND_KIND}`;
    throw badRequest(unrecognized(expected, `${COULD_NOT_GET}: ${why}`, text));
  }
  const apiVersion = textOf(expected, value['apiVersion'], 'apiVersion', text);
  const kind = textOf(expected, value['kind'], 'kind', text);
  const parts = apiVersion.split('/');
  if (parts.length > 2) {
    throw badRequest(unrecognized(expected, `unexpected GroupVersion string: ${apiVersion}`, text));
  }
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', parts[0]];
  const actual: Gvk = {
    group: version === '' && group === '' ? expected.group : group,
    version: version === '' ? expected.version : version,
    kind: kind === '' ? expected.kind : kind,
  };
  checkGvk(expected, actual);
  return actual;
}

/** Throws ApiError BadRequest unless both are the same. */
export function checkGvk(expected: Gvk, actual: Gvk): void {
  const sameKind = actual.kind === expected.kind && actual.group === expected.group;
  if (sameKind && actual.version === expected.version) return;
  if (sameKind) {
    throw badRequest(
      `the API version in the data (${groupVersion(actual)}) does not match the expected API version (${groupVersion(expected)})`,
    );
  }
  const why =
    typeOfKind(actual) === undefined
      ? `no kind "${actual.kind}" is registered for version "${groupVersion(actual)}" in scheme "${SCHEME}"`
      : `converting (${goType(actual)}) to (${internalType(expected)}): unknown conversion`;
  throw badRequest(cannotBeHandled(expected, actual, why));
}

/** The sentence about a body whose kind is known. */
export function cannotBeHandled(expected: Gvk, actual: Gvk, why: string): string {
  return `${actual.kind} in version "${actual.version}" cannot be handled as a ${expected.kind}: ${why}`;
}

/** The sentence about a body whose kind cannot be read; it ends in the first bytes of the body. */
export function unrecognized(expected: Gvk, why: string, body: string | Uint8Array): string {
  return `the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(body)})`;
}

const SCHEME = 'pkg/api/legacyscheme/scheme.go:30';
const COULD_NOT_GET = "couldn't get version/kind; json parse error";
const FIND_KIND =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
const SUMMARY_BYTES = 30;

function textOf(expected: Gvk, value: JsonValue | undefined, field: string, text: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  const why = `json: cannot unmarshal ${what} into Go struct field .${field} of type string`;
  throw badRequest(unrecognized(expected, `${COULD_NOT_GET}: ${why}`, text));
}

function groupVersion({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`;
}

function goType({ version, kind }: Gvk): string {
  return `${version}.${kind}`;
}

function internalType({ group, kind }: Gvk): string {
  return `${group === '' ? 'core' : (group.split('.')[0] ?? '')}.${kind}`;
}

function summary(body: string | Uint8Array): string {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body.slice(0, 64)) : body;
  if (bytes.length === 0) return '<empty>';
  const start = bytes.subarray(0, SUMMARY_BYTES);
  const shown =
    bytes[0] === 0x7b
      ? new TextDecoder().decode(start)
      : Array.from(start, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes.length > SUMMARY_BYTES ? `${shown} ...` : shown;
}
