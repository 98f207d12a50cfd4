import { ApiError, badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue } from '../../../shared/meta/kube-object.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { type FieldMerge, LIST_KEYS } from '../../../shared/schema/list-keys.ts';
import { type Shape, typeOfKind, typeSchema } from '../../../shared/schema/schema.ts';
import { deepEqual, get, isObject, set } from './json-values.ts';
import { doesNotApply, malformed, printGoValue } from './patch-errors.ts';

/**
 * A strategic merge patch of an object of a built-in kind: lists with a merge key merge element by element, and directives in
 * the patch delete, replace and order (sig-api-machinery/strategic-merge-patch.md). `current` is left as it is.
 * @throws ApiError BadRequest for a patch that is malformed, Invalid (422) for one that contradicts itself, InternalError for
 *   an element without its merge key, as Kubernetes answers it
 */
export function applyStrategicMergePatch(
  current: JsonObject,
  patch: JsonValue,
  kind: Gvk,
): JsonObject {
  if (!isObject(patch)) throw malformed(patch, 'map[string]interface {}');
  return mergeMap(current, patch, typeOfKind(kind));
}

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ELEMENT_ORDER = '$setElementOrder/';
const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';

/** A type name of the schema; undefined inside maps of scalars and values without a schema. */
type TypeName = string | undefined;

interface FieldRule extends FieldMerge {
  /** The type of the field, or of the list's elements. */
  type: TypeName;
}

function mergeMap(original: JsonObject, patch: JsonObject, type: TypeName): JsonObject {
  const directive = get(patch, PATCH);
  if (directive !== undefined) return replaceOrDelete(directive, patch);
  const merged = retainKeys(original, patch);
  const ordered = mergeOrderedLists(merged, patch, type);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(SET_ELEMENT_ORDER) || ordered.has(key)) continue;
    const value = patch[key] ?? null;
    if (key.startsWith(DELETE_FROM_LIST)) deleteFromList(merged, key, value);
    else mergeField(merged, key, value, type);
  }
  return merged;
}

function replaceOrDelete(directive: JsonValue, patch: JsonObject): JsonObject {
  if (directive === 'delete') return {};
  if (directive !== 'replace') throw badPatchType(directive, patch);
  const { [PATCH]: _, ...rest } = patch;
  return rest;
}

function mergeField(merged: JsonObject, key: string, value: JsonValue, type: TypeName): void {
  const before = get(merged, key);
  if (value === null) delete merged[key];
  else if (isObject(before) && isObject(value)) {
    set(merged, key, mergeMap(before, value, ruleOf(type, key).type));
  } else if (Array.isArray(before) && Array.isArray(value)) {
    const rule = ruleOf(type, key);
    set(merged, key, mergesLists(rule) ? mergeList(before, value, rule) : clean(value));
  } else if (hasDirective(value)) delete merged[key];
  else set(merged, key, clean(value));
}

function mergesLists({ patchStrategy }: FieldRule): boolean {
  return patchStrategy?.startsWith('merge') ?? false;
}

/** `$retainKeys` names every key that stays; a key that the patch sets must be among them. */
function retainKeys(original: JsonObject, patch: JsonObject): JsonObject {
  const list = get(patch, RETAIN_KEYS);
  if (list === undefined) return { ...original };
  if (!Array.isArray(list)) throw badRequest('invalid patch format of retainKeys');
  const isForeign = (key: string): boolean =>
    patch[key] !== null && !key.startsWith('$') && !list.includes(key);
  if (Object.keys(patch).some(isForeign)) throw badRequest('invalid patch format of retainKeys');
  return Object.fromEntries(Object.entries(original).filter(([key]) => list.includes(key)));
}

/** Lists whose order the patch gives: merged and ordered at once. Returns the keys that are done. */
function mergeOrderedLists(merged: JsonObject, patch: JsonObject, type: TypeName): Set<string> {
  const done = new Set<string>();
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ELEMENT_ORDER)) continue;
    const key = directive.slice(SET_ELEMENT_ORDER.length);
    const order = listOf(patch[directive]);
    const before = get(merged, key) === undefined ? undefined : listOf(merged[key]);
    const change = get(patch, key) === undefined ? undefined : listOf(patch[key]);
    const rule = ruleOf(type, key);
    checkOrder(change ?? [], order, rule.patchMergeKey);
    if (before === undefined && change === undefined) continue;
    done.add(key);
    const all = mergeOrdered(before, change, rule);
    set(merged, key, inOrder(all, order, before ?? [], rule.patchMergeKey));
  }
  return done;
}

function mergeOrdered(
  before: JsonValue[] | undefined,
  change: JsonValue[] | undefined,
  rule: FieldRule,
): JsonValue[] {
  if (change === undefined) return before ?? [];
  if (before === undefined) return clean(change) as JsonValue[];
  return mergesLists(rule) ? mergeList(before, change, rule) : change;
}

/** The elements of the patch must stand in the order that it gives. */
function checkOrder(change: JsonValue[], order: JsonValue[], mergeKey: string | undefined): void {
  if (order.length === 0) return;
  const wanted = change.filter((item) => !hasDirective(item));
  let at = 0;
  for (const item of wanted) {
    while (at < order.length && !isSame(order[at], item, mergeKey)) at++;
    if (at === order.length) {
      throw new ApiError(
        'InternalError',
        `The order in patch list:\n${printGoValue(wanted)}\n doesn't match $setElementOrder list:\n${printGoValue(order)}\n`,
      );
    }
    at++;
  }
}

