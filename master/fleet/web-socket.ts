import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, WebSocketServer } from 'ws';

/** A frame is at most one MQTT packet in mqtt.js; the packet guard is stricter. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** Turns an upgrade request for the subprotocol `mqtt` (MQTT 3.1.1, 6) into a byte stream. */
export class MqttWebSockets {
  readonly #server = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
    perMessageDeflate: false,
    maxPayload: MAX_FRAME_BYTES,
  });

  accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onStream: (stream: Duplex) => void,
  ): void {
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      onStream(createWebSocketStream(webSocket));
    });
  }
}
