import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { Gvk } from '../../../shared/schema/gvk.ts';

type Subresource = ResourceKind['subresources'][number];

interface SubresourceForm {
  verbs: readonly ('create' | 'get' | 'patch' | 'update')[];
  /** The kind that is exchanged; absent: the kind of the object itself. */
  responseKind?: Gvk;
}

/** What discovery and OpenAPI say of each subresource. */
export const SUBRESOURCES: Readonly<Record<Subresource, SubresourceForm>> = {
  status: { verbs: ['get', 'patch', 'update'] },
  scale: {
    verbs: ['get', 'patch', 'update'],
    responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  },
  log: { verbs: ['get'] },
  binding: { verbs: ['create'], responseKind: { group: '', version: 'v1', kind: 'Binding' } },
  finalize: { verbs: ['update'] },
  eviction: {
    verbs: ['create'],
    responseKind: { group: 'policy', version: 'v1', kind: 'Eviction' },
  },
};
