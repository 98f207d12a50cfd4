import { badRequest, conflict, invalid } from '../../../shared/errors.ts';
import { fieldNotSupported, fieldRequired } from '../../../shared/meta/field-error.ts';
import type { KubeObject } from '../../../shared/meta/kube-object.ts';
import type { ResourceKind } from '../../../shared/resources/resource-kind.ts';
import type { Binding, Pod } from '../../../shared/schema/kubernetes-types.ts';
import { decodeBody, readBody } from '../body.ts';
import type { ResourceExchange } from '../exchange.ts';
import { addWarnings, respondJson } from '../output/respond.ts';
import { writeOptions } from '../query/write-options.ts';
import { inNamespace } from '../verbs/in-namespace.ts';
import { CREATED } from './created.ts';

const BINDING = { group: '', version: 'v1', kind: 'Binding' };

/** POST of pods/NAME/binding: assigns the pod to a node, once. What a scheduler of one's own does. */
export async function bindPod(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, req, res, query } = exchange;
  const options = writeOptions(query, 'CreateOptions');
  const body = await readBody(req);
  const contentType = req.headers['content-type'];
  const { object, warnings } = decodeBody(BINDING, contentType, body, options.fieldValidation);
  const binding = inNamespace(info, object) as KubeObject as Binding;
  if (binding.metadata.name !== info.name) {
    throw badRequest('name in URL does not match name in Binding object');
  }
  checkTarget(binding);
  await parts.registry.update(
    kind as unknown as ResourceKind<Pod>,
    { namespace: info.namespace, name: info.name },
    (pod) => bound(pod, binding, new Date(parts.clock.nowMs())),
    { ...options, subresource: 'binding' },
  );
  addWarnings(res, warnings);
  respondJson(exchange, 201, CREATED);
}

/** apis/core/validation ValidatePodBinding. */
function checkTarget({ metadata, target }: Binding): void {
  const errors = [];
  const kind = target?.kind ?? '';
  if (kind !== '' && kind !== 'Node') {
    errors.push(fieldNotSupported('target.kind', kind, ['Node', '<empty>']));
  }
  if ((target?.name ?? '') === '') errors.push(fieldRequired('target.name', ''));
  if (errors.length > 0) throw invalid(BINDING, metadata.name, errors);
}

function bound(pod: Pod, binding: Binding, now: Date): Pod {
  const { name } = pod.metadata;
  const refuse = (why: string) => conflict({ group: '', plural: 'pods/binding' }, name, why);
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const { nodeName = '' } = pod.spec;
  if (nodeName !== '') throw refuse(`pod ${name} is already assigned to node "${nodeName}"`);
  if (binding.metadata.uid && binding.metadata.uid !== pod.metadata.uid) {
    throw refuse(
      `Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
    );
  }
  const annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null as unknown as string,
    lastTransitionTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
  };
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: { ...pod.spec, nodeName: binding.target.name ?? '' },
    status: { ...pod.status, conditions: [...others, scheduled] },
  };
}
