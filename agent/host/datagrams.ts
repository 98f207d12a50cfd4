import { udpSocket } from './udp-socket.ts';

/** A bound UDP socket. */
export interface DatagramSocket {
  /** Where it is bound; the port was chosen by the kernel if 0 was asked for. */
  readonly address: string;
  readonly port: number;
  /** Fire and forget: what the kernel refuses is lost, as on any network. */
  send(bytes: Uint8Array, port: number, address: string): void;
  close(): void;
}

/**
 * Binds a UDP socket. `received` gets each datagram; the buffer is its own. Throws when the address cannot be bound; `failed` is told
 * of errors after that, and the socket goes on.
 */
export async function bindDatagrams(
  { address, port }: { address: string; port: number },
  received: (bytes: Buffer, from: { address: string; port: number }) => void,
  failed: (error: Error) => void,
): Promise<DatagramSocket> {
  const socket = udpSocket(address.includes(':') ? 'udp6' : 'udp4');
  let open = true;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  socket.on('message', received);
  socket.on('error', failed);
  const bound = socket.address();
  return {
    address: bound.address,
    port: bound.port,
    send(bytes, toPort, toAddress) {
      // The callback keeps a refusal from becoming an error event.
      if (open) socket.send(bytes, toPort, toAddress, ignore);
    },
    close() {
      if (!open) return;
      open = false;
      socket.close();
    },
  };
}

function ignore(): void {}
