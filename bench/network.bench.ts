import { loadavg } from 'node:os';
import { measureDns } from './network-dns.ts';
import { measureServices } from './network-services.ts';
import { measureTraffic } from './network-traffic.ts';

// Run as root with: npx tsx bench/network.bench.ts

console.log('load of the machine before:', loadavg()[0]?.toFixed(2));
console.table(await measureTraffic());
console.table([
  await measureServices({ count: 100 }),
  await measureServices({ count: 1_000 }),
  await measureServices({ count: 5_000 }),
  await measureServices({ count: 5_000, withAffinity: 3 }),
]);
console.table(await measureDns());
