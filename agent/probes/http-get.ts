import type { HTTPGetAction } from '../../shared/schema/kubernetes-types.ts';
import { bracketed } from '../../shared/url-host.ts';
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

/** Headers that a request has once: the first that is given counts. */
const ONCE: ReadonlySet<string> = new Set(['host', 'user-agent']);
/** Headers that an empty value takes away. */
const REMOVABLE = ['accept', 'user-agent'];

/** `host` of the action, else the pod's; a header is sent as often as it is given, and those given take the place of the defaults. */
export function httpRequest(
  action: HTTPGetAction,
  { container, host }: Pick<ProbeTarget, 'container' | 'host'>,
  userAgent: string,
): { url: URL; headers: Record<string, string | string[]> } {
  const port = resolvePort(action.port, container);
  const scheme = (action.scheme ?? 'HTTP').toLowerCase();
  const path = action.path?.startsWith('/') === true ? action.path : `/${action.path ?? ''}`;
  const authority = bracketed(action.host || host);
  const defaults = { 'user-agent': userAgent, accept: '*/*', connection: 'close' };
  const headers = { ...defaults, ...givenHeaders(action) };
  return { url: new URL(`${scheme}://${authority}:${port}${path}`), headers };
}

function givenHeaders({ httpHeaders = [] }: HTTPGetAction): Record<string, string | string[]> {
  const given = new Map<string, string[]>();
  for (const { name, value = '' } of httpHeaders) {
    const key = name.toLowerCase();
    const before = given.get(key);
    if (before === undefined) given.set(key, [value]);
    else if (!ONCE.has(key)) before.push(value);
  }
  for (const key of REMOVABLE) if (given.get(key)?.[0] === '') given.set(key, []);
  // Of Host Node takes no list.
  return Object.fromEntries(
    [...given].map(([key, all]) => [key, all.length === 1 ? (all[0] ?? '') : all]),
  );
}
