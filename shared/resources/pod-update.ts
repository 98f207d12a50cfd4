import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkIp, checkQualifiedName, checkRange, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateObjectMetaUpdate } from '../meta/object-meta.ts';
import type {
  Container,
  ContainerStatus,
  Pod,
  PodSchedulingGate,
  PodSpec,
  Toleration,
} from '../schema/kubernetes-types.ts';
import { isSidecar } from './pod-resources.ts';
import { validatePod } from './pod-validation.ts';
import { validateTolerations } from './scheduling-validation.ts';

/**
 * An update of a pod: images, a shorter deadline, more tolerations, fewer gates; nothing else of the spec (core validation,
 * ValidatePodUpdate). Its node comes through the binding subresource alone.
 */
export function validatePodUpdate(next: Pod, previous: Pod): FieldError[] {
  const errors = [
    ...validateObjectMetaUpdate(next.metadata, previous.metadata),
    ...validatePod(next),
  ];
  for (const list of ['containers', 'initContainers'] as const) {
    const found = validateImages(next.spec[list], previous.spec[list], `spec.${list}`);
    errors.push(...found.errors);
    if (found.stop) return errors;
  }
  const deadline = validateDeadline(next.spec, previous.spec);
  errors.push(...deadline);
  if (deadline.length > 0 && next.spec.activeDeadlineSeconds !== undefined) return errors;
  errors.push(
    ...validateAddedTolerations(next.spec.tolerations, previous.spec.tolerations),
    ...validateRemovedGates(next.spec.schedulingGates, previous.spec.schedulingGates),
  );
  const munged = withMutableFieldsOf(next.spec, previous.spec);
  if (!semanticEqual(munged, previous.spec)) {
    errors.push(
      fieldForbidden(
        'spec',
        `pod updates may not change fields other than ${UPDATABLE.join(',')}\n${diff(previous.spec, munged)}`,
      ),
    );
  }
  return errors;
}

/** core validation, ValidatePodStatusUpdate. */
export function validatePodStatusUpdate(next: Pod, previous: Pod): FieldError[] {
  const errors = validateObjectMetaUpdate(next.metadata, previous.metadata);
  const status = next.status;
  for (const [index, { type }] of (status.conditions ?? []).entries()) {
    if (SYSTEM_CONDITIONS.includes(type)) continue;
    errors.push(
      ...fieldInvalidEach(`status.conditions[${index}].Type`, type, checkQualifiedName(type)),
    );
  }
  const nominated = status.nominatedNodeName;
  if (nominated && nominated !== previous.status?.nominatedNodeName) {
    errors.push(
      ...fieldInvalidEach('status.nominatedNodeName', nominated, nameIsDnsSubdomain(nominated)),
    );
  }
  if ((status.qosClass ?? '') !== (previous.status?.qosClass ?? '')) {
    errors.push(fieldInvalid('status.qosClass', status.qosClass ?? '', 'field is immutable'));
  }
  const { restartPolicy, initContainers = [] } = previous.spec;
  const sidecars = initContainers.filter(isSidecar).map(({ name }) => name);
  for (const list of ['containerStatuses', 'initContainerStatuses'] as const) {
    errors.push(
      ...validateTransitions(
        status[list],
        previous.status?.[list],
        restartPolicy,
        list === 'initContainerStatuses' ? sidecars : [],
        `status.${list}`,
      ),
    );
  }
  for (const [index, { ip }] of (status.podIPs ?? []).entries()) {
    errors.push(...fieldInvalidEach(`status.podIPs[${index}]`, ip, checkIp(ip)));
  }
  const hostIp = status.hostIPs?.[0]?.ip;
  if (hostIp !== undefined && hostIp !== status.hostIP) {
    errors.push(fieldInvalid('status.hostIPs[0].ip', hostIp, 'must be equal to `hostIP`'));
  }
  return errors;
}

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized'];
const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
];

function validateImages(
  next: readonly Container[] = [],
  previous: readonly Container[] = [],
  path: string,
): { errors: FieldError[]; stop: boolean } {
  if (next.length !== previous.length) {
    const error = fieldForbidden(path, 'pod updates may not add or remove containers');
    return { errors: [error], stop: true };
  }
  const errors: FieldError[] = [];
  for (const [index, { image = '' }] of next.entries()) {
    const at = `${path}[${index}].image`;
    if (image === '') errors.push(fieldRequired(at));
    if (image.trim() !== image) {
      errors.push(fieldInvalid(at, image, 'must not have leading or trailing whitespace'));
    }
  }
  return { errors, stop: false };
}

