import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { tlsKeySha256 } from '../pki/node-keys.ts';
import { TestAuthority } from './fleet-fixture.ts';
import { mayPublish, maySubscribe, nodeOfPeer } from './topic-access.ts';

let certificate: Uint8Array;

beforeAll(async () => {
  const authority = await TestAuthority.create();
  certificate = new X509Certificate((await authority.node('pi')).cert).raw;
});

function peer(authorized: boolean, CN: string, O: string | string[] = 'system:nodes') {
  return { authorized, getPeerCertificate: () => ({ subject: { CN, O }, raw: certificate }) };
}

test('a node is whoever has an authorised certificate of the group of nodes', () => {
  expect(nodeOfPeer(peer(true, 'system:node:pi.lan'))).toEqual({
    node: 'pi.lan',
    keySha256: tlsKeySha256(certificate),
  });
  expect(nodeOfPeer(peer(true, 'system:node:pi', ['x', 'system:nodes']))?.node).toBe('pi');
  expect(nodeOfPeer(peer(false, 'system:node:pi'))).toBeUndefined();
  expect(nodeOfPeer(peer(true, 'system:node:pi', 'system:masters'))).toBeUndefined();
  expect(nodeOfPeer(peer(true, 'admin'))).toBeUndefined();
  expect(nodeOfPeer({ authorized: true, getPeerCertificate: () => ({}) })).toBeUndefined();
});

test('a node writes its own topics upwards, once each', () => {
  const may = (topic: string, retain = false, qos = 1) =>
    mayPublish('c', 'pi.lan', { topic, retain, qos });
  expect(['al', 'st', 'ack', 'rs'].every((leaf) => may(`skerry/c/pi_lan/${leaf}`))).toBe(true);
  expect(['head', 'd', 'rq', 'x'].some((leaf) => may(`skerry/c/pi_lan/${leaf}`))).toBe(false);
  expect(may('skerry/c/pi/st')).toBe(false);
  expect(may('skerry/d/pi_lan/st')).toBe(false);
  expect(may('$SYS/a')).toBe(false);
  expect(may('skerry/c/pi_lan/st', true)).toBe(false);
  expect(may('skerry/c/pi_lan/st', false, 2)).toBe(false);
});

test('a node reads its own topics downwards and the beacon, by their exact names', () => {
  const may = (filter: string) => maySubscribe('c', 'pi.lan', filter);
  expect(['head', 'd', 'rq'].every((leaf) => may(`skerry/c/pi_lan/${leaf}`))).toBe(true);
  expect(may('skerry/c/_m')).toBe(true);
  for (const filter of [
    '#',
    '+/c/pi_lan/d',
    'skerry/c/+/d',
    'skerry/c/pi_lan/#',
    'skerry/c/other/d',
  ]) {
    expect(may(filter)).toBe(false);
  }
  expect(may('skerry/c/pi_lan/st')).toBe(false);
});
