import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { nameIsDnsSubdomain } from '../../shared/meta/names.ts';
import { ENDPOINT_SLICES } from '../../shared/resources/endpoint-slice.ts';
import type { ObjectMeta } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';
import type { SliceAction } from './endpointslice/plan.ts';
import { ignoreGone } from './ignore-gone.ts';

/** Carries out one step of a plan for the slices of `owner`; `metadata` is what the controller sets in each. */
export async function writeSlice(
  registry: Registry,
  owner: KubeObject,
  metadata: Pick<ObjectMeta, 'labels' | 'annotations' | 'ownerReferences'>,
  action: SliceAction,
): Promise<void> {
  if (action.kind === 'create') {
    await registry.create(ENDPOINT_SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: withoutEmpty({
        name: '',
        generateName: namePrefix(owner.metadata.name),
        namespace: owner.metadata.namespace ?? '',
        uid: '',
        resourceVersion: '',
        creationTimestamp: '',
        ...metadata,
      }),
      ...action.content,
    });
    return;
  }
  const { name, namespace = '', uid } = action.slice.metadata;
  if (action.kind === 'delete') {
    await registry
      .delete(ENDPOINT_SLICES, { namespace, name }, { preconditions: { uid } })
      .catch(ignoreGone);
    return;
  }
  // With the resourceVersion that the plan was made for, so that nothing is overwritten unseen.
  const next = withoutEmpty({ ...action.slice.metadata, ...metadata });
  await registry
    .update(
      ENDPOINT_SLICES,
      { namespace, name },
      (current) => ({ ...current, ...action.content, metadata: next }),
      { uid },
    )
    .catch(ignoreGone);
}

/** No annotations are no field, as clients are shown them. */
function withoutEmpty({ annotations = {}, ...metadata }: ObjectMeta): ObjectMeta {
  return { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) };
}

function namePrefix(name: string): string {
  return nameIsDnsSubdomain(`${name}-`, true).length === 0 ? `${name}-` : name;
}
