import {
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { expect, test } from 'vitest';
import { stateHash } from '../../shared/wire/desired-messages.ts';
import { decodeFrame, encodeMessage } from '../../shared/wire/frame.ts';
import { SEALED_LAYOUT, sealingContext } from '../../shared/wire/sealed.ts';
import { WIRE_VECTORS } from '../../shared/wire/wire-vectors.ts';
import {
  deflate,
  inflate,
  publicKeyFromRaw,
  rawPublicKey,
  seal,
  sha256Hex,
  verifyBytes,
} from './node-crypto.ts';

const PKCS8 = {
  ed25519: '302e020100300506032b657004220420',
  x25519: '302e020100300506032b656e04220420',
};

function privateKey(curve: 'ed25519' | 'x25519', seedHex: string): KeyObject {
  const key = Buffer.from(PKCS8[curve] + seedHex, 'hex');
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

const V = WIRE_VECTORS;

test('a frame has the bytes of the shared vector', () => {
  const key = privateKey('ed25519', V.signingSeedHex);
  const [frame] = encodeMessage(V.address, V.header, Buffer.from(V.body), {
    sign: (bytes) => sign(null, bytes, key),
    deflate,
  });
  expect(Buffer.from(frame!).toString('base64')).toBe(V.frame);
});

test('the frame of the shared vector is verified with the raw public key', () => {
  const key = publicKeyFromRaw('ed25519', Buffer.from(V.signingPublicKey, 'base64'));
  const frame = decodeFrame(V.address, Buffer.from(V.frame, 'base64'), (bytes, signature) =>
    verifyBytes(key, bytes, signature),
  );
  expect(frame.header).toEqual({ ...V.header, chunk: { index: 0, count: 1 } });
  expect(Buffer.from(frame.body).toString()).toBe(V.body);
});

test('a frame for another node does not verify', () => {
  const key = publicKeyFromRaw('ed25519', Buffer.from(V.signingPublicKey, 'base64'));
  const other = { ...V.address, node: 'other' };
  expect(() =>
    decodeFrame(other, Buffer.from(V.frame, 'base64'), (b, s) => verifyBytes(key, b, s)),
  ).toThrow('signature');
});

test('the state hash is that of the shared vector', () => {
  expect(stateHash(V.documents, sha256Hex)).toBe(V.stateHash);
});

test('what is sealed opens with the node key and its own context only', () => {
  const nodeKey = privateKey('x25519', V.sealingSeedHex);
  const publicKey = createPublicKey(nodeKey);
  expect(rawPublicKey(publicKey).toString('base64')).toBe(V.sealingPublicKey);
  const sealed = Buffer.from(
    seal(publicKey, V.address, V.document, Buffer.from(V.plain)),
    'base64',
  );
  expect(open(nodeKey, sealed, sealingContext(V.address, V.document))).toBe(V.plain);
  expect(
    open(nodeKey, Buffer.from(V.sealed, 'base64'), sealingContext(V.address, V.document)),
  ).toBe(V.plain);
  const other = sealingContext({ ...V.address, node: 'other' }, V.document);
  expect(() => open(nodeKey, sealed, other)).toThrow();
});

function open(nodeKey: KeyObject, sealed: Buffer, context: string): string {
  const { publicKeyFrom, nonceFrom, ciphertextFrom, tagBytes } = SEALED_LAYOUT;
  const ephemeral = sealed.subarray(publicKeyFrom, nonceFrom);
  const secret = diffieHellman({
    privateKey: nodeKey,
    publicKey: publicKeyFromRaw('x25519', ephemeral),
  });
  const salt = Buffer.concat([ephemeral, rawPublicKey(createPublicKey(nodeKey))]);
  const key = Buffer.from(hkdfSync('sha256', secret, salt, context, 32));
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(nonceFrom, ciphertextFrom));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const text = decipher.update(sealed.subarray(ciphertextFrom, -tagBytes));
  return Buffer.concat([text, decipher.final()]).toString();
}

test('a body that inflates beyond the limit is refused', () => {
  const bomb = deflate(Buffer.alloc(1_000_000));
  expect(() => inflate(bomb, 10_000)).toThrow();
});
