import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../../shared/silent-logger.ts';
import type { Reports } from '../../shared/wire/report-messages.ts';
import { StatusOutbox } from './status-outbox.ts';

describe('the status outbox', () => {
  let clock: ManualClock;
  let batches: Reports[];
  let outbox: StatusOutbox;

  beforeEach(() => {
    clock = new ManualClock();
    batches = [];
    outbox = new StatusOutbox({
      send: (batch) => batches.push(batch),
      clock,
      logger: silentLogger,
    });
  });

  const keys = (index: number) => batches.at(index)?.reports.map(({ key }) => key);
  const report = (key: string, phase: string) => ({ key, body: { phase } });

  test('keeps the latest of each key until it is seen, and sends it once the link is up', () => {
    outbox.put(report('pods/a', 'Pending'));
    outbox.put(report('pods/a', 'Running'));
    expect(clock.pending).toBe(0);
    outbox.connected();
    expect(batches).toEqual([{ reports: [report('pods/a', 'Running')] }]);
    outbox.seen({ sequence: 1, refused: [] });
    expect(outbox.unseen).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('what comes together travels together, and nothing is sent when nothing changed', () => {
    outbox.connected();
    outbox.put(report('pods/a', 'Running'));
    outbox.put(report('pods/b', 'Running'));
    clock.advance(20);
    expect(keys(-1)).toEqual(['pods/a', 'pods/b']);
    outbox.seen({ sequence: 1, refused: [] });
    outbox.put(report('pods/a', 'Running'));
    clock.advance(600_000);
    expect(batches).toHaveLength(1);
  });

  test('a report that changes while it is under way is sent again after it', () => {
    outbox.connected();
    outbox.put(report('pods/a', 'Pending'));
    clock.advance(20);
    outbox.put(report('pods/a', 'Running'));
    clock.advance(100);
    expect(batches).toHaveLength(1);
    outbox.seen({ sequence: 1, refused: [] });
    expect(batches.at(-1)).toEqual({ reports: [report('pods/a', 'Running')] });
    outbox.seen({ sequence: 1, refused: [] });
    expect(outbox.unseen).toBe(1);
  });

  test('a report that goes back to what was seen before is sent all the same', () => {
    outbox.connected();
    outbox.put(report('pods/a', 'Running'));
    clock.advance(20);
    outbox.seen({ sequence: 1, refused: [] });
    outbox.put(report('pods/a', 'Failed'));
    clock.advance(20);
    outbox.put(report('pods/a', 'Running'));
    outbox.seen({ sequence: 2, refused: [] });
    expect(batches.at(-1)).toEqual({ reports: [report('pods/a', 'Running')] });
  });

  test('what is not answered is sent again, ever more slowly, and at once over a new connection', () => {
    outbox.connected();
    outbox.put(report('pods/a', 'Running'));
    clock.advance(20);
    clock.advance(9_999);
    expect(batches).toHaveLength(1);
    clock.advance(1);
    expect(batches).toHaveLength(2);
    clock.advance(19_999);
    expect(batches).toHaveLength(2);
    outbox.disconnected();
    expect(clock.pending).toBe(0);
    outbox.connected();
    expect(batches).toHaveLength(3);
    outbox.seen({ sequence: 2, refused: [] });
    expect(outbox.unseen).toBe(1);
    outbox.seen({ sequence: 3, refused: [] });
    expect(outbox.unseen).toBe(0);
  });

  test('batches stay below a message, one under way at a time', () => {
    outbox.connected();
    for (let n = 0; n < 10; n += 1) outbox.put(report(`pods/${n}`, 'x'.repeat(30_000)));
    clock.advance(20);
    expect(batches).toHaveLength(1);
    for (let sequence = 1; outbox.unseen > 0; sequence += 1) outbox.seen({ sequence, refused: [] });
    expect(batches.length).toBe(5);
    for (const batch of batches) expect(JSON.stringify(batch).length).toBeLessThan(96 * 1024);
  });

  test('what is withdrawn is not said again, wherever it was on its way', () => {
    outbox.connected();
    outbox.put(report('pods/seen', 'Running'));
    clock.advance(20);
    outbox.seen({ sequence: 1, refused: [] });
    outbox.put(report('pods/under-way', 'Running'));
    outbox.put(report('pods/stays', 'Running'));
    clock.advance(20);
    outbox.put(report('pods/waiting', 'Running'));
    for (const key of ['pods/seen', 'pods/under-way', 'pods/waiting']) outbox.withdraw(key);
    outbox.seen({ sequence: 2, refused: [] });
    expect(outbox.unseen).toBe(0);
    outbox.resendAll();
    clock.advance(20);
    expect(keys(-1)).toEqual(['pods/stays']);
  });

  test('everything that still holds is sent again when the master may have lost it', () => {
    outbox.connected();
    outbox.put(report('pods/a', 'Running'));
    outbox.put({ key: 'pods/b', body: { gone: true } });
    outbox.put(report('events/e', 'Started'));
    clock.advance(20);
    outbox.seen({ sequence: 1, refused: [{ key: 'nothing', message: 'no' }] });
    outbox.resendAll();
    clock.advance(20);
    expect(keys(-1)).toEqual(['pods/a']);
  });

  test('a `seen` that asks for it has everything sent again, and settles nothing', () => {
    outbox.connected();
    outbox.put(report('nodes//a', 'Ready'));
    clock.advance(20);
    outbox.seen({ sequence: 1, refused: [] });
    outbox.put(report('pods/a', 'Running'));
    clock.advance(20);
    outbox.seen({ sequence: 0, refused: [], resend: true });
    expect(outbox.unseen).toBe(2);
    outbox.seen({ sequence: 2, refused: [] });
    expect(keys(-1)).toEqual(['nodes//a']);
  });

  test('a device that is long offline keeps its pods’ states and only the newest events', () => {
    outbox.put(report('pods/a', 'Running'));
    for (let n = 0; n < 2000; n += 1) outbox.put(report(`events/${n}`, 'BackOff'));
    expect(outbox.unseen).toBe(501);
    outbox.connected();
    expect(keys(0)?.slice(0, 2)).toEqual(['pods/a', 'events/1500']);
  });
});
