import { createSocket, type Socket } from 'node:dgram';

/** A UDP socket for addresses; it knows no names, and so does not load Node's resolver. */
export function udpSocket(type: 'udp4' | 'udp6'): Socket {
  const family = type === 'udp4' ? 4 : 6;
  return createSocket({
    type,
    lookup: (address, _options, callback) => callback(null, address, family),
  });
}
