import type { IncomingMessage } from 'node:http';
import { ApiError, badRequest } from '../../shared/errors.ts';
import type { JsonValue } from '../../shared/meta/kube-object.ts';
import {
  type Decoded,
  decodeDeleteOptions,
  decodeJson,
  decodeYaml,
  type FieldValidation,
} from '../../shared/schema/decode-json.ts';
import {
  decodeProtobuf,
  decodeProtobufDeleteOptions,
} from '../../shared/schema/decode-protobuf.ts';
import type { Gvk } from '../../shared/schema/gvk.ts';
import type { DeleteOptions } from '../../shared/schema/kubernetes-types.ts';
import { parseYaml } from '../../shared/schema/yaml.ts';

/** The largest request body, as on Kubernetes (MaxRequestBodyBytes). */
const LIMIT_BYTES = 3 * 1024 * 1024;

const OBJECT_MEDIA_TYPES = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
] as const;

type ObjectMediaType = (typeof OBJECT_MEDIA_TYPES)[number];

/** Reads a whole request body. Throws RequestEntityTooLarge past 3 MiB. */
export async function readBody(req: IncomingMessage): Promise<Buffer> {
  if (Number(req.headers['content-length'] ?? 0) > LIMIT_BYTES) throw tooLarge(req);
  const chunks: Buffer[] = [];
  let size = 0;
  // No `for await`: leaving it early would destroy the request, and with it the socket, before the 413 is sent.
  return await new Promise((resolve, reject) => {
    req.on('data', (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size > LIMIT_BYTES) {
        req.removeAllListeners('data');
        reject(tooLarge(req));
      } else {
        chunks.push(chunk);
      }
    });
    req.on('end', () =>
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
    );
    req.on('error', () => reject(badRequest('unable to read the request body')));
    req.on('close', () => reject(badRequest('unable to read the request body')));
  });
}

/**
 * The object of a body of one of the three media types that Kubernetes takes for objects.
 * @throws ApiError UnsupportedMediaType, BadRequest
 */
export function decodeBody(
  kind: Gvk,
  contentType: string | undefined,
  body: Buffer,
  fieldValidation: FieldValidation,
): Decoded {
  switch (objectMediaType(contentType)) {
    case 'application/json':
      return decodeJson(kind, body.toString('utf8'), fieldValidation);
    case 'application/yaml':
      return decodeYaml(kind, body.toString('utf8'), fieldValidation);
    case 'application/vnd.kubernetes.protobuf':
      return { object: decodeProtobuf(kind, body), warnings: [] };
  }
}

/**
 * The DeleteOptions of a body of one of the same three media types.
 * @throws ApiError UnsupportedMediaType, BadRequest
 */
export function decodeDeleteBody(
  contentType: string | undefined,
  body: Buffer,
): Partial<DeleteOptions> {
  switch (objectMediaType(contentType)) {
    case 'application/json':
      return decodeDeleteOptions(body.toString('utf8'));
    case 'application/yaml':
      return decodeDeleteOptions(JSON.stringify(yamlValue(body)));
    case 'application/vnd.kubernetes.protobuf':
      return decodeProtobufDeleteOptions(body);
  }
}

/** The media type of a header without its parameters; undefined for an absent header. */
export function mediaTypeOf(contentType: string | undefined): string | undefined {
  return contentType?.split(';', 1)[0]?.trim().toLowerCase();
}

export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return new ApiError(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

function objectMediaType(contentType: string | undefined): ObjectMediaType {
  const type = mediaTypeOf(contentType) ?? 'application/json';
  const known = OBJECT_MEDIA_TYPES.find((accepted) => accepted === type);
  if (known === undefined) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
  return known;
}

function yamlValue(body: Buffer): JsonValue {
  try {
    return parseYaml(body.toString('utf8'));
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${(error as Error).message}`);
  }
}

/** The rest of a body that is too large is not read: the connection closes after the answer. */
function tooLarge(req: IncomingMessage): ApiError {
  req.resume();
  return new ApiError('RequestEntityTooLarge', `Request entity too large: limit is ${LIMIT_BYTES}`);
}
