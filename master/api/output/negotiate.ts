import { ApiError } from '../../../shared/errors.ts';
import type { Exchange } from '../exchange.ts';

type IncludeObject = 'None' | 'Metadata' | 'Object';

/** The version of meta.k8s.io in which a Table or a PartialObjectMetadata is wanted; both look alike. */
export type MetaApiVersion = 'meta.k8s.io/v1' | 'meta.k8s.io/v1beta1';

export type OutputForm =
  | { kind: 'object' }
  | { kind: 'table'; apiVersion: MetaApiVersion; includeObject: IncludeObject }
  | { kind: 'partial'; apiVersion: MetaApiVersion };

/**
 * The first form of the Accept header that can be served: JSON as it is, `as=Table`, `as=PartialObjectMetadata(List)`.
 * Protobuf is passed over: every client that asks for it also takes JSON.
 * @throws ApiError NotAcceptable, BadRequest (includeObject)
 */
export function negotiate({ req, query }: Exchange): OutputForm {
  const accept = req.headers.accept ?? '*/*';
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (!isJson(type)) continue;
    const options = new Map(parameters.map((part) => splitParameter(part)));
    const as = options.get('as');
    if (as === undefined) return { kind: 'object' };
    const version = options.get('v') ?? '';
    if (options.get('g') !== 'meta.k8s.io' || !['v1', 'v1beta1'].includes(version)) continue;
    const apiVersion = `meta.k8s.io/${version}` as MetaApiVersion;
    if (as === 'Table') return { kind: 'table', apiVersion, includeObject: includeObject(query) };
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return { kind: 'partial', apiVersion };
    }
  }
  throw new ApiError(
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io, application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  );
}

function isJson(type: string): boolean {
  return type === 'application/json' || type === '*/*' || type === 'application/*' || type === '';
}

function splitParameter(part: string): [string, string] {
  const [name = '', value = ''] = part.split('=', 2);
  return [name, value.replace(/^"|"$/g, '')];
}

function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? '';
  switch (value) {
    case '':
      return 'Metadata';
    case 'None':
    case 'Metadata':
    case 'Object':
      return value;
    default:
      throw new ApiError('BadRequest', `unrecognized includeObject value: "${value}"`);
  }
}
