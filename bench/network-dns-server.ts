import { SystemClock } from '../agent/host/system-clock.ts';
import { Responder } from '../agent/network/dns/responder.ts';
import { DnsServer } from '../agent/network/dns/server.ts';
import { Zone } from '../agent/network/dns/zone.ts';
import { silentLogger } from '../shared/silent-logger.ts';

// The server that network-dns.ts measures, in a process of its own: answers each message with the processor time it has used.

const SERVICES = 1000;
const ENDPOINTS = 3;
const zone = new Zone({ domain: 'cluster.local', address: '10.43.0.10', cidrs: ['10.43.0.0/16'] });
for (let index = 0; index < SERVICES; index++) {
  const metadata = { name: `web-${index}`, namespace: `ns-${index % 10}` };
  const octets = `${index >> 8}.${index & 255}`;
  const headless = index % 4 === 0;
  zone.putService({
    metadata,
    spec: { clusterIP: headless ? 'None' : `10.43.${octets}`, ports: [{ name: 'http', port: 80 }] },
  });
  zone.putSlice({
    metadata: { ...metadata, labels: { 'kubernetes.io/service-name': metadata.name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: Array.from({ length: ENDPOINTS }, (_, pod) => ({
      addresses: [`10.${50 + pod}.${octets}`],
      conditions: { ready: true },
    })),
  });
}
const server = new DnsServer({
  responder: new Responder({
    zone: () => zone,
    upstreams: { resolve: async () => undefined },
    random: Math.random,
  }),
  address: '127.0.0.1',
  port: 0,
  clock: new SystemClock(),
  log: silentLogger,
});
await server.start();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() });
});
process.send?.({ port: server.port });
