import { beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../shared/silent-logger.ts';
import { STREAM_WINDOW, type StreamMessage } from '../../shared/wire/stream-messages.ts';
import { type StreamHandler, StreamRefused } from '../streams/stream.ts';
import { StreamMux } from './stream-mux.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('streams', () => {
  let sent: StreamMessage[];
  let mux: StreamMux;
  let aborted: number;

  beforeEach(() => {
    sent = [];
    aborted = 0;
    mux = new StreamMux({
      handlers: [handler],
      send: (message) => sent.push(message),
      logger: silentLogger,
    });
  });

  const handler: StreamHandler = {
    kind: 'logs',
    async serve(request, sink, signal) {
      signal.addEventListener('abort', () => {
        aborted += 1;
      });
      if (request['missing'] === true) throw new StreamRefused('NotFound', 'no such container');
      if (request['broken'] === true) throw new Error('disk on fire');
      if (request['wait'] === true) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      }
      await sink.write(Buffer.alloc(Number(request['bytes'] ?? 0), 'x'));
    },
  };

  const open = (stream: string, request: Record<string, boolean | number>) =>
    mux.receive({ type: 'open', stream, kind: 'logs', request });
  const dataOf = (stream: string) =>
    sent.flatMap((message) =>
      message.type === 'data' && message.stream === stream ? [message] : [],
    );

  test('chunks are numbered, at most 32 KiB, and end with their count', async () => {
    open('s1', { bytes: 70_000 });
    await settled();
    expect(dataOf('s1').map(({ sequence, bytes }) => [sequence, bytes.length])).toEqual([
      [0, 32_768],
      [1, 32_768],
      [2, 4_464],
    ]);
    expect(sent.at(-1)).toEqual({ type: 'end', stream: 's1', sequence: 3 });
    expect(mux.count).toBe(0);
  });

  test('a source waits for credit', async () => {
    open('s1', { bytes: 40 * 32_768 });
    await settled();
    expect(dataOf('s1')).toHaveLength(STREAM_WINDOW);
    mux.receive({ type: 'credit', stream: 's1', upTo: 24 });
    await settled();
    expect(dataOf('s1')).toHaveLength(24);
    mux.receive({ type: 'credit', stream: 's1', upTo: 100 });
    await settled();
    expect(sent.at(-1)).toEqual({ type: 'end', stream: 's1', sequence: 40 });
  });

  test('a reader that leaves frees the source, and nothing more is sent', async () => {
    open('s1', { bytes: 40 * 32_768 });
    await settled();
    mux.receive({ type: 'cancel', stream: 's1', reason: 'gone' });
    await settled();
    expect(aborted).toBe(1);
    expect(mux.count).toBe(0);
    expect(sent).toHaveLength(STREAM_WINDOW);
  });

  test('refusals and failures are told with their reason', async () => {
    open('s1', { missing: true });
    open('s2', { broken: true });
    mux.receive({ type: 'open', stream: 's3', kind: 'teleport', request: {} });
    await settled();
    const errors = sent.map((message) => message.type === 'end' && message.error);
    expect(errors).toContainEqual({ reason: 'NotFound', message: 'no such container' });
    expect(errors).toContainEqual({ reason: 'InternalError', message: 'disk on fire' });
    expect(errors).toContainEqual({
      reason: 'BadRequest',
      message: 'this node serves no streams of kind "teleport"',
    });
  });

  test('there is a limit, and the end of the session ends them all', async () => {
    for (let n = 0; n < 40; n += 1) open(`s${n}`, { wait: true });
    await settled();
    expect(mux.count).toBe(32);
    expect(sent).toHaveLength(8);
    expect(sent[0]).toMatchObject({ type: 'end', error: { reason: 'TooManyRequests' } });
    mux.disconnected();
    await settled();
    expect(mux.count).toBe(0);
    expect(aborted).toBe(32);
  });
});
