import { conflict, invalid } from '../../../shared/errors.ts';
import { fieldInvalid } from '../../../shared/meta/field-error.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import { formatRequirements, requirementsOf } from '../../../shared/meta/label-selector.ts';
import { ageColumn, nameColumn } from '../../../shared/resources/columns.ts';
import type { Column, ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { LabelSelector, Scale } from '../../../shared/schema/kubernetes-types.ts';
import type { UpdateOptions } from '../../store/registry.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { negotiate } from '../output/negotiate.ts';
import { addWarnings, respondJson } from '../output/respond.ts';
import { tableHead, tableRow } from '../output/table.ts';
import { writeOptions } from '../query/write-options.ts';
import { checkName } from '../verbs/check-name.ts';
import { inNamespace } from '../verbs/in-namespace.ts';
import { patchMediaType, readPatch } from '../verbs/read-patch.ts';
import { uidOf } from '../verbs/update.ts';

const SCALE = { group: 'autoscaling', version: 'v1', kind: 'Scale' };

/** An object that has a number of replicas: Deployment, ReplicaSet. */
interface Scalable extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector };
  status?: { replicas?: number };
}

/** GET of the autoscaling/v1 Scale of an object. */
export function getScale(exchange: ResourceExchange): void {
  const { info, kind, parts } = exchange;
  const key = { namespace: info.namespace, name: info.name };
  respondScale(exchange, scaleOf(parts.registry.get(kind, key)));
}

/** PUT of a Scale: sets the number of replicas, nothing else. */
export async function updateScale(exchange: ResourceExchange): Promise<void> {
  const { info, req, res, query } = exchange;
  const options = writeOptions(query, 'UpdateOptions');
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(SCALE, contentType, body, options.fieldValidation);
  const scale = inNamespace(info, object) as Scale;
  checkName(info.name, scale.metadata.name);
  await writeScale(exchange, () => scale, { ...options, ...uidOf(scale) });
  addWarnings(res, warnings);
}

/** PATCH of a Scale. */
export async function patchScale(exchange: ResourceExchange): Promise<void> {
  const type = patchMediaType(exchange.req.headers['content-type']);
  const options = writeOptions(exchange.query, 'PatchOptions');
  const patch = await readPatch(exchange, type, options.fieldValidation);
  await writeScale(exchange, (current) => patch.apply(SCALE, current).object as Scale, options);
}

async function writeScale(
  exchange: ResourceExchange,
  change: (current: Scale) => Scale,
  options: UpdateOptions,
): Promise<void> {
  const { info, kind, parts } = exchange;
  const key = { namespace: info.namespace, name: info.name };
  const object = await parts.registry.update(
    kind as unknown as ResourceKind<Scalable>,
    key,
    (current) => {
      const scale = change(scaleOf(current));
      checkName(info.name, scale.metadata.name);
      checkScaledUid(kind, scale, current);
      return scaled(current, scale);
    },
    options,
  );
  respondScale(exchange, scaleOf(object));
}

function checkScaledUid(kind: ResourceKind, scale: Scale, current: Scalable): void {
  const { uid } = scale.metadata;
  if (!uid || uid === current.metadata.uid) return;
  throw conflict(
    { group: kind.group, plural: `${kind.plural}/scale` },
    scale.metadata.name,
    `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`,
  );
}

function scaled(current: Scalable, { metadata, spec }: Scale): Scalable {
  const replicas = spec?.replicas ?? 0;
  if (replicas < 0) {
    throw invalid(SCALE, metadata.name, [
      fieldInvalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const { resourceVersion } = metadata;
  return {
    ...current,
    metadata: resourceVersion ? { ...current.metadata, resourceVersion } : current.metadata,
    spec: { ...current.spec, replicas },
  };
}

function scaleOf({ metadata, spec, status }: Scalable): Scale {
  const requirements = requirementsOf(spec?.selector);
  const selector = requirements === undefined ? '' : formatRequirements(requirements);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined
        ? {}
        : { resourceVersion: metadata.resourceVersion }),
      ...(metadata.creationTimestamp === undefined
        ? {}
        : { creationTimestamp: metadata.creationTimestamp }),
    } as Scale['metadata'],
    spec: spec?.replicas === undefined || spec.replicas === 0 ? {} : { replicas: spec.replicas },
    status: { replicas: status?.replicas ?? 0, ...(selector === '' ? {} : { selector }) },
  };
}

const COLUMNS: readonly Column<Scale>[] = [
  nameColumn(),
  {
    name: 'Desired',
    type: 'integer',
    description: 'The number of replicas that are wanted.',
    priority: 0,
    cell: (scale) => scale.spec?.replicas ?? 0,
  },
  {
    name: 'Available',
    type: 'integer',
    description: 'The number of replicas that there are.',
    priority: 0,
    cell: (scale) => scale.status.replicas,
  },
  ageColumn(),
];

function respondScale(exchange: ResourceExchange, scale: Scale): void {
  const form = negotiate(exchange);
  if (form.kind !== 'table') {
    respondJson(exchange, 200, scale);
    return;
  }
  const columns = COLUMNS as unknown as readonly Column[];
  const head = tableHead({ columns }, form, {
    resourceVersion: scale.metadata.resourceVersion ?? '',
  });
  const row = tableRow({ columns }, form, scale, exchange.parts.clock.nowMs());
  respondJson(exchange, 200, { ...head, rows: [row] });
}
