import { measureDns } from './network-dns.ts';

// Run with: node --import tsx bench/network.bench.ts

console.table([await measureDns()]);
