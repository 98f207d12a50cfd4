import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import type { Report } from '../link/outbox.ts';
import { ReportedEvents } from './event-recorder.ts';

const pod = { kind: 'Pod', name: 'web', namespace: 'default', uid: 'u' } as const;

let clock: ManualClock;
let reports: Report[];
let events: ReportedEvents;

beforeEach(() => {
  clock = new ManualClock();
  reports = [];
  events = new ReportedEvents({
    outbox: { put: (report) => reports.push(report), withdraw: () => {} },
    clock,
    nodeName: 'a',
  });
});

const record = (reason: string) =>
  events.record(pod, { type: 'Normal', reason, message: 'it happened' });

test('the names of events have the order in which they happened, also within a millisecond', () => {
  const reasons = ['Pulled', 'Created', 'Started', 'Killing', 'BackOff'];
  for (const reason of reasons) record(reason);
  clock.advance(1);
  record('Pulling');
  const keys = reports.map(({ key }) => key);
  expect(keys).toEqual([...keys].sort());
  expect(new Set(keys).size).toBe(6);
});

test('one that says the same again is the same event with a higher count', () => {
  record('BackOff');
  clock.advance(5000);
  record('BackOff');
  expect(reports[1]?.key).toBe(reports[0]?.key);
  expect(reports.map(({ body }) => body['count'])).toEqual([1, 2]);
});
