import { expect, test } from 'vitest';
import { decodeBody, encodeBody } from './body.ts';
import { readDelta, readHello, readSnapshot } from './desired-messages.ts';
import { FrameError } from './frame.ts';
import { encodeAlive, readAlive, readReports, readSeen } from './report-messages.ts';
import { isLaterSession, parseSession } from './session-id.ts';
import { decodeStreamMessage, encodeStreamMessage, type StreamMessage } from './stream-messages.ts';
import { leavesOf, nodeTopic, parseNodeTopic } from './topics.ts';

const MARK = { epoch: 1, generation: 2, hash: 'h' };

test('each message is read back as it was written', () => {
  const hello = { have: MARK, want: 'snapshot' as const, capabilities: ['logs'], release: '0.1.0' };
  expect(readHello(decodeBody(encodeBody(hello)))).toEqual(hello);
  const document = { key: 'pods/a/b', version: 'v', object: { kind: 'Pod' }, sealed: 'AQ==' };
  const snapshot = { replaces: MARK, hash: 'x', documents: [document] };
  expect(readSnapshot(decodeBody(encodeBody(snapshot)))).toEqual(snapshot);
  const base = { generation: 2, hash: 'h' };
  const delta = { base, hash: 'x', puts: [document], deletes: ['pods/a/c'] };
  expect(readDelta(decodeBody(encodeBody(delta)))).toEqual(delta);
  const reports = { reports: [{ key: 'nodes//n', body: { status: {} } }] };
  expect(readReports(decodeBody(encodeBody(reports)))).toEqual(reports);
  const seen = { sequence: 3, refused: [{ key: 'k', message: 'm' }], resend: true };
  expect(readSeen(decodeBody(encodeBody(seen)))).toEqual(seen);
  expect(readAlive(encodeAlive({ up: true }))).toEqual({ up: true });
  expect(readAlive(encodeAlive({ up: false }))).toEqual({ up: false });
});

test('a body of another shape is malformed', () => {
  expect(() => decodeBody(new TextEncoder().encode('[]'))).toThrow(FrameError);
  expect(() => readHello({ have: { epoch: -1, generation: 0, hash: '' } })).toThrow(FrameError);
  expect(() => readDelta({ base: MARK, hash: 'h', puts: [{ key: 1 }], deletes: [] })).toThrow(
    FrameError,
  );
});

test('each stream message is read back as it was written', () => {
  const messages: StreamMessage[] = [
    { type: 'open', stream: 'a1', kind: 'logs', request: { pod: 'web' } },
    {
      type: 'data',
      stream: 'a1',
      sequence: 4_000_000_000,
      channel: 2,
      bytes: new Uint8Array([0, 255]),
    },
    { type: 'credit', stream: 'a1', upTo: 32 },
    { type: 'end', stream: 'a1', sequence: 3 },
    { type: 'end', stream: 'a1', sequence: 0, error: { reason: 'NotFound', message: 'no' } },
    { type: 'end', stream: 'a1', sequence: 0, result: { exitCode: 1 } },
    { type: 'cancel', stream: 'a1', reason: 'gap' },
  ];
  for (const message of messages) {
    expect(decodeStreamMessage(encodeStreamMessage(message))).toEqual(message);
  }
  expect(() => decodeStreamMessage(new Uint8Array([1, 200, 1]))).toThrow(FrameError);
  expect(() => decodeStreamMessage(new Uint8Array())).toThrow(FrameError);
});

test('a topic names its node again, dots and all', () => {
  expect(nodeTopic('c1', 'pi.lan', 'head')).toBe('skerry/c1/pi_lan/head');
  expect(parseNodeTopic('c1', 'skerry/c1/pi_lan/head')).toEqual({ node: 'pi.lan', leaf: 'head' });
});

test('what is no topic of a node of this cluster is none', () => {
  for (const topic of [
    'skerry/c2/pi/head',
    'skerry/c1/_m',
    'skerry/c1/_m/head',
    'skerry/c1/+/st',
    'skerry/c1/pi/#',
    'skerry/c1/pi/st/x',
    'skerry/c1/pi/constructor',
    '$SYS/broker',
  ]) {
    expect(parseNodeTopic('c1', topic)).toBeUndefined();
  }
});

test('a node reads three topics and writes four', () => {
  expect(leavesOf('down')).toEqual(['head', 'd', 'rq']);
  expect(leavesOf('up')).toEqual(['al', 'st', 'ack', 'rs']);
});

test('sessions are ordered by start, then by connection', () => {
  expect(isLaterSession(parseSession('2.1')!, parseSession('1.9')!)).toBe(true);
  expect(isLaterSession(parseSession('2.10')!, parseSession('2.9')!)).toBe(true);
  expect(isLaterSession(parseSession('2.1')!, parseSession('2.1')!)).toBe(false);
  expect(parseSession('x')).toBeUndefined();
});
