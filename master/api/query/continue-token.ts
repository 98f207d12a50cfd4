import { badRequest } from '../../../shared/errors.ts';

/** Where the next page begins: at the first key that is not before `start`, in the list as it was at `revision` (-1: as it is now). */
export interface Continue {
  revision: number;
  /** `namespace/name`, or `name` of a cluster-scoped object, with a NUL behind the last key that was sent. */
  start: string;
}

const VERSION = 'meta.k8s.io/v1';

/** The opaque text of a continue token; the same shape as Kubernetes' (apiserver storage.EncodeContinue). */
export function encodeContinue({ revision, start }: Continue): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString('base64url');
}

/** Throws BadRequest for what is not such a token. */
export function decodeContinue(token: string): Continue {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    throw badRequest('continue key is not valid: it is not a token of this server');
  }
  const { v, rv, start } = (value ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== VERSION) {
    throw badRequest(
      `continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v ?? '')}`,
    );
  }
  if (typeof rv !== 'number' || rv === 0) {
    throw badRequest(
      `continue key is not valid: incorrect encoded start resourceVersion (version ${VERSION})`,
    );
  }
  if (typeof start !== 'string' || start === '') {
    throw badRequest(`continue key is not valid: encoded start key empty (version ${VERSION})`);
  }
  return { revision: rv, start };
}
