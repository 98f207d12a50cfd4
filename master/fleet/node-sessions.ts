import type { Logger } from '../../shared/logger.ts';
import {
  decodeFrame,
  encodeMessage,
  FrameError,
  type MessageKind,
} from '../../shared/wire/frame.ts';
import { type Message, MessageAssembler } from '../../shared/wire/message-assembler.ts';
import { readAlive } from '../../shared/wire/report-messages.ts';
import { isLaterSession, parseSession } from '../../shared/wire/session-id.ts';
import { type Leaf, TOPICS } from '../../shared/wire/topics.ts';
import { deflate, inflate, type Signer, verifyBytes } from './node-crypto.ts';
import type { NodeKeyRing } from './node-key-ring.ts';

/** What sessions need of the broker. */
export interface NodeTransport {
  /** Called back when the connection took it, or is gone. */
  send(node: string, leaf: Leaf, payload: Uint8Array, onTaken: () => void): boolean;
}

/** A checked message: of this node, of its current session, newer than the last one on its leaf. */
export interface NodeMessage extends Message {
  node: string;
  leaf: Leaf;
}

export interface NodeSessionsOptions {
  cluster: string;
  keys: NodeKeyRing;
  signer: Signer;
  transport: NodeTransport;
  /** Rises when a master is restored. */
  epoch: () => number;
  /** The revision of this master's election; 0 where there is one master. */
  term: () => number;
  log: Logger;
}

/** Reports are the largest that a node sends: 110 pods with their statuses are far below this. */
const MAX_UPWARD_BODY_BYTES = 4 * 1024 * 1024;

interface SessionState {
  /** Of the connection; undefined until the first message after it. */
  session: string | undefined;
  keyFingerprint: string | undefined;
  connected: boolean;
  /** Highest sequence per leaf, of this session. */
  received: Map<Leaf, number>;
  assemblers: Map<Leaf, MessageAssembler>;
  /** What waits on a leaf while the chunks of a message are being taken: chunks stay together and sequences in order. */
  waiting: Map<Leaf, Uint8Array[]>;
  sent: number;
  /** The session is not served: nothing of it passes. */
  refused: boolean;
  /** From the last hello. */
  capabilities: readonly string[];
}

/**
 * Who speaks: checks what comes in and signs what goes out. Invariant: a message passes once, only with the node's own signature, and only of
 * its newest session; so nothing that was sent before can be played again, in either direction.
 */
export class NodeSessions {
  readonly #options: NodeSessionsOptions;
  readonly #states = new Map<string, SessionState>();

  constructor(options: NodeSessionsOptions) {
    this.#options = options;
  }

  /** A connection with the node's certificate is fresh by itself: whatever session it brings is the newest. */
  connected(node: string): void {
    const state = this.#state(node);
    state.connected = true;
    this.#begin(state, undefined);
  }

  disconnected(node: string): void {
    const state = this.#states.get(node);
    if (!state) return;
    state.connected = false;
    for (const assembler of state.assemblers.values()) assembler.reset();
  }

  isConnected(node: string): boolean {
    return this.#states.get(node)?.connected ?? false;
  }

  /** Undefined before the node's first message. */
  sessionOf(node: string): string | undefined {
    return this.#states.get(node)?.session;
  }

  setCapabilities(node: string, capabilities: readonly string[]): void {
    this.#state(node).capabilities = capabilities;
  }

  capabilitiesOf(node: string): readonly string[] {
    return this.#states.get(node)?.capabilities ?? [];
  }

  /** Lets nothing more of the node's present session pass. */
  refuse(node: string): void {
    this.#state(node).refused = true;
  }

  forget(node: string): void {
    this.#states.delete(node);
    this.#options.keys.forget(node);
  }

  /** The message when a frame completes one that may be believed; everything else is logged and dropped. */
  receive(node: string, leaf: Leaf, payload: Uint8Array): NodeMessage | undefined {
    try {
      return this.#receive(node, leaf, payload);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const { reason, message } = error;
      this.#options.log.warn(`refused a message: ${message}`, { node, leaf, reason });
      return undefined;
    }
  }

