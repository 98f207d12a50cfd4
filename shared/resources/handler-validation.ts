import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
  validateNonNegative,
} from '../meta/field-error.ts';
import type { IntOrString } from '../meta/int-or-string.ts';
import { checkHttpHeaderName, checkPortName, checkPortNumber } from '../meta/names.ts';
import type {
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  PodSpec,
  Probe,
} from '../schema/kubernetes-types.ts';

/** The three probes of a container and where each may differ (core validation, validateProbe). */
export function validateProbe(
  probe: Probe | undefined,
  kind: 'liveness' | 'readiness' | 'startup',
  path: string,
): FieldError[] {
  if (probe === undefined) return [];
  const errors = validateHandler(probe, undefined, path);
  for (const field of PROBE_NUMBERS) {
    errors.push(...validateNonNegative(`${path}.${field}`, probe[field]));
  }
  const grace = probe.terminationGracePeriodSeconds;
  const gracePath = `${path}.terminationGracePeriodSeconds`;
  if (grace !== undefined && grace <= 0) {
    errors.push(fieldInvalid(gracePath, grace, 'must be greater than 0'));
  }
  if (kind === 'readiness') {
    if (grace !== undefined) {
      errors.push(fieldInvalid(gracePath, grace, 'must not be set for readinessProbes'));
    }
  } else if (probe.successThreshold !== 1) {
    errors.push(fieldInvalid(`${path}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
  }
  return errors;
}

/** core validation, validateLifecycle. */
export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (lifecycle === undefined) return [];
  const grace = spec.terminationGracePeriodSeconds;
  const errors: FieldError[] = [];
  if (lifecycle.postStart) {
    errors.push(...validateHandler(lifecycle.postStart, grace, `${path}.postStart`));
  }
  if (lifecycle.preStop) {
    errors.push(...validateHandler(lifecycle.preStop, grace, `${path}.preStop`));
  }
  if (lifecycle.stopSignal !== undefined) {
    errors.push(...validateStopSignal(lifecycle.stopSignal, spec, `${path}.stopSignal`));
  }
  return errors;
}

/** A port by number, or by the name that a container gave it. */
export function validatePort(port: IntOrString | undefined, path: string): FieldError[] {
  return typeof port === 'string'
    ? fieldInvalidEach(path, port, checkPortName(port))
    : fieldInvalidEach(path, port ?? 0, checkPortNumber(port ?? 0));
}

const PROBE_NUMBERS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

type Handler = Pick<Probe, 'exec' | 'grpc' | 'httpGet' | 'tcpSocket'> & LifecycleHandler;

function validateHandler(
  handler: Handler,
  graceSeconds: number | undefined,
  path: string,
): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const checks: [string, () => FieldError[]][] = [];
  if (exec) {
    checks.push([
      'exec',
      () => (exec.command?.length ? [] : [fieldRequired(`${path}.exec.command`)]),
    ]);
  }
  if (httpGet) checks.push(['httpGet', () => validateHttpGet(httpGet, `${path}.httpGet`)]);
  if (tcpSocket) {
    checks.push(['tcpSocket', () => validatePort(tcpSocket.port, `${path}.tcpSocket.port`)]);
  }
  if (grpc) checks.push(['grpc', () => validatePort(grpc.port, `${path}.grpc.port`)]);
  if (sleep) {
    checks.push(['sleep', () => validateSleep(sleep.seconds, graceSeconds, `${path}.sleep`)]);
  }
  if (checks.length === 0) return [fieldRequired(path, 'must specify a handler type')];
  return checks.flatMap(([name, check], index) =>
    index === 0
      ? check()
      : [fieldForbidden(`${path}.${name}`, 'may not specify more than 1 handler type')],
  );
}

function validateHttpGet(action: HTTPGetAction, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!action.path) errors.push(fieldRequired(`${path}.path`));
  errors.push(...validatePort(action.port, `${path}.port`));
  if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS') {
    errors.push(fieldNotSupported(`${path}.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']));
  }
  for (const { name } of action.httpHeaders ?? []) {
    errors.push(...fieldInvalidEach(`${path}.httpHeaders`, name, checkHttpHeaderName(name)));
  }
  return errors;
}

function validateSleep(
  seconds: number,
  graceSeconds: number | undefined,
  path: string,
): FieldError[] {
  if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return [];
  const rule = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
  return [fieldInvalid(path, seconds, rule)];
}

const STOP_SIGNALS =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX RTMAX-1 RTMAX-10 RTMAX-11 RTMAX-12 RTMAX-13 RTMAX-14 RTMAX-2 RTMAX-3 RTMAX-4 RTMAX-5 RTMAX-6 RTMAX-7 RTMAX-8 RTMAX-9 RTMIN RTMIN+1 RTMIN+10 RTMIN+11 RTMIN+12 RTMIN+13 RTMIN+14 RTMIN+15 RTMIN+2 RTMIN+3 RTMIN+4 RTMIN+5 RTMIN+6 RTMIN+7 RTMIN+8 RTMIN+9 SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
    .split(' ')
    .map((name) => `SIG${name}`);

function validateStopSignal(signal: string, spec: PodSpec, path: string): FieldError[] {
  if (spec.os === undefined) {
    return [fieldForbidden(path, 'may not be set for containers with empty `spec.os.name`')];
  }
  return STOP_SIGNALS.includes(signal) ? [] : [fieldNotSupported(path, signal, STOP_SIGNALS)];
}
