import { carriedMetadata, newMetadata } from '../meta/carried-metadata.ts';
import {
  type FieldError,
  fieldInvalid,
  fieldInvalidEach,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkDns1123Subdomain, checkQualifiedName, nameIsPathSegment } from '../meta/names.ts';
import { validateObjectMeta } from '../meta/object-meta.ts';
import { ageOf } from '../meta/time.ts';
import type { Event } from '../schema/kubernetes-types.ts';
import { column, nameColumn, wideColumn } from './columns.ts';
import { ALL_VERBS, type ResourceKind } from './resource-kind.ts';

/** What happened, for people: kept in memory and for a while only. */
export const EVENTS: ResourceKind<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  namespaced: true,
  verbs: ALL_VERBS,
  subresources: [],
  isVolatile: () => true,
  strategy: {
    prepareForCreate: (event) => ({ ...event, metadata: newMetadata(event.metadata) }),
    default: defaultEvent,
    validate: (event) => [...validateNamed(event), ...validate(event)],
    prepareForUpdate: (next, previous) => ({
      ...next,
      metadata: carriedMetadata(next.metadata, previous.metadata),
    }),
    validateUpdate: validate,
  },
  columns: [
    column('Last Seen', 'string', 'When it happened last.', lastSeen),
    column('Type', 'string', 'Normal or Warning.', ({ type }) => type ?? ''),
    column('Reason', 'string', 'Why it happened, in one word.', ({ reason }) => reason ?? ''),
    column('Object', 'string', 'The object it happened to.', objectOf),
    wideColumn(
      'Subobject',
      'string',
      'The part of the object it happened to.',
      ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    ),
    wideColumn('Source', 'string', 'Who reports it.', sourceOf),
    column('Message', 'string', 'What happened.', ({ message }) => (message ?? '').trim()),
    wideColumn('First Seen', 'string', 'When it happened first.', firstSeen),
    wideColumn('Count', 'string', 'How often it happened.', ({ count, series }) =>
      series ? (series.count ?? 0) : count || 1,
    ),
    { ...nameColumn<Event>(), priority: 1 },
  ],
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type }) => type ?? '',
  },
};

function lastSeen(event: Event, nowMs: number): string {
  if (event.series) return ageOf(event.series.lastObservedTime, nowMs);
  return event.lastTimestamp ? ageOf(event.lastTimestamp, nowMs) : firstSeen(event, nowMs);
}

function firstSeen(event: Event, nowMs: number): string {
  return ageOf(event.firstTimestamp || event.eventTime, nowMs);
}

function objectOf({ involvedObject }: Event): string {
  const kind = (involvedObject?.kind ?? '').toLowerCase();
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind;
}

function sourceOf({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || '';
  const instance = source?.host || reportingInstance || '';
  return instance === '' ? component : `${component}, ${instance}`;
}

/** These fields are always there when an event is read. */
function defaultEvent(event: Event): Event {
  const never = null as unknown as string;
  return {
    ...event,
    eventTime: event.eventTime ?? never,
    firstTimestamp: event.firstTimestamp ?? never,
    lastTimestamp: event.lastTimestamp ?? never,
    involvedObject: event.involvedObject ?? {},
    source: event.source ?? {},
    reportingComponent: event.reportingComponent ?? '',
    reportingInstance: event.reportingInstance ?? '',
  };
}

function validateNamed({ metadata }: Event): FieldError[] {
  return validateObjectMeta(metadata, true, nameIsPathSegment).filter(
    ({ field }) => field !== 'metadata.namespace',
  );
}

/** core validation, legacyValidateEvent: what core/v1 asks of an event at every write. */
function validate(event: Event): FieldError[] {
  const errors = [
    ...validateInvolvedNamespace(event),
    ...(event.eventTime ? validateReport(event) : []),
  ];
  const namespace = event.metadata.namespace ?? '';
  errors.push(...fieldInvalidEach('namespace', namespace, checkDns1123Subdomain(namespace)));
  return errors;
}

/** An event about a cluster-scoped object lives in `default`, any other with its object. */
function validateInvolvedNamespace({ involvedObject, metadata, eventTime }: Event): FieldError[] {
  const involved = involvedObject?.namespace ?? '';
  const namespace = metadata.namespace ?? '';
  const allowed = eventTime ? ['default', 'kube-system'] : ['', 'default'];
  const isRight =
    involved === '' ? allowed.includes(namespace) : eventTime ? true : involved === namespace;
  if (isRight) return [];
  return [fieldInvalid('involvedObject.namespace', involved, 'does not match event.namespace')];
}

/** Events of the newer form, with an eventTime, name their reporter and action. */
function validateReport(event: Event): FieldError[] {
  const { reportingComponent = '', message = '' } = event;
  const errors: FieldError[] = [];
  if (reportingComponent === '') errors.push(fieldRequired('reportingComponent'));
  errors.push(
    ...fieldInvalidEach(
      'reportingComponent',
      reportingComponent,
      checkQualifiedName(reportingComponent),
    ),
  );
  for (const field of ['reportingInstance', 'action', 'reason'] as const) {
    const value = event[field] ?? '';
    if (value === '') errors.push(fieldRequired(field));
    if (value.length > 128) errors.push(tooLong(field, 128));
  }
  if (message.length > 1024) errors.push(tooLong('message', 1024));
  return errors;
}

function tooLong(field: string, max: number): FieldError {
  return fieldInvalid(field, '', `can have at most ${max} characters`);
}

/**
 * The name of a new Event, as client-go names them: the object and the time in nanoseconds, so that lists have the order in which things
 * happened, also within one second, which is all that the timestamps tell. `nth` (0 to 999,999, it may go round) tells those of one
 * millisecond apart; the master takes even ones and agents odd ones.
 */
export function eventName(about: string, nowMs: number, nth: number): string {
  const nanoseconds = BigInt(Math.trunc(nowMs)) * 1_000_000n + BigInt(nth % 1_000_000);
  return `${about}.${nanoseconds.toString(16).padStart(16, '0')}`;
}