  #receive(node: string, leaf: Leaf, payload: Uint8Array): NodeMessage | undefined {
    const signingKey = this.#options.keys.signingKey(node);
    if (!signingKey) throw new FrameError('signature', 'the node is not enrolled');
    const address = { cluster: this.#options.cluster, node, leaf };
    const frame = decodeFrame(address, payload, (signed, signature) =>
      verifyBytes(signingKey.key, signed, signature),
    );
    if (!TOPICS[leaf].kinds.includes(frame.header.kind)) {
      throw new FrameError('malformed', `${frame.header.kind} does not belong here`);
    }
    const state = this.#state(node);
    if (state.keyFingerprint !== signingKey.fingerprint) {
      state.keyFingerprint = signingKey.fingerprint;
      this.#begin(state, undefined);
    }
    if (!this.#isCurrent(node, state, frame.header.session, leaf, frame.body)) return undefined;
    if (state.refused) return undefined;
    if (leaf !== 'rs' && frame.header.sequence <= (state.received.get(leaf) ?? -1))
      return undefined;
    const message = assemblerOf(state, leaf).add(frame);
    if (!message) return undefined;
    if (leaf !== 'rs') state.received.set(leaf, message.header.sequence);
    return { ...message, node, leaf };
  }

  /** A later session begins with its first message, except with a will: that of a lost connection may come at any time. */
  #isCurrent(
    node: string,
    state: SessionState,
    session: string,
    leaf: Leaf,
    body: Uint8Array,
  ): boolean {
    if (session === state.session) return true;
    const next = parseSession(session);
    if (!next) throw new FrameError('malformed', `${session} is no session`);
    if (leaf === 'al' && !readAlive(body).up) return false;
    const current = state.session === undefined ? undefined : parseSession(state.session);
    if (current && !isLaterSession(next, current)) {
      this.#options.log.warn('refused a message of an earlier session', { node, leaf, session });
      return false;
    }
    this.#begin(state, session);
    return true;
  }

  #begin(state: SessionState, session: string | undefined): void {
    state.session = session;
    state.refused = false;
    state.received.clear();
    state.assemblers.clear();
    // Frames under way belong to the former session; their callbacks find another map entry.
    state.waiting.clear();
  }

  /** Signs and sends to the node's current session; false when there is none or the node is not connected. */
  send(node: string, leaf: Leaf, message: OutgoingMessage): boolean {
    const state = this.#states.get(node);
    if (!state?.connected || state.session === undefined) return false;
    state.sent += 1;
    const sequence = leaf === 'rq' ? 0 : state.sent;
    const frames = this.#encode(node, leaf, { ...message, session: state.session, sequence });
    const waiting = state.waiting.get(leaf);
    if (waiting) {
      waiting.push(...frames);
      return true;
    }
    const [first, ...rest] = frames;
    if (!first) return false;
    if (rest.length === 0) return this.#options.transport.send(node, leaf, first, () => {});
    state.waiting.set(leaf, rest);
    return this.#sendInTurn(node, leaf, state, rest, first);
  }

  /** A large message goes out as fast as the connection takes it, so that it never looks like a backlog. */
  #sendInTurn(
    node: string,
    leaf: Leaf,
    state: SessionState,
    rest: Uint8Array[],
    frame: Uint8Array,
  ): boolean {
    return this.#options.transport.send(node, leaf, frame, () => {
      if (state.waiting.get(leaf) !== rest) return;
      const next = rest.shift();
      if (next) this.#sendInTurn(node, leaf, state, rest, next);
      else state.waiting.delete(leaf);
    });
  }

  /** One frame that belongs to no session: a `head`. */
  encodeHead(node: string, message: OutgoingMessage): Uint8Array {
    const [frame] = this.#encode(node, 'head', { ...message, session: '', sequence: 0 });
    if (!frame) throw new Error('a message has at least one frame');
    return frame;
  }

  #encode(
    node: string,
    leaf: Leaf,
    message: OutgoingMessage & { session: string; sequence: number },
  ): Uint8Array[] {
    const { cluster, epoch, term, signer } = this.#options;
    const { kind, session, generation = 0, sequence, body } = message;
    const header = { kind, session, epoch: epoch(), term: term(), generation, sequence };
    // What streams carry is not compressed: every chunk would be, on the device too.
    const writer = { sign: (bytes: Uint8Array) => signer.sign(bytes) };
    return encodeMessage(
      { cluster, node, leaf },
      header,
      body,
      kind === 'stream' ? writer : { ...writer, deflate },
    );
  }

  #state(node: string): SessionState {
    const known = this.#states.get(node);
    if (known) return known;
    const state: SessionState = {
      session: undefined,
      keyFingerprint: undefined,
      connected: false,
      refused: false,
      received: new Map(),
      assemblers: new Map(),
      waiting: new Map(),
      sent: 0,
      capabilities: [],
    };
    this.#states.set(node, state);
    return state;
  }
}

export interface OutgoingMessage {
  kind: MessageKind;
  generation?: number;
  body: Uint8Array;
}

function assemblerOf(state: SessionState, leaf: Leaf): MessageAssembler {
  const known = state.assemblers.get(leaf);
  if (known) return known;
  const assembler = new MessageAssembler({ inflate, maxBodyBytes: MAX_UPWARD_BODY_BYTES });
  state.assemblers.set(leaf, assembler);
  return assembler;
}
