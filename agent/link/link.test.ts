import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { LinkConnection } from './link.ts';

const CONNECT = 1;
const SUBSCRIBE = 8;

let broker: Server;

afterEach(() => {
  vi.restoreAllMocks();
  broker.close();
});

/** Takes every connection and every subscription, MQTT 3.1.1 sections 3.2 and 3.9. */
function obligingBroker(): Promise<string> {
  broker = createServer((socket) => {
    socket.on('data', (packet) => {
      const type = (packet[0] ?? 0) >> 4;
      if (type === CONNECT) socket.write(Buffer.from([0x20, 2, 0, 0]));
      if (type === SUBSCRIBE)
        socket.write(Buffer.from([0x90, 3, packet[2] ?? 0, packet[3] ?? 0, 0]));
    });
    socket.on('error', () => {});
  });
  return new Promise((resolve) => {
    broker.listen(0, '127.0.0.1', () => {
      resolve(`mqtt://127.0.0.1:${(broker.address() as AddressInfo).port}`);
    });
  });
}

test('a connection does not wait to gather small packets', async () => {
  const setNoDelay = vi.spyOn(Socket.prototype, 'setNoDelay');
  const url = await obligingBroker();
  const connection = await LinkConnection.open(
    {
      url,
      clientId: 'a',
      ca: '',
      certificate: '',
      privateKey: '',
      will: { topic: 'will', payload: new Uint8Array([1]) },
      subscriptions: [{ topic: 'd', qos: 0 }],
      onMessage: () => {},
    },
    new AbortController().signal,
  );
  expect(setNoDelay).toHaveBeenCalledWith(true);
  connection.cut();
});
