import { ApiError, badRequest } from '../../../shared/errors.ts';
import type { EnrolmentRequest } from '../../../shared/wire/enrolment.ts';
import { readBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { respondBytes, respondJson } from '../output/respond.ts';

const NODE_USER_PREFIX = 'system:node:';

/** GET /skerry/v1/ca: the CA certificate, which a joining device checks against the hash in its token. */
export function respondCa(exchange: Exchange): void {
  const pem = Buffer.from(exchange.parts.caPem);
  respondBytes(exchange, 200, pem, 'application/x-pem-file');
}

/** POST /skerry/v1/enrol with a join token as the bearer token. */
export async function enrol(exchange: Exchange): Promise<void> {
  const { req, parts } = exchange;
  const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new ApiError('Unauthorized', 'a join token is required');
  const request = parseRequest(await readBody(req));
  respondJson(exchange, 200, await parts.enrolment.enrol(token, request));
}

/** POST /skerry/v1/renew with the node's own certificate: a node renews for itself only. */
export async function renew(exchange: Exchange): Promise<void> {
  const { req, parts, user } = exchange;
  const name = user?.name ?? '';
  if (!name.startsWith(NODE_USER_PREFIX)) {
    throw new ApiError('Forbidden', 'only a node renews its certificate', {});
  }
  const nodeName = name.slice(NODE_USER_PREFIX.length);
  const request = parseRequest(await readBody(req));
  respondJson(exchange, 200, await parts.enrolment.renew(nodeName, request));
}

const FIELDS = ['nodeName', 'csr', 'signingKey', 'sealingKey'] as const;

function parseRequest(body: Buffer): EnrolmentRequest {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw badRequest('the body is not JSON');
  }
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >;
  const [nodeName, csr, signingKey, sealingKey] = FIELDS.map((field) => {
    const text = given[field];
    if (typeof text !== 'string') throw badRequest(`${field} is missing or not a string`);
    return text;
  });
  const { release } = given;
  return {
    ...(typeof release === 'string' && { release }),
    nodeName: nodeName ?? '',
    csr: csr ?? '',
    signingKey: signingKey ?? '',
    sealingKey: sealingKey ?? '',
  };
}
