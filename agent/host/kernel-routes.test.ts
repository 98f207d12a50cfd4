import { expect, test } from 'vitest';
import { linkExists, parseRoutes } from './kernel-routes.ts';

test('routes are read as the kernel prints them', () => {
  const text = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0',
    'skab12\t05002A0A\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0',
    '',
  ].join('\n');
  expect(parseRoutes(text)).toEqual([
    { device: 'eth0', destination: '0.0.0.0', prefix: 0, metric: 100 },
    { device: 'eth0', destination: '192.168.1.0', prefix: 24, metric: 100 },
    { device: 'skab12', destination: '10.42.0.5', prefix: 32, metric: 0 },
  ]);
});

test('a link is found by its whole name', () => {
  expect(linkExists('lo')).toBe(true);
  expect(linkExists('l')).toBe(false);
  expect(linkExists('lo0')).toBe(false);
});
