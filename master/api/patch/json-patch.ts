import { ApiError } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import { deepEqual, get, isObject, set } from './json-values.ts';
import { doesNotApply, malformed } from './patch-errors.ts';

/** As the API server. */
const MAX_OPERATIONS = 10_000;
/** What `copy` may add to a document, so that a short patch makes no long object. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

interface Operation {
  op: string;
  path: string;
  from?: string;
  value?: JsonValue;
}

/**
 * RFC 6902. `current` is left as it is.
 * @throws ApiError BadRequest when the patch is not a list of operations, Invalid (422) when one does not apply or a test fails
 */
export function applyJsonPatch(current: JsonObject, patch: JsonValue): JsonObject {
  const operations = parseOperations(patch);
  let document: JsonValue = current;
  let copiedBytes = 0;
  for (const operation of operations) {
    if (operation.op === 'copy') {
      copiedBytes += JSON.stringify(valueAt(document, operation.from ?? '')).length;
      if (copiedBytes > MAX_COPIED_BYTES) {
        throw doesNotApply(`copied bytes exceed the limit of ${MAX_COPIED_BYTES}`);
      }
    }
    document = applyOperation(document, operation);
  }
  if (!isObject(document)) throw doesNotApply('the patched document is not an object');
  return document;
}

function parseOperations(patch: JsonValue): Operation[] {
  if (!Array.isArray(patch)) throw malformed(patch, 'jsonpatch.Patch');
  if (patch.length > MAX_OPERATIONS) {
    throw new ApiError(
      'RequestEntityTooLarge',
      `Request entity too large: The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  return patch.map((operation) => {
    if (!isObject(operation)) throw malformed(operation, 'jsonpatch.Operation');
    const { op, path, from } = operation;
    if (typeof op !== 'string' || typeof path !== 'string') {
      throw doesNotApply('a JSON patch operation needs an op and a path');
    }
    return {
      op,
      path,
      ...(typeof from === 'string' ? { from } : {}),
      ...(Object.hasOwn(operation, 'value') ? { value: operation['value'] ?? null } : {}),
    };
  });
}

function applyOperation(document: JsonValue, operation: Operation): JsonValue {
  const { op, path } = operation;
  switch (op) {
    case 'add':
      return write(document, path, operand(operation), 'add');
    case 'replace':
      return write(document, path, operand(operation), 'replace');
    case 'remove':
      return remove(document, path);
    case 'move': {
      const from = fromOf(operation);
      if (path.startsWith(`${from}/`)) throw doesNotApply(`cannot move ${from} into itself`);
      return write(remove(document, from), path, valueAt(document, from), 'add');
    }
    case 'copy':
      return write(document, path, valueAt(document, fromOf(operation)), 'add');
    case 'test':
      if (!deepEqual(findAt(document, path) ?? null, operation.value ?? null)) {
        throw doesNotApply(`testing value ${path} failed: test failed`);
      }
      return document;
    default:
      throw doesNotApply(`Unexpected kind: ${op}`);
  }
}

function operand({ op, path, value }: Operation): JsonValue {
  if (value === undefined) throw doesNotApply(`${op} operation at ${path} has no value`);
  return value;
}

function fromOf({ op, path, from }: Operation): string {
  if (from === undefined) throw doesNotApply(`${op} operation at ${path} has no from`);
  return from;
}

/** RFC 6901. */
function parsePointer(pointer: string): string[] {
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw doesNotApply(`"${pointer}" is not a JSON pointer`);
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(document: JsonValue, pointer: string): JsonValue {
  const value = findAt(document, pointer);
  if (value === undefined) throw doesNotApply(`${pointer} does not exist`);
  return value;
}

function findAt(document: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const token of parsePointer(pointer)) {
    if (Array.isArray(value)) value = value[indexOf(value, token)];
    else if (isObject(value)) value = get(value, token);
    else return undefined;
  }
  return value;
}

function remove(document: JsonValue, pointer: string): JsonValue {
  valueAt(document, pointer);
  return edit(document, parsePointer(pointer), (parent, token) => {
    if (Array.isArray(parent)) return parent.toSpliced(indexOf(parent, token), 1);
    const rest = { ...parent };
    delete rest[token];
    return rest;
  });
}

function write(
  document: JsonValue,
  pointer: string,
  value: JsonValue,
  op: 'add' | 'replace',
): JsonValue {
  const tokens = parsePointer(pointer);
  if (tokens.length === 0) return value;
  return edit(document, tokens, (parent, token) => {
    if (Array.isArray(parent)) {
      const index = token === '-' && op === 'add' ? parent.length : indexOf(parent, token);
      if (index > parent.length || index < 0) throw doesNotApply(`${pointer} is out of range`);
      return parent.toSpliced(index, op === 'add' ? 0 : 1, value);
    }
    const changed = { ...parent };
    set(changed, token, value);
    return changed;
  });
}

/** Replaces the container that the pointer's last token is in, and copies those around it. */
function edit(
  value: JsonValue,
  tokens: readonly string[],
  change: (parent: JsonValue[] | JsonObject, token: string) => JsonValue,
): JsonValue {
  const [token = '', ...deeper] = tokens;
  if (!Array.isArray(value) && !isObject(value)) {
    throw doesNotApply(`/${tokens.join('/')} is inside a value that has no fields`);
  }
  if (deeper.length === 0) return change(value, token);
  if (Array.isArray(value)) {
    const index = indexOf(value, token);
    const child = value[index];
    if (child === undefined) throw doesNotApply(`index ${token} is out of range`);
    return value.with(index, edit(child, deeper, change));
  }
  const child = get(value, token);
  if (child === undefined) throw doesNotApply(`doc is missing path: ${tokens.join('/')}`);
  const changed = { ...value };
  set(changed, token, edit(child, deeper, change));
  return changed;
}

/** Negative indexes count from the end, as in Kubernetes' library. */
function indexOf(list: readonly JsonValue[], token: string): number {
  if (!/^-?(?:0|[1-9]\d*)$/.test(token)) throw doesNotApply(`"${token}" is not an index`);
  const index = Number(token);
  return index < 0 ? list.length + index : index;
}
