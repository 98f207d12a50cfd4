import { connect } from 'node:net';
import { udpSocket } from './udp-socket.ts';

export interface PeerAddress {
  address: string;
  port: number;
}

/** What becomes of one message sent to a peer; both are called until the exchange is closed. */
export interface ExchangeListener {
  received(message: Buffer): void;
  /** Nothing will come any more: no route, nobody there, or the peer closed. */
  failed(error: Error): void;
}

/** Begins an exchange; the answer ends it, after which the listener hears nothing. */
export type Exchange = (
  peer: PeerAddress,
  message: Uint8Array,
  listener: ExchangeListener,
) => () => void;

/**
 * Sends one datagram from a port of its own, which the kernel picks at random, and hears only that peer: what others send, or send
 * elsewhere, never arrives (RFC 5452 §9.2). A refusal of the peer's host counts as failure.
 */
export const exchangeDatagrams: Exchange = ({ address, port }, message, listener) => {
  const socket = udpSocket(address.includes(':') ? 'udp6' : 'udp4');
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    socket.close();
  };
  const fail = (error: Error): void => {
    if (open) listener.failed(error);
  };
  socket.on('error', fail);
  socket.on('message', (bytes) => {
    if (open) listener.received(bytes);
  });
  // Not as connect's callback: that one gets the failure too, and the error event would stay silent.
  socket.once('connect', () => {
    if (!open) return;
    socket.send(message, (error) => {
      if (error !== null) fail(error);
    });
  });
  socket.connect(port, address);
  return close;
};

const LENGTH_BYTES = 2;

/** The same over TCP, each message behind its length in two bytes (RFC 1035 §4.2.2). */
export const exchangeOverStream: Exchange = ({ address, port }, message, listener) => {
  const socket = connect({ host: address, port });
  let open = true;
  let held: Buffer = Buffer.alloc(0);
  const close = (): void => {
    open = false;
    socket.destroy();
  };
  const fail = (error: Error): void => {
    if (open) listener.failed(error);
  };
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (open && held.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + held.readUInt16BE(0);
      if (held.length < end) return;
      const message = held.subarray(LENGTH_BYTES, end);
      held = held.subarray(end);
      listener.received(message);
    }
  });
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(message.length, 0);
  socket.write(Buffer.concat([length, message]));
  return close;
};
