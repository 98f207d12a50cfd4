import type { ResourceKind, Verb } from '../../../shared/resources/resource-kind.ts';
import type { Handler } from '../exchange.ts';
import { getObject } from '../verbs/get.ts';
import { bindPod } from './binding.ts';
import { evictPod } from './eviction.ts';
import { finalizeNamespace } from './finalize.ts';
import { readLog } from './log.ts';
import { getScale, patchScale, updateScale } from './scale.ts';
import { patchStatus, updateStatus } from './status.ts';

type Subresource = ResourceKind['subresources'][number];

/** What each subresource does for each verb; a verb that is missing is 405. */
export const SUBRESOURCE_HANDLERS: Readonly<
  Record<Subresource, Partial<Readonly<Record<Verb, Handler>>>>
> = {
  status: { get: getObject, update: updateStatus, patch: patchStatus },
  scale: { get: getScale, update: updateScale, patch: patchScale },
  log: { get: readLog },
  binding: { create: bindPod },
  finalize: { update: finalizeNamespace },
  eviction: { create: evictPod },
};
