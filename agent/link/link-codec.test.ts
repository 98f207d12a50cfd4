import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { stateHash } from '../../shared/wire/desired-messages.ts';
import { encodeMessage, FrameError } from '../../shared/wire/frame.ts';
import type { Leaf } from '../../shared/wire/topics.ts';
import { WIRE_VECTORS } from '../../shared/wire/wire-vectors.ts';
import { LinkCodec } from './link-codec.ts';
import { deflate, rawPublicKey, sha256Hex, signWith, unseal } from './node-crypto.ts';

/** PKCS#8 of a raw Ed25519 (70) or X25519 (6e) seed, RFC 8410. */
function privateKeyOf(curve: '70' | '6e', seedHex: string) {
  const der = Buffer.from(`302e020100300506032b65${curve}04220420${seedHex}`, 'hex');
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

const { address } = WIRE_VECTORS;
const masterKey = privateKeyOf('70', WIRE_VECTORS.signingSeedHex);

function codecOf(session: string, node: string = address.node) {
  return new LinkCodec({
    cluster: address.cluster,
    node,
    session,
    signingKey: generateKeyPairSync('ed25519').privateKey,
    masterKey: WIRE_VECTORS.signingPublicKey,
  });
}

function framesOf(leaf: Leaf, header: { session: string; sequence: number }, body: string) {
  return encodeMessage(
    { cluster: address.cluster, node: address.node, leaf },
    { kind: leaf === 'd' ? 'seen' : 'head', epoch: 1, term: 1, generation: 1, ...header },
    Buffer.from(body),
    { sign: (bytes) => signWith(masterKey, bytes), deflate },
  );
}

test('reads what the master writes: the agreed vectors', () => {
  const message = codecOf('7.2').read('d', Buffer.from(WIRE_VECTORS.frame, 'base64'));
  expect(message?.header).toEqual(WIRE_VECTORS.header);
  expect(Buffer.from(message?.body ?? []).toString()).toBe(WIRE_VECTORS.body);
  expect(rawPublicKey(masterKey)).toBe(WIRE_VECTORS.signingPublicKey);
  expect(stateHash(WIRE_VECTORS.documents, sha256Hex)).toBe(WIRE_VECTORS.stateHash);

  const sealingKey = privateKeyOf('6e', WIRE_VECTORS.sealingSeedHex);
  const { document, plain, sealed } = WIRE_VECTORS;
  expect(unseal(sealingKey, address, { ...document, sealed })).toEqual(JSON.parse(plain));
  const other = { ...document, key: 'secrets/default/other', sealed };
  expect(() => unseal(sealingKey, address, other)).toThrow();
});

test('a message counts once, in its own session, on its own topic and for its own node', () => {
  const [frame = new Uint8Array()] = framesOf('d', { session: '1.1', sequence: 5 }, '{}');
  const codec = codecOf('1.1');
  expect(codec.read('d', frame)).toBeDefined();
  expect(codec.read('d', frame)).toBeUndefined();
  const [older = new Uint8Array()] = framesOf('d', { session: '1.1', sequence: 4 }, '{}');
  expect(codec.read('d', older)).toBeUndefined();
  expect(codecOf('1.2').read('d', frame)).toBeUndefined();
  expect(() => codecOf('1.1').read('rq', frame)).toThrow(FrameError);
  expect(() => codecOf('1.1', 'other').read('d', frame)).toThrow('signature does not match');
});

test('a head belongs to no session', () => {
  const [frame = new Uint8Array()] = framesOf('head', { session: '', sequence: 0 }, '{"hash":""}');
  const codec = codecOf('9.9');
  expect(codec.read('head', frame)).toBeDefined();
  expect(codec.read('head', frame)).toBeDefined();
});

test('a changed byte, a forged signature and a body that would burst are refused', () => {
  const [frame = new Uint8Array()] = framesOf('d', { session: '1.1', sequence: 1 }, '{}');
  const changed = Uint8Array.from(frame);
  changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
  expect(() => codecOf('1.1').read('d', changed)).toThrow(FrameError);

  const huge = ' '.repeat(1024 * 1024);
  const [bomb = new Uint8Array()] = framesOf('head', { session: '', sequence: 0 }, huge);
  expect(() => codecOf('1.1').read('head', bomb)).toThrow('cannot be inflated');
});

test('numbers rise with every message of a topic, except for streams', () => {
  const codec = codecOf('1.1');
  const body = Buffer.from('1');
  expect(codec.write('al', 'alive', body).sequence).toBe(1);
  expect(codec.write('al', 'alive', body).sequence).toBe(2);
  expect(codec.write('st', 'reports', body).sequence).toBe(1);
  expect(codec.write('rs', 'stream', body).sequence).toBe(0);
});
