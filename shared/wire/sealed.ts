/**
 * How a Secret is sealed to one node: X25519 with a key made for this one message, HKDF-SHA-256, AES-256-GCM. Sealed bytes are
 *
 *   byte 0        version (1)
 *   bytes 1-32    ephemeral X25519 public key, raw
 *   bytes 33-44   nonce
 *   …             ciphertext of the object's JSON in UTF-8
 *   last 16       GCM tag
 *
 * key = HKDF(secret: X25519(ephemeral, node), salt: ephemeral public key ‖ node's public key, info: sealingContext(…), 32 bytes);
 * the context is also the additional data, so a sealed Secret opens only as the document that it was made for.
 */
export const SEALED_VERSION = 1;
export const SEALED_LAYOUT = { publicKeyFrom: 1, nonceFrom: 33, ciphertextFrom: 45, tagBytes: 16 };

export function sealingContext(
  address: { cluster: string; node: string },
  document: { key: string; version: string },
): string {
  return `skerry/1|seal|${address.cluster}|${address.node}|${document.key}|${document.version}`;
}
