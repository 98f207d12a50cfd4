import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { OutputForm } from './negotiate.ts';
import { type PartialObjectMetadata, partialObject } from './partial-object.ts';

type TableForm = Extract<OutputForm, { kind: 'table' }>;

export interface ListMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

export interface TableHead {
  kind: 'Table';
  apiVersion: string;
  metadata: ListMeta;
  columnDefinitions: {
    name: string;
    type: string;
    format: string;
    description: string;
    priority: number;
  }[];
}

interface TableRow {
  cells: (string | number | boolean)[];
  object?: PartialObjectMetadata | KubeObject;
}

type Columns = Pick<ResourceKind, 'columns'>;

/** A Table without its rows. */
export function tableHead(kind: Columns, form: TableForm, metadata: ListMeta): TableHead {
  return {
    kind: 'Table',
    apiVersion: form.apiVersion,
    metadata,
    columnDefinitions: kind.columns.map((column) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? '',
      description: column.description,
      priority: column.priority,
    })),
  };
}

/** The row of one object: its cells as the kind's columns print them, and as much of the object as the client wants. */
export function tableRow(
  kind: Columns,
  form: TableForm,
  object: KubeObject,
  nowMs: number,
): TableRow {
  const cells = kind.columns.map((column) => column.cell(object, nowMs));
  switch (form.includeObject) {
    case 'None':
      return { cells };
    case 'Metadata':
      return { cells, object: partialObject(object, form.apiVersion) };
    case 'Object':
      return { cells, object };
  }
}
