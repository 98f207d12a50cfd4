import { connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { hasConnectionTo, holdersOf, listeningSockets, parseSockets } from './listening-sockets.ts';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

test('listening sockets are read from the kernel, those in use by a connection are not', () => {
  const tcp = `${HEAD}   0: 00000000:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 11 1 0
   1: 0100007F:0035 0200000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 12 1 0
`;
  expect(parseSockets(tcp, 'tcp')).toEqual([
    { protocol: 'tcp', address: '0.0.0.0', port: 6443, inode: 11 },
  ]);
});

test('an address of IPv4 inside one of IPv6 is shown as it is meant', () => {
  const line = (address: string) =>
    `${HEAD}   0: ${address}:0035 0:0000 07 0:0 00:0 0     0        0 13 1 0\n`;
  const addressOf = (hex: string) => parseSockets(line(hex), 'udp')[0]?.address;
  expect(addressOf('0000000000000000FFFF00003500007F')).toBe('127.0.0.53');
  expect(addressOf('00000000000000000000000000000000')).toBe('::');
  expect(addressOf('B80D0120000000000000000001000000')).toBe(
    '2001:0db8:0000:0000:0000:0000:0000:0001',
  );
});

test('a server of this process is found with its command', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const found = listeningSockets().find((socket) => socket.port === port);
  expect(found).toMatchObject({ protocol: 'tcp', address: '127.0.0.1' });
  const inode = found?.inode ?? 0;
  expect(holdersOf(new Set([inode])).get(inode)).toContain('node');
  await new Promise((resolve) => server.close(resolve));
});

test('a connection of a process is seen while it lasts', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  expect(hasConnectionTo(process.pid, port)).toBe(false);
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  expect(hasConnectionTo(process.pid, port)).toBe(true);
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
