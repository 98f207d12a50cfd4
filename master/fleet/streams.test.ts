import { beforeEach, describe, expect, test } from 'vitest';
import {
  decodeStreamMessage,
  STREAM_CHUNK_BYTES,
  STREAM_WINDOW,
  type StreamMessage,
} from '../../shared/wire/stream-messages.ts';
import type { LogRequest } from '../api/node-streams.ts';
import { until } from './fleet-fixture.ts';
import { Streams } from './streams.ts';

const REQUEST: LogRequest = {
  namespace: 'default',
  pod: 'web',
  uid: 'u',
  container: 'main',
  follow: true,
  previous: false,
  timestamps: false,
};

let sent: StreamMessage[];
let isConnected: boolean;
let streams: Streams;
let abort: AbortController;

beforeEach(() => {
  sent = [];
  isConnected = true;
  abort = new AbortController();
  let ids = 0;
  streams = new Streams({
    send: (_node, body) => {
      if (isConnected) sent.push(decodeStreamMessage(body));
      return isConnected;
    },
    newStreamId: () => `s${++ids}`,
  });
});

function data(sequence: number, text = `${sequence};`): StreamMessage {
  return { type: 'data', stream: 's1', sequence, channel: 0, bytes: Buffer.from(text) };
}

function receive(...messages: StreamMessage[]): void {
  for (const message of messages) streams.received('a', message);
}

async function readAll(): Promise<string> {
  let text = '';
  for await (const chunk of streams.logs('a', REQUEST, abort.signal)) text += chunk.toString();
  return text;
}

const types = () => sent.map(({ type }) => type);

describe('a log', () => {
  test('comes in order and ends', async () => {
    const text = readAll();
    receive(data(0), data(1), data(1), data(0), data(2), {
      type: 'end',
      stream: 's1',
      sequence: 3,
    });
    expect(await text).toBe('0;1;2;');
    expect(sent).toEqual([{ type: 'open', stream: 's1', kind: 'logs', request: REQUEST }]);
  });

  test('of a node that is not connected is ServiceUnavailable', async () => {
    isConnected = false;
    await expect(readAll()).rejects.toMatchObject({
      reason: 'ServiceUnavailable',
      message: 'node a is not connected',
    });
  });

  test('that the agent refuses is the error of the API', async () => {
    const text = readAll();
    const error = { reason: 'BadRequest', message: 'container "main" is waiting to start' };
    receive({ type: 'end', stream: 's1', sequence: 0, error });
    await expect(text).rejects.toMatchObject({ ...error, code: 400 });
  });

  test('with a gap is reset, on both sides', async () => {
    const text = readAll();
    receive(data(0), data(2));
    await expect(text).rejects.toThrow('gap');
    expect(sent.at(-1)).toEqual({ type: 'cancel', stream: 's1', reason: 'gap' });
  });

  test('whose last chunk is missing is no whole log', async () => {
    const text = readAll();
    receive(data(0), { type: 'end', stream: 's1', sequence: 2 });
    await expect(text).rejects.toThrow('gap');
  });

  test('grants credit as it is read, and no more', async () => {
    const stream = streams.open('a', 'logs', {}, abort.signal);
    for (let i = 0; i < STREAM_WINDOW; i++) receive(data(i));
    expect(types()).toEqual(['open']);
    const reader = stream[Symbol.asyncIterator]();
    for (let i = 0; i < STREAM_WINDOW / 2 - 1; i++) await reader.next();
    expect(types()).toEqual(['open']);
    await reader.next();
    expect(sent.at(-1)).toEqual({ type: 'credit', stream: 's1', upTo: STREAM_WINDOW * 1.5 });
    for (let i = 0; i < STREAM_WINDOW / 2; i++) receive(data(STREAM_WINDOW + i));
    receive(data(STREAM_WINDOW * 1.5));
    expect(sent.at(-1)).toEqual({ type: 'cancel', stream: 's1', reason: 'no credit' });
  });

  test('ends when its reader leaves, and the node is told', async () => {
    const text = readAll();
    receive(data(0));
    await until(() => sent.length > 0);
    abort.abort();
    expect(await text).toBe('0;');
    expect(sent.at(-1)).toMatchObject({ type: 'cancel' });
    receive(data(1));
    expect(sent.at(-1)).toMatchObject({ type: 'cancel', reason: 'no such stream' });
  });

  test('of a reader that stops reading is cancelled', async () => {
    const log = streams.logs('a', REQUEST, abort.signal)[Symbol.asyncIterator]();
    const first = log.next();
    receive(data(0));
    expect(String((await first).value)).toBe('0;');
    await log.return?.();
    expect(types()).toEqual(['open', 'cancel']);
  });

  test('breaks when the node disconnects, after what had come', async () => {
    let text = '';
    const reading = (async () => {
      for await (const chunk of streams.logs('a', REQUEST, abort.signal)) text += chunk;
    })();
    receive(data(0));
    streams.disconnected('a');
    await expect(reading).rejects.toMatchObject({ reason: 'ServiceUnavailable' });
    expect(text).toBe('0;');
  });

  test('that nobody reads any more is not opened', async () => {
    abort.abort();
    expect(await readAll()).toBe('');
    expect(sent).toEqual([]);
  });
});

describe('writing to a node', () => {
  test('is cut into chunks and waits for credit', async () => {
    const stream = streams.open('a', 'exec', {}, abort.signal);
    let isWritten = false;
    const bytes = Buffer.alloc((STREAM_WINDOW + 1) * STREAM_CHUNK_BYTES, 'x');
    const writing = stream.write(0, bytes).then(() => {
      isWritten = true;
    });
    const written = () => sent.filter(({ type }) => type === 'data').length;
    await until(() => written() === STREAM_WINDOW);
    expect(isWritten).toBe(false);
    receive({ type: 'credit', stream: 's1', upTo: STREAM_WINDOW + 1 });
    await writing;
    expect(written()).toBe(STREAM_WINDOW + 1);
    stream.end();
    expect(sent.at(-1)).toEqual({ type: 'end', stream: 's1', sequence: STREAM_WINDOW + 1 });
    receive({ type: 'end', stream: 's1', sequence: 0, result: { exitCode: 3 } });
    expect(stream.result).toEqual({ exitCode: 3 });
  });

  test('fails when the stream is over', async () => {
    const stream = streams.open('a', 'exec', {}, abort.signal);
    const writing = stream.write(0, Buffer.alloc((STREAM_WINDOW + 1) * STREAM_CHUNK_BYTES));
    await until(() => sent.length > STREAM_WINDOW);
    receive({ type: 'cancel', stream: 's1', reason: 'gone' });
    await expect(writing).rejects.toThrow('gone');
  });
});
