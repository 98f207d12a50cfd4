import type { KeyObject } from 'node:crypto';
import { keyFingerprint, type NodeDirectory, publicKeyFromRaw } from './node-crypto.ts';

export interface NodeKey {
  key: KeyObject;
  /** Changes when the node enrols again. */
  fingerprint: string;
}

/** The nodes' public keys, parsed once each. */
export class NodeKeyRing {
  readonly #directory: NodeDirectory;
  readonly #signing = new Map<string, ParsedKey>();
  readonly #sealing = new Map<string, ParsedKey>();

  constructor(directory: NodeDirectory) {
    this.#directory = directory;
  }

  signingKey(node: string): NodeKey | undefined {
    return parsed(this.#signing, 'ed25519', node, this.#directory.signingKey(node));
  }

  sealingKey(node: string): NodeKey | undefined {
    return parsed(this.#sealing, 'x25519', node, this.#directory.sealingKey(node));
  }

  forget(node: string): void {
    this.#signing.delete(node);
    this.#sealing.delete(node);
  }
}

interface ParsedKey extends NodeKey {
  raw: string;
}

function parsed(
  known: Map<string, ParsedKey>,
  curve: 'ed25519' | 'x25519',
  node: string,
  raw: string | undefined,
): NodeKey | undefined {
  if (raw === undefined) return undefined;
  const before = known.get(node);
  if (before?.raw === raw) return before;
  const bytes = Buffer.from(raw, 'base64');
  if (bytes.length !== 32) return undefined;
  const next = { raw, key: publicKeyFromRaw(curve, bytes), fingerprint: keyFingerprint(raw) };
  known.set(node, next);
  return next;
}
