import { badRequest, invalid } from '../../../shared/errors.ts';
import { type FieldError, fieldForbidden, fieldInvalid } from '../../../shared/meta/field-error.ts';
import type { Pod } from '../../../shared/schema/kubernetes-types.ts';
import type { ResourceExchange } from '../exchange.ts';
import type { LogRequest } from '../node-streams.ts';
import { streamText } from '../output/stream-text.ts';
import { isTrue } from '../query/flag.ts';
import { integer } from '../query/integer.ts';
import { checkHasLog, containerFor } from './log-container.ts';

/** GET of pods/NAME/log (PodLogOptions): the text as it comes from the node. A pod without a node has none yet: 204. */
export async function readLog(exchange: ResourceExchange): Promise<void> {
  const { info, kind, parts, query, res } = exchange;
  const options = logOptions(query, info.name);
  const key = { namespace: info.namespace, name: info.name };
  const pod = parts.registry.get(kind, key) as unknown as Pod;
  const container = containerFor(pod, query.get('container') ?? '');
  const node = pod.spec.nodeName ?? '';
  if (node === '') {
    res.writeHead(204);
    res.end();
    return;
  }
  checkHasLog(pod, container, options.previous);
  const request: LogRequest = {
    namespace: info.namespace,
    pod: info.name,
    uid: pod.metadata.uid ?? '',
    container,
    ...options,
  };
  await streamText(exchange, (signal) => parts.nodeStreams.logs(node, request, signal));
}

type LogOptions = Omit<LogRequest, 'namespace' | 'pod' | 'uid' | 'container'>;

function logOptions(query: URLSearchParams, pod: string): LogOptions {
  const sinceSeconds = integer(query, 'sinceSeconds');
  const tailLines = integer(query, 'tailLines');
  const limitBytes = integer(query, 'limitBytes');
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '' && Number.isNaN(Date.parse(sinceTime))) {
    throw badRequest(`parsing time ${JSON.stringify(sinceTime)} as "2006-01-02T15:04:05Z07:00"`);
  }
  const errors = optionErrors({ sinceSeconds, tailLines, limitBytes, sinceTime });
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod, errors);
  return {
    follow: isTrue(query.get('follow')),
    previous: isTrue(query.get('previous')),
    timestamps: isTrue(query.get('timestamps')),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(sinceTime === '' ? {} : { sinceTime }),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

/** apis/core/validation ValidatePodLogOptions. */
function optionErrors({
  sinceSeconds,
  tailLines,
  limitBytes,
  sinceTime,
}: {
  sinceSeconds: number | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
  sinceTime: string;
}): FieldError[] {
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0) {
    errors.push(fieldInvalid('tailLines', tailLines, 'must be greater than or equal to 0'));
  }
  if (limitBytes !== undefined && limitBytes < 1) {
    errors.push(fieldInvalid('limitBytes', limitBytes, 'must be greater than 0'));
  }
  if (sinceSeconds !== undefined && sinceTime !== '') {
    errors.push(
      fieldForbidden('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'),
    );
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) {
    errors.push(fieldInvalid('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  }
  return errors;
}
