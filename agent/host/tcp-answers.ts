import { connect } from 'node:net';

/**
 * Whether a port lets connect: `open`; `closed` when the machine is there and refuses; `silent` when nothing came back in time or the
 * network says that there is no way. The connection is closed at once.
 */
export function tcpAnswer(
  { address, port }: { address: string; port: number },
  timeoutMs: number,
): Promise<'open' | 'closed' | 'silent'> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const end = (answer: 'open' | 'closed' | 'silent') => {
      resolve(answer);
      socket.destroy();
    };
    socket.once('connect', () => end('open'));
    socket.once('timeout', () => end('silent'));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' ? 'closed' : 'silent'),
    );
  });
}
