import { badRequest } from '../../../shared/errors.ts';
import {
  type FieldRequirements,
  matchesFields,
  parseFieldSelector,
} from '../../../shared/meta/field-selector.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import {
  matchesLabels,
  parseLabelSelector,
  SelectorError,
} from '../../../shared/meta/label-selector.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { ResourceRequest } from '../request-info.ts';

/** Which objects of a kind a list, a watch or a deletion of many is about. */
export interface Selection {
  /** '' for all namespaces. */
  namespace: string;
  /** No selector: every object of the namespace. */
  isEverything: boolean;
  isInNamespace(object: KubeObject): boolean;
  matches(object: KubeObject): boolean;
}

/** The namespace and name of the path with the selectors of the query. Throws BadRequest for a selector that cannot be used. */
export function selectionOf(
  kind: ResourceKind,
  { namespace, name }: Pick<ResourceRequest, 'namespace' | 'name'>,
  query: URLSearchParams,
): Selection {
  const labels = parsed(parseLabelSelector, query.get('labelSelector') ?? '');
  const fields = parsed(parseFieldSelector, query.get('fieldSelector') ?? '');
  checkFields(kind, fields);
  const isInNamespace = (object: KubeObject) =>
    namespace === '' || object.metadata.namespace === namespace;
  return {
    namespace,
    isEverything: labels.length === 0 && fields.length === 0 && name === '',
    isInNamespace,
    matches: (object) =>
      isInNamespace(object) &&
      (name === '' || object.metadata.name === name) &&
      matchesLabels(labels, object.metadata.labels) &&
      matchesFields(fields, (field) => readField(kind, field, object)),
  };
}

function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function checkFields(kind: ResourceKind, fields: FieldRequirements): void {
  for (const { field } of fields) {
    if (field === 'metadata.name' || field === 'metadata.namespace') continue;
    if (Object.hasOwn(kind.selectableFields, field)) continue;
    // Kinds with field labels of their own word it differently from those without.
    throw badRequest(
      Object.keys(kind.selectableFields).length > 0
        ? `field label not supported: ${field}`
        : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}

function readField(kind: ResourceKind, field: string, object: KubeObject): string {
  if (field === 'metadata.name') return object.metadata.name;
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  return kind.selectableFields[field]?.(object) ?? '';
}
