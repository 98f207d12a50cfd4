import {
  createCipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  verify,
} from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { SEALED_VERSION, sealingContext } from '../../shared/wire/sealed.ts';

/** The master's signature: Ed25519 over exactly these bytes, 64 bytes. The key stays with whoever implements it. */
export interface Signer {
  sign(bytes: Uint8Array): Uint8Array;
}

/** The raw public keys, base64, that a node gave at its enrolment; undefined for a node that is not enrolled. */
export interface NodeDirectory {
  /** Ed25519. */
  signingKey(node: string): string | undefined;
  /** X25519. */
  sealingKey(node: string): string | undefined;
  /** Whether a certificate with this public key (SHA-256 of its SubjectPublicKeyInfo, hex) may speak for the node. */
  holds(node: string, keySha256: string): boolean;
}

/** A SubjectPublicKeyInfo is this and the 32 raw bytes (RFC 8410). */
const SPKI_PREFIX = {
  ed25519: Buffer.from('302a300506032b6570032100', 'hex'),
  x25519: Buffer.from('302a300506032b656e032100', 'hex'),
};

/** The key of 32 raw bytes. Throws when it is not of this size. */
export function publicKeyFromRaw(curve: 'ed25519' | 'x25519', raw: Uint8Array): KeyObject {
  if (raw.length !== 32) throw new Error(`an ${curve} key has 32 bytes, not ${raw.length}`);
  const der = Buffer.concat([SPKI_PREFIX[curve], raw]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32);
}

/** A short name of a key, for versions and log lines. */
export function keyFingerprint(rawBase64: string): string {
  return sha256Hex(rawBase64).slice(0, 8);
}

export function verifyBytes(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key, signature);
}

/** Seals `plain` so that only the node can read it, and only as this document. Base64; layout in shared/wire/sealed.ts. */
export function seal(
  nodeKey: KeyObject,
  address: { cluster: string; node: string },
  document: { key: string; version: string },
  plain: Uint8Array,
): string {
  const ephemeral = generateKeyPairSync('x25519');
  const ephemeralRaw = rawPublicKey(ephemeral.publicKey);
  const context = Buffer.from(sealingContext(address, document));
  const secret = diffieHellman({ privateKey: ephemeral.privateKey, publicKey: nodeKey });
  const salt = Buffer.concat([ephemeralRaw, rawPublicKey(nodeKey)]);
  const key = Buffer.from(hkdfSync('sha256', secret, salt, context, 32));
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(context);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const version = Buffer.from([SEALED_VERSION]);
  return Buffer.concat([version, ephemeralRaw, nonce, ciphertext, cipher.getAuthTag()]).toString(
    'base64',
  );
}

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Equal for equal content: what is shared by all nodes is made anew only when this differs. */
export function contentHash(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}

/** Beyond this a snapshot is compressed less and faster, so that it does not hold up everything else. */
const FAST_DEFLATE_FROM_BYTES = 128 * 1024;

export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateRawSync(bytes, { level: bytes.length < FAST_DEFLATE_FROM_BYTES ? 6 : 1 });
}

/** Throws ERR_BUFFER_TOO_LARGE beyond `maxBytes`. */
export function inflate(bytes: Uint8Array, maxBytes: number): Uint8Array {
  return inflateRawSync(bytes, { maxOutputLength: maxBytes });
}
