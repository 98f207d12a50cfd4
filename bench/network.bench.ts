import { measureDns } from './network-dns.ts';
import { measureServices } from './network-services.ts';

// Run with: node --import tsx bench/network.bench.ts

console.table([await measureDns()]);
console.table([
  await measureServices(100),
  await measureServices(1_000),
  await measureServices(5_000),
]);