function mergeList(before: JsonValue[], change: JsonValue[], rule: FieldRule): JsonValue[] {
  if (before.length === 0 && change.length === 0) return before;
  const first = before[0] ?? change[0];
  if (Array.isArray(first)) throw doesNotApply('lists of lists are not supported');
  const isMaps = isObject(first);
  if ([...before, ...change].some((item) => isObject(item) !== isMaps)) {
    throw new ApiError('InternalError', 'list element types are not identical');
  }
  if (!isMaps) {
    const all = [...new Set([...before, ...change])];
    return inOrder(all, change, before, undefined);
  }
  const mergeKey = rule.patchMergeKey;
  if (mergeKey === undefined) {
    throw new ApiError('InternalError', 'cannot merge lists without merge key');
  }
  return mergeElements(before as JsonObject[], change as JsonObject[], mergeKey, rule.type);
}

function mergeElements(
  before: JsonObject[],
  change: JsonObject[],
  mergeKey: string,
  type: TypeName,
): JsonValue[] {
  if (change.some((element) => element[PATCH] === 'replace')) {
    return change.filter((element) => !Object.hasOwn(element, PATCH));
  }
  let kept = before;
  const wanted: JsonObject[] = [];
  for (const element of change) {
    const directive = get(element, PATCH);
    if (directive === undefined) wanted.push(element);
    else if (directive === 'delete') {
      const name = keyOf(element, mergeKey);
      kept = kept.filter((candidate) => !deepEqual(get(candidate, mergeKey), name));
    } else if (directive === 'merge') {
      throw new ApiError('InternalError', 'merging lists cannot yet be specified in the patch');
    } else throw badPatchType(directive, element);
  }
  const merged = [...kept];
  for (const element of wanted) {
    const name = keyOf(element, mergeKey);
    const index = merged.findIndex((candidate) => deepEqual(get(candidate, mergeKey), name));
    const found = merged[index];
    if (found === undefined) merged.push(clean(element) as JsonObject);
    else merged[index] = mergeMap(found, element, type);
  }
  return inOrder(merged, wanted, kept, mergeKey);
}

function keyOf(element: JsonObject, mergeKey: string): JsonValue {
  const value = get(element, mergeKey);
  if (value !== undefined) return value;
  throw new ApiError(
    'InternalError',
    `map: ${printGoValue(element)} does not contain declared merge key: ${mergeKey}`,
  );
}

/**
 * Elements that the patch names stand in its order; the others keep theirs, and stand before the first element that they
 * preceded in the list as it was.
 */
function inOrder(
  all: readonly JsonValue[],
  patchOrder: readonly JsonValue[],
  serverOrder: readonly JsonValue[],
  mergeKey: string | undefined,
): JsonValue[] {
  const at = (order: readonly JsonValue[], item: JsonValue | undefined): number =>
    order.findIndex((candidate) => isSame(candidate, item, mergeKey));
  const byOrder = (order: readonly JsonValue[]) => (a: JsonValue, b: JsonValue) =>
    at(order, a) - at(order, b);
  const named = all.filter((item) => at(patchOrder, item) >= 0).sort(byOrder(patchOrder));
  const others = all.filter((item) => at(patchOrder, item) < 0).sort(byOrder(serverOrder));
  const result: JsonValue[] = [];
  let next = 0;
  for (const item of named) {
    const position = at(serverOrder, item);
    while (next < others.length && position >= 0 && at(serverOrder, others[next]) < position) {
      result.push(others[next++] ?? null);
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

function isSame(
  a: JsonValue | undefined,
  b: JsonValue | undefined,
  mergeKey: string | undefined,
): boolean {
  if (mergeKey === undefined || !isObject(a) || !isObject(b)) return deepEqual(a, b);
  return deepEqual(get(a, mergeKey), get(b, mergeKey));
}

function deleteFromList(merged: JsonObject, directive: string, value: JsonValue): void {
  const key = directive.slice(DELETE_FROM_LIST.length);
  const before = get(merged, key);
  if (!Array.isArray(value)) throw badRequest('invalid patch format of primitive list');
  if (!Array.isArray(before)) return;
  set(
    merged,
    key,
    before.filter((item) => !value.some((gone) => deepEqual(gone, item))),
  );
}

/** A value that nothing is merged into: without directives, and without the nulls that would delete. */
function clean(value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    return value.filter((item) => !hasDirective(item)).map(clean);
  }
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) => item !== null && !isDirective(key) && !hasDirective(item),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, clean(item)]));
}

function hasDirective(value: JsonValue): boolean {
  return isObject(value) && Object.hasOwn(value, PATCH);
}

function isDirective(key: string): boolean {
  return (
    key === RETAIN_KEYS ||
    key === PATCH ||
    key.startsWith(SET_ELEMENT_ORDER) ||
    key.startsWith(DELETE_FROM_LIST)
  );
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  if (Array.isArray(value)) return value;
  throw badRequest('invalid patch format of setElementOrder list');
}

function badPatchType(directive: JsonValue, patch: JsonObject): ApiError {
  return new ApiError(
    'InternalError',
    `unknown patch type: ${printGoValue(directive)} in map: ${printGoValue(patch)}`,
  );
}

function ruleOf(type: TypeName, key: string): FieldRule {
  const shape = type === undefined ? undefined : typeSchema(type).fields.get(key)?.shape;
  return { ...LIST_KEYS[type ?? '']?.[key], type: elementType(shape) };
}

function elementType(shape: Shape | undefined): TypeName {
  if (shape === undefined || shape.kind === 'scalar') return undefined;
  if (shape.kind === 'struct') return shape.type;
  return elementType(shape.kind === 'list' ? shape.item : shape.value);
}
