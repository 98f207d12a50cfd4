import { createHash, X509Certificate } from 'node:crypto';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Node } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';

/** Raw public keys of the device, base64: Ed25519 and X25519. */
export const SIGNING_KEY_ANNOTATION = 'skerry.dev/signing-key';
export const SEALING_KEY_ANNOTATION = 'skerry.dev/sealing-key';
/** SHA-256 of the public key of the node's certificate (SubjectPublicKeyInfo), hex: who connects as the node must hold it. */
export const TLS_KEY_ANNOTATION = 'skerry.dev/tls-key-sha256';

/** The public keys of the enrolled nodes, from their Node objects: what signs a node's messages, what seals Secrets for it. */
export class NodeKeys {
  readonly #registry: Registry;
  readonly #nodes: ResourceKind<Node>;

  constructor(parts: { registry: Registry; nodes: ResourceKind<Node> }) {
    this.#registry = parts.registry;
    this.#nodes = parts.nodes;
  }

  /** Raw Ed25519, base64; undefined: no such node, or it never enrolled. */
  signingKey(node: string): string | undefined {
    return this.#annotation(node, SIGNING_KEY_ANNOTATION);
  }

  /** Raw X25519, base64. */
  sealingKey(node: string): string | undefined {
    return this.#annotation(node, SEALING_KEY_ANNOTATION);
  }

  /**
   * Whether a certificate with this public key (tlsKeySha256) may speak for the node: a certificate that a former device of that name
   * still holds may not.
   */
  holds(node: string, keySha256: string): boolean {
    if (this.signingKey(node) === undefined) return false;
    const held = this.#annotation(node, TLS_KEY_ANNOTATION);
    return held === undefined || held === keySha256;
  }

  #annotation(name: string, key: string): string | undefined {
    const node = this.#registry.find(this.#nodes, { namespace: '', name });
    return node?.metadata.annotations?.[key];
  }
}

/** SHA-256 of a certificate's public key (SubjectPublicKeyInfo), hex. `certificate`: PEM or DER. */
export function tlsKeySha256(certificate: string | Uint8Array): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
