import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../../shared/logger.ts';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { decodeMessage, encodeQuery } from './packet.ts';
import { Responder } from './responder.ts';
import { DnsServer } from './server.ts';
import { Zone } from './zone.ts';

const silent: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
};

let server: DnsServer;

beforeEach(async () => {
  const zone = new Zone({ domain: 'cluster.local', address: '10.43.0.10', cidrs: [] });
  zone.putService({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'ClusterIP', clusterIP: '10.43.0.7', ports: [{ name: 'http', port: 80 }] },
  });
  const responder = new Responder({
    zone: () => zone,
    upstreams: { resolve: async () => undefined },
    random: () => 0,
  });
  server = new DnsServer({
    responder,
    address: '127.0.0.1',
    port: 0,
    clock: new ManualClock(),
    log: silent,
  });
  await server.start();
});

afterEach(() => server.stop());

test('a service answers with its cluster IP over UDP', async () => {
  const response = decodeMessage(await ask(encodeQuery(7, 'Web.Shop.svc.cluster.local', 'A')));
  expect(response).toMatchObject({ id: 7, rcode: 'NOERROR', flag_aa: true });
  expect(response.answers).toMatchObject([
    { name: 'Web.Shop.svc.cluster.local', type: 'A', ttl: 5, data: '10.43.0.7' },
  ]);
});

async function ask(query: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      socket.on('error', reject);
      socket.on('message', resolve);
      socket.send(query, server.port, '127.0.0.1');
    });
  } finally {
    socket.close();
  }
}
