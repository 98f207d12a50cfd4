import type { FieldError } from '../meta/field-error.ts';
import type { KubeObject } from '../meta/kube-object.ts';

/**
 * The rules of one kind, as pure functions over immutable values. The registry calls them in this order:
 * create: prepareForCreate → default → validate; update: prepareForUpdate → default → validateUpdate;
 * status update: prepareForStatusUpdate → validateStatusUpdate.
 */
export interface Strategy<T extends KubeObject = KubeObject> {
  /** Drops what a client may not set at creation: the status, the generation. */
  prepareForCreate(object: T): T;
  /** Fills in what was left out, field by field as Kubernetes v1.33 does. Idempotent. */
  default(object: T): T;
  validate(object: T): FieldError[];
  /** Keeps the status of `previous` and raises metadata.generation when the spec differs. */
  prepareForUpdate(next: T, previous: T): T;
  validateUpdate(next: T, previous: T): FieldError[];
  /** Takes only the status (and what else the subresource may write) of `next`. Absent: the kind has no status. */
  prepareForStatusUpdate?(next: T, previous: T): T;
  validateStatusUpdate?(next: T, previous: T): FieldError[];
  /** What is accepted and hardly meant: shown at creation and whenever the generation rises. */
  warnings?(object: T): string[];
  /** Seconds between the request to delete and the removal of the object; 0 or absent: removed at once (KEP-less; pods only). */
  gracePeriodSeconds?(object: T, requested: number | undefined): number;
}

/** A column of `kubectl get`: the header as kubectl prints it, wide columns have priority 1. */
export interface Column<T extends KubeObject = KubeObject> {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description: string;
  priority: 0 | 1;
  /** The cell; `nowMs` is the time of the request, for ages. */
  cell(object: T, nowMs: number): string | number | boolean;
}

export type Verb =
  | 'create'
  | 'delete'
  | 'deletecollection'
  | 'get'
  | 'list'
  | 'patch'
  | 'update'
  | 'watch';

export const ALL_VERBS: readonly Verb[] = [
  'create',
  'delete',
  'deletecollection',
  'get',
  'list',
  'patch',
  'update',
  'watch',
];

/** One row of the catalog: everything that routes, discovery, OpenAPI, storage and printing derive from. */
export interface ResourceKind<T extends KubeObject = KubeObject> {
  /** '' for the core group. */
  group: string;
  version: string;
  kind: string;
  plural: string;
  singular: string;
  shortNames: readonly string[];
  categories: readonly string[];
  namespaced: boolean;
  verbs: readonly Verb[];
  /** Subresources served under the object; `log` is a stream, the others exchange objects. */
  subresources: readonly ('status' | 'scale' | 'log' | 'binding' | 'finalize' | 'eviction')[];
  /** Kept in memory only: Events, and the Leases of kube-node-lease, so that an idle cluster writes nothing. */
  isVolatile(key: { namespace: string; name: string }): boolean;
  strategy: Strategy<T>;
  columns: readonly Column<T>[];
  /**
   * The field selectors that the kind answers besides metadata.name and metadata.namespace. Typed as a method, so that the row of one
   * kind is assignable to the row of any.
   */
  selectableFields: Readonly<Record<string, { read(object: T): string }['read']>>;
}

/** `apps/v1` or `v1`. */
export function apiVersionOf(kind: { group: string; version: string }): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** `deployments.apps` or `pods`: the name of a resource in messages. */
export function qualifiedPlural(kind: { group: string; plural: string }): string {
  return kind.group === '' ? kind.plural : `${kind.plural}.${kind.group}`;
}