function validateDeadline(next: PodSpec, previous: PodSpec): FieldError[] {
  const path = 'spec.activeDeadlineSeconds';
  const seconds = next.activeDeadlineSeconds;
  const before = previous.activeDeadlineSeconds;
  if (seconds === undefined) {
    if (before === undefined) return [];
    return [fieldInvalid(path, null, 'must not update from a positive integer to nil value')];
  }
  const range = checkRange(seconds, 0, 2_147_483_647);
  if (range.length > 0) return fieldInvalidEach(path, seconds, range);
  if (before === undefined || seconds <= before) return [];
  return [fieldInvalid(path, seconds, 'must be less than or equal to previous value')];
}

function validateAddedTolerations(
  next: readonly Toleration[] = [],
  previous: readonly Toleration[] = [],
): FieldError[] {
  const path = 'spec.tolerations';
  const isKept = previous.every(({ tolerationSeconds: _before, ...old }) =>
    next.some(({ tolerationSeconds: _now, ...toleration }) => semanticEqual(old, toleration)),
  );
  return isKept
    ? validateTolerations(next, path)
    : [
        fieldForbidden(
          path,
          'existing toleration can not be modified except its tolerationSeconds',
        ),
      ];
}

function validateRemovedGates(
  next: readonly PodSchedulingGate[] = [],
  previous: readonly PodSchedulingGate[] = [],
): FieldError[] {
  return next.flatMap(({ name }, index) =>
    previous.some((gate) => gate.name === name)
      ? []
      : [
          fieldForbidden(
            `spec.schedulingGates[${index}].name`,
            `only deletion is allowed, but found new scheduling gate '${name}'`,
          ),
        ],
  );
}

/** The next spec with the old values where a change is allowed: what still differs is not. */
function withMutableFieldsOf(next: PodSpec, previous: PodSpec): PodSpec {
  const grace = previous.terminationGracePeriodSeconds ?? 0;
  const isGraceRaised = grace < 0 && next.terminationGracePeriodSeconds === 1;
  const munged: Record<string, unknown> = {
    ...next,
    containers: withImagesOf(next.containers, previous.containers),
    initContainers: withImagesOf(next.initContainers, previous.initContainers),
    activeDeadlineSeconds: previous.activeDeadlineSeconds,
    tolerations: previous.tolerations,
    schedulingGates: previous.schedulingGates,
    ...(isGraceRaised && { terminationGracePeriodSeconds: grace }),
  };
  return munged as unknown as PodSpec;
}

function withImagesOf(
  next: readonly Container[] = [],
  previous: readonly Container[] = [],
): unknown[] {
  return next.map((container, index) => ({ ...container, image: previous[index]?.image }));
}

/** A stopped container does not start again unless its pod's policy lets it. */
function validateTransitions(
  next: readonly ContainerStatus[] = [],
  previous: readonly ContainerStatus[] = [],
  restartPolicy: string | undefined,
  sidecars: readonly string[],
  path: string,
): FieldError[] {
  if (restartPolicy === 'Always') return [];
  return previous.flatMap(({ name, state }, index) => {
    if (!state?.terminated || sidecars.includes(name)) return [];
    if (state.terminated.exitCode !== 0 && restartPolicy === 'OnFailure') return [];
    const isRevived = next.some((status) => status.name === name && !status.state?.terminated);
    if (!isRevived) return [];
    return [
      fieldForbidden(`${path}[${index}].state`, 'may not be transitioned to non-terminated state'),
    ];
  });
}

/** The differing fields, one line per value, old before new. */
function diff(previous: unknown, next: unknown, path = 'spec'): string {
  if (semanticEqual(previous, next)) return '';
  if (isObject(previous) && isObject(next)) {
    const keys = [...new Set([...Object.keys(previous), ...Object.keys(next)])];
    return keys
      .map((key) =>
        diff(previous[key], next[key], Array.isArray(next) ? `${path}[${key}]` : `${path}.${key}`),
      )
      .join('');
  }
  const line = (sign: string, value: unknown): string =>
    value === undefined ? '' : `${sign} ${path}: ${JSON.stringify(value)}\n`;
  return line('-', previous) + line('+', next);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
