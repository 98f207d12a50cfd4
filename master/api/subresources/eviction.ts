import { badRequest } from '../../../shared/errors.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings, respondJson } from '../output/respond.ts';
import { checkedDeleteOptions } from '../query/delete-options.ts';
import { writeOptions } from '../query/write-options.ts';
import { inNamespace } from '../verbs/in-namespace.ts';
import { CREATED } from './created.ts';

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' };

/** POST of pods/NAME/eviction (policy/v1, as drain sends it): a deletion; there are no disruption budgets yet that could refuse it. */
export async function evictPod(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, req, res, query } = exchange;
  const options = writeOptions(query, 'CreateOptions');
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(EVICTION, contentType, body, options.fieldValidation);
  const eviction = inNamespace(info, object) as typeof object & { deleteOptions?: object };
  if (eviction.metadata.name !== info.name) {
    throw badRequest('name in URL does not match name in Eviction object');
  }
  const deletion = checkedDeleteOptions(eviction.deleteOptions ?? {});
  const dryRun = (options.dryRun || deletion.dryRun) ?? false;
  const key = { namespace: info.namespace, name: info.name };
  await parts.registry.delete(kind, key, { ...deletion, dryRun });
  addWarnings(res, warnings);
  respondJson(exchange, 201, CREATED);
}
