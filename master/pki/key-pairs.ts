import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/** A new P-256 private key, PKCS#8 PEM. */
export function newP256Key(): string {
  return privatePem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** A new Ed25519 private key, PKCS#8 PEM. */
export function newEd25519Key(): string {
  return privatePem(generateKeyPairSync('ed25519').privateKey);
}

/** The public half of a private key, SPKI PEM. */
export function publicPem(privateKeyPem: string): string {
  return createPublicKey(privateKeyPem).export({ type: 'spki', format: 'pem' }).toString();
}

/** The raw 32 bytes of the public half of an Ed25519 or X25519 key, base64 (RFC 8410). */
export function rawPublicKey(key: KeyObject | string): string {
  const jwk = createPublicKey(typeof key === 'string' ? createPrivateKey(key) : key).export({
    format: 'jwk',
  });
  return Buffer.from(jwk.x ?? '', 'base64url').toString('base64');
}

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
