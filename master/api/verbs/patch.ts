import { badRequest } from '../../../shared/errors.ts';
import type { JsonObject, JsonValue, KubeObject } from '../../../shared/meta/kube-object.ts';
import type { Decoded, FieldValidation } from '../../../shared/schema/decode-json.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';
import { mediaTypeOf, readBody, unsupportedMediaType } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { decodePatched } from '../patch/decode-patched.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { writeOptions } from '../query/write-options.ts';

const PATCH_MEDIA_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;

/** A patch of a request, ready to be applied to whatever the object is at that moment. */
export interface Patch {
  /** The object after the patch, with the warnings of its decoding. */
  apply(kind: Gvk, current: KubeObject): Decoded;
}

/** PATCH of an object. When another write comes between, the patch is applied again to what that left. */
export async function patchObject(exchange: ResourceExchange): Promise<void> {
  await applyToObject(exchange);
}

/** The same, of the whole object or of what a subresource may write of it. */
export async function applyToObject(
  exchange: ResourceExchange,
  subresource?: 'status',
): Promise<void> {
  const { info, kind, parts, query, res } = exchange;
  const options = writeOptions(query, 'PatchOptions');
  const patch = await readPatch(exchange, options.fieldValidation);
  const key = { namespace: info.namespace, name: info.name };
  let warnings: string[] = [];
  const change = (current: KubeObject) => {
    const patched = patch.apply(kind, current);
    warnings = patched.warnings;
    return patched.object;
  };
  const object = await parts.registry.update(kind, key, change, {
    ...options,
    ...(subresource === undefined ? {} : { subresource }),
  });
  addWarnings(res, warnings);
  respondObject(exchange, 200, object);
}

/** Reads the patch of a request. Throws UnsupportedMediaType, BadRequest. */
export async function readPatch(
  { req }: Pick<ResourceExchange, 'req'>,
  fieldValidation: FieldValidation,
): Promise<Patch> {
  const type = patchMediaType(req.headers['content-type']);
  const patch = parsePatch((await readBody(req)).toString('utf8'));
  return {
    apply: (kind, current) => {
      const before = current as unknown as JsonObject;
      const patched = applyPatch(type, kind, before, patch);
      const shape = isObject(patch) ? patch : undefined;
      return decodePatched(kind, patched, fieldValidation, shape);
    },
  };
}

type PatchMediaType = (typeof PATCH_MEDIA_TYPES)[number];

function patchMediaType(contentType: string | undefined): PatchMediaType {
  const type = mediaTypeOf(contentType);
  const known = PATCH_MEDIA_TYPES.find((accepted) => accepted === type);
  if (known === undefined) throw unsupportedMediaType(PATCH_MEDIA_TYPES);
  return known;
}

function applyPatch(
  type: PatchMediaType,
  kind: Gvk,
  current: JsonObject,
  patch: JsonValue,
): JsonObject {
  switch (type) {
    case 'application/json-patch+json':
      return applyJsonPatch(current, patch);
    case 'application/merge-patch+json':
      return applyMergePatch(current, patch);
    case 'application/strategic-merge-patch+json':
      return applyStrategicMergePatch(current, patch, kind);
  }
}

function parsePatch(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
