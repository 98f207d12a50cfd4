import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  createServer as createTlsServer,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { Logger } from '../shared/logger.ts';
import { bracketed } from '../shared/url-host.ts';
import { type NodePeer, nodeOfPeer } from './fleet/topic-access.ts';
import { MqttWebSockets } from './fleet/web-socket.ts';
import { Strangers } from './strangers.ts';

/** PEM. */
export interface ServingCertificate {
  key: string;
  cert: string;
}

export interface ListenerOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  certificate: ServingCertificate;
  /** PEM; whose client certificates are believed. */
  clientCa: string;
  /** Everything over HTTP but the upgrade of /mqtt. */
  onRequest: RequestListener;
  /** An MQTT connection of a node; undefined: of somebody without a node's certificate. */
  onMqtt(connection: Duplex, peer: NodePeer | undefined): void;
  log: Logger;
  /** Absent: REQUEST_TIMEOUT_MS. */
  requestTimeoutMs?: number;
  /** Absent: MAX_HANDSHAKES. */
  maxHandshakes?: number;
  /** Absent: MAX_STRANGERS. */
  maxStrangers?: number;
}

/** The port could not be opened; the message is one sentence for people. */
export class ListenError extends Error {}

/** Beyond the 90 s after which Go's clients close an idle connection themselves, so that they never write into a closed one. */
const HTTP_KEEP_ALIVE_MS = 120_000;
/** Connections that have not finished their handshake. */
const HANDSHAKE_TIMEOUT_MS = 20_000;
/** For a whole request to arrive, its body included; Node.js' own limit is looked after only by servers that listen themselves. */
const REQUEST_TIMEOUT_MS = 60_000;
/** More than the devices of a large fleet that come back at once: each is one of these until its handshake has ended. */
const MAX_HANDSHAKES = 1024;
/** Connections without a client certificate that ask for nothing, about 45 KB each. */
const MAX_STRANGERS = 256;

/**
 * The one port: HTTPS, MQTT over TLS (ALPN `mqtt`) and MQTT over WebSocket (`/mqtt`). A client certificate is asked for and not
 * demanded: whoever has none is told so by what speaks with them (`socket.authorized`).
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #webSockets = new MqttWebSockets();
  readonly #sockets = new Set<Socket>();
  readonly #handshakes: Strangers;
  readonly #strangers: Strangers;
  /** Until the first request of a connection has come. */
  readonly #unheard = new WeakMap<Socket, NodeJS.Timeout>();
  #tls: TlsServer | undefined;
  #http: Server | undefined;
  #certificate: ServingCertificate;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#certificate = options.certificate;
    this.#handshakes = new Strangers(options.maxHandshakes ?? MAX_HANDSHAKES);
    this.#strangers = new Strangers(options.maxStrangers ?? MAX_STRANGERS);
  }

  /** Throws ListenError. */
  async start(): Promise<void> {
    const { host, port, onRequest } = this.#options;
    const http = createServer({ keepAliveTimeout: HTTP_KEEP_ALIVE_MS }, (request, response) => {
      this.#limitRequest(request);
      this.#strangers.answering(request, response);
      onRequest(request, response);
    });
    http.on('upgrade', (request, socket, head) => {
      clearTimeout(this.#unheard.get(request.socket));
      if (request.url === '/mqtt' || request.url?.startsWith('/mqtt?')) {
        const peer = nodeOfPeer(request.socket as TLSSocket);
        this.#webSockets.accept(request, socket, head, (stream) =>
          this.#options.onMqtt(stream, peer),
        );
      } else onRequest(request, answerWithoutUpgrade(request));
    });
    const tls = createTlsServer({
      ...this.#context(),
      ALPNProtocols: ['mqtt', 'http/1.1'],
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      noDelay: true,
      keepAlive: true,
    });
    tls.on('connection', (socket: Socket) => this.#track(socket));
    tls.on('secureConnection', (socket) => this.#secured(socket, http));
    tls.on('tlsClientError', (error, socket) => this.#handshakeFailed(error, socket));
    await new Promise<void>((resolve, reject) => {
      tls.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      tls.listen(port, host, resolve);
    });
    tls.removeAllListeners('error');
    tls.on('error', (error) =>
      this.#options.log.error('the port failed', { error: String(error) }),
    );
    this.#tls = tls;
    this.#http = http;
  }

  /** The port in use; of interest when 0 was asked for. */
  get port(): number {
    const address = this.#tls?.address() as AddressInfo | null | undefined;
    return address?.port ?? this.#options.port;
  }

  /** New connections see the new certificate; those that are open stay. */
  setCertificate(certificate: ServingCertificate): void {
    this.#certificate = certificate;
    this.#tls?.setSecureContext(this.#context());
  }

  /** Takes nothing new and ends what is open; what was written before is still sent. */
  async stop(): Promise<void> {
    const tls = this.#tls;
    if (!tls) return;
    this.#tls = undefined;
    this.#http?.close();
    const closed = new Promise<void>((resolve) => tls.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
  }

  #context(): { key: string; cert: string; ca: string; minVersion: 'TLSv1.2' } {
    return { ...this.#certificate, ca: this.#options.clientCa, minVersion: 'TLSv1.2' };
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    this.#handshakes.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #secured(socket: TLSSocket, http: Server): void {
    this.#handshakes.forget(socket);
    if (!socket.authorized) this.#strangers.add(socket);
    if (socket.alpnProtocol === 'mqtt') this.#options.onMqtt(socket, nodeOfPeer(socket));
    else {
      this.#limitFirstRequest(socket);
      http.emit('connection', socket);
    }
  }

  /** Whoever says nothing after the handshake, or says it drop by drop, is not waited for. */
  #limitFirstRequest(socket: TLSSocket): void {
    const timer = setTimeout(() => socket.destroy(), this.#requestTimeoutMs);
    this.#unheard.set(socket, timer);
    socket.once('close', () => clearTimeout(timer));
  }

  #limitRequest(request: IncomingMessage): void {
    clearTimeout(this.#unheard.get(request.socket));
    if (request.complete) return;
    const timer = setTimeout(() => {
      if (!request.complete) request.socket.destroy();
    }, this.#requestTimeoutMs);
    request.once('end', () => clearTimeout(timer));
    request.once('close', () => clearTimeout(timer));
  }

  get #requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  }

  #handshakeFailed(error: Error, socket: TLSSocket): void {
    this.#options.log.debug('a TLS handshake failed', {
      peer: socket.remoteAddress,
      error: error.message,
    });
  }
}

/** Node.js takes every upgrade out of its own hands; whoever asked for one in vain still reads an answer that says why. */
function answerWithoutUpgrade(request: IncomingMessage): ServerResponse {
  const { socket } = request;
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    socket.end();
  });
  socket.on('error', () => {});
  return response;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  const where = `${bracketed(host)}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(
        `${where} is in use by another process; stop that one, or choose another address with --listen`,
      );
    case 'EACCES':
      return new ListenError(`${where} may not be opened by this user; choose a port above 1023`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new ListenError(`${host} is no address of this machine; choose another with --listen`);
    default:
      return new ListenError(`${where} cannot be opened: ${error.message}`);
  }
}
