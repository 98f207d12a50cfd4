import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Node } from '../../shared/schema/kubernetes-types.ts';
import type { Registry } from '../store/registry.ts';

/** Raw public keys of the device, base64: Ed25519 and X25519. */
export const SIGNING_KEY_ANNOTATION = 'skerry.dev/signing-key';
export const SEALING_KEY_ANNOTATION = 'skerry.dev/sealing-key';

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

  #annotation(name: string, key: string): string | undefined {
    const node = this.#registry.find(this.#nodes, { namespace: '', name });
    return node?.metadata.annotations?.[key];
  }
}
