import {
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { SEALED_LAYOUT, SEALED_VERSION, sealingContext } from '../../shared/wire/sealed.ts';

export function sha256Hex(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Ed25519 (RFC 8032), 64 bytes. */
export function signWith(key: KeyObject, bytes: Uint8Array): Uint8Array {
  return sign(null, bytes, key);
}

export function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes);
}

/** Throws when the result is larger than `maxBytes`. */
export function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return inflateRawSync(bytes, { maxOutputLength: maxBytes });
}

/** A public key of its raw 32 bytes in base64 (RFC 8037). Throws when it is none. */
export function publicKeyOf(curve: 'Ed25519' | 'X25519', rawBase64: string): KeyObject {
  const x = Buffer.from(rawBase64, 'base64').toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: curve, x }, format: 'jwk' });
}

/** The raw 32 bytes of the public half, base64. */
export function rawPublicKey(privateKey: KeyObject): string {
  const jwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(jwk.x ?? '', 'base64url').toString('base64');
}

/** Opens what shared/wire/sealed.ts describes. Throws when it was made for another key, node or document, or was altered. */
export function unseal(
  privateKey: KeyObject,
  address: { cluster: string; node: string },
  document: { key: string; version: string; sealed: string },
): JsonObject {
  const { publicKeyFrom, nonceFrom, ciphertextFrom, tagBytes } = SEALED_LAYOUT;
  const bytes = Buffer.from(document.sealed, 'base64');
  if (bytes[0] !== SEALED_VERSION || bytes.length < ciphertextFrom + tagBytes) {
    throw new Error('the sealed document is of an unknown form');
  }
  const ephemeral = bytes.subarray(publicKeyFrom, nonceFrom);
  const context = Buffer.from(sealingContext(address, document));
  const secret = diffieHellman({
    privateKey,
    publicKey: publicKeyOf('X25519', ephemeral.toString('base64')),
  });
  const salt = Buffer.concat([ephemeral, Buffer.from(rawPublicKey(privateKey), 'base64')]);
  const key = Buffer.from(hkdfSync('sha256', secret, salt, context, 32));
  const nonce = bytes.subarray(nonceFrom, ciphertextFrom);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  decipher.setAAD(context);
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const clear = [decipher.update(bytes.subarray(ciphertextFrom, -tagBytes)), decipher.final()];
  return JSON.parse(Buffer.concat(clear).toString('utf8')) as JsonObject;
}
