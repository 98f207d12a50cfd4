import type { HTTPGetAction } from '../../shared/schema/kubernetes-types.ts';
import { KUBERNETES_MINOR } from '../../shared/version.ts';
import { type HttpAnswer, httpGet } from '../host/http-get.ts';
import { type ProbeAnswer, type ProbeTarget, resolvePort } from './handler.ts';

/** Answers 200 to 399 are success; a redirect to another host is one too, with a warning. */
export async function probeHttp(action: HTTPGetAction, target: ProbeTarget): Promise<ProbeAnswer> {
  const request = httpRequest(action, target, `kube-probe/${KUBERNETES_MINOR}`);
  let answer: HttpAnswer;
  try {
    answer = await httpGet({ ...request, timeoutMs: target.timeoutMs, signal: target.signal });
  } catch (error) {
    return { outcome: 'failure', output: (error as Error).message };
  }
  const { status, body } = answer;
  if (status < 200 || status >= 400) {
    return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${status}` };
  }
  if (status < 300) return { outcome: 'success', output: body };
  return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
}

/** The GET of a hook: that it is answered is enough. */
export async function hookHttp(action: HTTPGetAction, target: ProbeTarget): Promise<void> {
  const request = httpRequest(action, target, `kube-lifecycle/${KUBERNETES_MINOR}`);
  await httpGet({ ...request, timeoutMs: target.timeoutMs, signal: target.signal });
}

/** `host` of the action, else the pod's; a header with no value takes that header away where it has a default. */
export function httpRequest(
  action: HTTPGetAction,
  { container, host }: Pick<ProbeTarget, 'container' | 'host'>,
  userAgent: string,
): { url: URL; headers: Record<string, string> } {
  const port = resolvePort(action.port, container);
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path?.startsWith('/') === true ? action.path : `/${action.path ?? ''}`;
  const authority = bracketed(action.host || host);
  const headers: Record<string, string> = {
    'user-agent': userAgent,
    accept: '*/*',
    connection: 'close',
  };
  for (const { name, value = '' } of action.httpHeaders ?? []) {
    const key = name.toLowerCase();
    if (value === '' && key === 'accept') delete headers[key];
    else headers[key] = value;
  }
  return { url: new URL(`${scheme}://${authority}:${port}${path}`), headers };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
