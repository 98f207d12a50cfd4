import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings } from '../output/respond.ts';
import { respondObject } from '../output/respond-object.ts';
import { writeOptions } from '../query/write-options.ts';
import { checkName } from './check-name.ts';
import { distinctOwners } from './distinct-owners.ts';
import { inNamespace } from './in-namespace.ts';
import { patchMediaType, readPatch } from './read-patch.ts';

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
  // First: options such as `force` mean something only to some kinds of patch.
  const type = patchMediaType(exchange.req.headers['content-type']);
  const options = writeOptions(query, 'PatchOptions');
  const patch = await readPatch(exchange, type, options.fieldValidation);
  const key = { namespace: info.namespace, name: info.name };
  let warnings: string[] = [];
  let generation: number | undefined;
  const change = (current: KubeObject) => {
    generation = current.metadata.generation;
    const patched = patch.apply(kind, current);
    const located = inNamespace(info, patched.object);
    checkName(info.name, located.metadata.name);
    const owned = distinctOwners(located, ' after mutating admission happens');
    warnings = [...patched.warnings, ...owned.warnings];
    return owned.object;
  };
  const object = await parts.registry.update(kind, key, change, {
    ...options,
    ...(subresource === undefined ? {} : { subresource }),
  });
  const isRaised = object.metadata.generation !== generation;
  const ofObject = isRaised ? kind.strategy.warnings?.(object) : undefined;
  addWarnings(res, [...warnings, ...(ofObject ?? [])]);
  respondObject(exchange, 200, object);
}
