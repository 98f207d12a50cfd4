import { X509Certificate } from 'node:crypto';
import { existsSync, lstatSync, readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { dirname, resolve } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { createSecureContext, type SecureContext } from 'node:tls';
import { connectionFailure } from '../shared/connection-error.ts';
import type { JsonObject, JsonValue } from '../shared/meta/kube-object.ts';
import { shownText } from '../shared/options/read-options.ts';
import { parseYaml } from '../shared/schema/yaml.ts';
import { CommandFailure } from './command-failure.ts';
import { installedUnits, MASTER_UNIT } from './service-unit.ts';

/** An answer of the API that is not 2xx; `reason` and `message` are those of its Status. */
export class ApiFailure extends Error {
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}

/** There is no answer, or no kubeconfig to ask anybody with: what a device knows by itself may do instead. */
export class Unreachable extends CommandFailure {}

/** Where the administrator's lies: of an installed master, of one that was started by hand. */
const KUBECONFIGS = ['/etc/skerry/admin.kubeconfig', '/var/lib/skerry/admin.kubeconfig'] as const;

/** How Node.js names a certificate that does not hold (tls.md, X509 certificate error codes). */
const CERTIFICATE_CODES = /CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/;

/** A machine that is switched off answers nothing at all: after this it counts as away. */
const CONNECT_TIMEOUT_MS = 5000;

interface Connection {
  server: URL;
  ca: Buffer | undefined;
  cert: Buffer | undefined;
  key: Buffer | undefined;
  secureContext: SecureContext;
}

/** A client of the Kubernetes REST API, by a kubeconfig with a client certificate. */
export class ApiClient {
  readonly #connection: Connection;
  readonly #agent: Agent;

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.#agent = new Agent({ keepAlive: true, secureContext: connection.secureContext });
  }

  /** `file`: --kubeconfig, else $KUBECONFIG, else the one of this machine's master. Throws CommandFailure. */
  static open(file: string | undefined): ApiClient {
    return new ApiClient(readKubeconfig(kubeconfigPath(file)));
  }

  /** Whether there is a file for `open`. */
  static hasKubeconfig(file: string | undefined): boolean {
    return file !== undefined || existsSync(kubeconfigPath(file));
  }

  /** PEM of the cluster's CA. */
  get ca(): Buffer {
    if (this.#connection.ca === undefined)
      throw new CommandFailure('the kubeconfig names no certificate authority');
    return this.#connection.ca;
  }

  /** https://host:port. */
  get server(): string {
    return this.#connection.server.origin;
  }

  /** When the client's certificate ends; undefined when it has none. */
  get certificateEndsMs(): number | undefined {
    const { cert } = this.#connection;
    return cert === undefined ? undefined : Date.parse(new X509Certificate(cert).validTo);
  }

  /** A text as it comes, until its end or until `signal` aborts. */
  async *text(path: string, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const options = signal === undefined ? {} : { signal };
    for await (const chunk of await this.#send('GET', path, options)) yield chunk as Buffer;
  }

  /** Throws ApiFailure for a Status, CommandFailure when the server cannot be reached. */
  async json(
    method: string,
    path: string,
    options: { body?: JsonValue; type?: string; accept?: string } = {},
  ): Promise<JsonObject> {
    const chunks: Buffer[] = [];
    for await (const chunk of await this.#send(method, path, options)) chunks.push(chunk as Buffer);
    try {
      return JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonObject;
    } catch {
      throw new CommandFailure(
        `${this.server} does not answer as a master does: is the server of the kubeconfig right?`,
      );
    }
  }

  /** The events of a watch, until the server ends it or `signal` aborts. */
  async *watch(
    path: string,
    signal: AbortSignal,
  ): AsyncGenerator<{ type: string; object: JsonObject }> {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    for await (const chunk of await this.#send('GET', path, { signal })) {
      const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line !== '') yield JSON.parse(line) as { type: string; object: JsonObject };
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #send(
    method: string,
    path: string,
    options: { body?: JsonValue; type?: string; accept?: string; signal?: AbortSignal },
  ): Promise<AsyncIterable<unknown>> {
    const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
    const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) => {
      const sent = request(
        new URL(path, this.#connection.server),
        {
          method,
          agent: this.#agent,
          headers: {
            accept: options.accept ?? 'application/json',
            ...(payload !== undefined && {
              'content-type': options.type ?? 'application/json',
              'content-length': Buffer.byteLength(payload),
            }),
          },
          ...(options.signal && { signal: options.signal }),
        },
        resolve,
      );
      sent.on('error', (error) => void this.#explain(error).then(reject, reject));
      giveUpConnecting(sent, CONNECT_TIMEOUT_MS);
      sent.end(payload);
    });
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) return response;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    throw failureOf(code, Buffer.concat(chunks).toString('utf8'));
  }

  async #explain(error: Error): Promise<Error> {
    if (error.name === 'AbortError') return error;
    const { host } = this.#connection.server;
    const { code = '' } = error as NodeJS.ErrnoException;
    return new Unreachable(
      CERTIFICATE_CODES.test(code)
        ? `${host} shows a certificate that is not valid here (${error.message}): is it the master of this kubeconfig, and is the clock right?`
        : awayMessage(host, error, await installedUnits()),
    );
  }
}

/** Why nobody answers at `host`, and where to look; `units` are those that are installed on this machine. */
export function awayMessage(host: string, error: Error, units: readonly string[]): string {
  const remedy = units.includes(MASTER_UNIT)
    ? `is the master running? \`systemctl status ${MASTER_UNIT.replace('.service', '')}\` tells`
    : 'is `skerry up` or `skerry master` running?';
  return `${host} cannot be reached (${connectionFailure(error)}): ${remedy}`;
}

/** Nothing limits how long an answer takes: a watch or a log may say nothing for hours. */
function giveUpConnecting(sent: ClientRequest, timeoutMs: number): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    const limit = setTimeout(
      () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const end = () => clearTimeout(limit);
    socket.once('secureConnect', end).once('close', end);
  });
}

function failureOf(code: number, text: string): ApiFailure {
  try {
    const status = JSON.parse(text) as { reason?: string; message?: string };
    return new ApiFailure(code, status.reason ?? '', status.message ?? text);
  } catch {
    return new ApiFailure(code, '', text || `HTTP ${code}`);
  }
}

/** Of several in $KUBECONFIG the first that is there. */
function kubeconfigPath(file: string | undefined): string {
  if (file !== undefined) return file;
  const named = (process.env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (named.length > 0) return named.find((path) => existsSync(path)) ?? named.join(':');
  return (
    KUBECONFIGS.find((path) => existsSync(path)) ?? KUBECONFIGS.find(mayBeThere) ?? KUBECONFIGS[1]
  );
}

/** A link into a folder that this user may not enter is there all the same; what is in such a folder may be. */
export function mayBeThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

function readKubeconfig(path: string): Connection {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, (error as NodeJS.ErrnoException).code ?? '');
  }
  const config = sectionOf(parsed(path, text));
  const context = named(config['contexts'], config['current-context'], 'context');
  const cluster = named(config['clusters'], context['cluster'], 'cluster');
  const user = named(config['users'], context['user'], 'user');
  const server = cluster['server'];
  if (server === undefined || server === null)
    throw new CommandFailure(`the kubeconfig ${path} names no server in its current context`);
  if (!URL.canParse(String(server)) || new URL(String(server)).protocol !== 'https:')
    throw new CommandFailure(
      `the kubeconfig ${path}: server ${shownText(String(server))}: expected https://HOST:PORT`,
    );
  const connection = {
    server: new URL(String(server)),
    ca: credential(path, cluster, 'certificate-authority'),
    cert: credential(path, user, 'client-certificate'),
    key: credential(path, user, 'client-key'),
  };
  return { ...connection, secureContext: secureContext(path, connection) };
}

function sectionOf(value: JsonValue | undefined): JsonObject {
  const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isSection ? value : {};
}

/** Of a list of `{name, KIND: {...}}` the section of that name; an empty one when there is none. */
function named(list: JsonValue | undefined, name: JsonValue | undefined, kind: string): JsonObject {
  const entries = Array.isArray(list) ? list.map(sectionOf) : [];
  return sectionOf(entries.find((entry) => name !== undefined && entry['name'] === name)?.[kind]);
}

function secureContext(
  path: string,
  { ca, cert, key }: Pick<Connection, 'ca' | 'cert' | 'key'>,
): SecureContext {
  try {
    return createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) });
  } catch (error) {
    throw new CommandFailure(
      `the kubeconfig ${path}: its certificates and key cannot be used (${(error as Error).message}): take it anew from the master`,
    );
  }
}

function parsed(path: string, text: string): JsonValue {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new CommandFailure(`the kubeconfig ${path} is no YAML: ${(error as Error).message}`);
  }
}

const WHY_UNREADABLE: Record<string, string> = {
  ENOENT: 'is not there: name',
  EACCES: 'is not for this user: run it again with sudo, or name',
};

/** `code`: of Node.js, what came of reading it. */
export function unreadable(path: string, code: string): Unreachable {
  if (code === 'ENOENT' && KUBECONFIGS.some((known) => known === path)) {
    return new Unreachable(
      `no kubeconfig says where the master is (looked for ${KUBECONFIGS.join(', ')}): run this on the master, or name one with --kubeconfig FILE or $KUBECONFIG`,
    );
  }
  const why = WHY_UNREADABLE[code] ?? `cannot be read (${code}): name`;
  return new Unreachable(`the kubeconfig ${path} ${why} another with --kubeconfig FILE`);
}

/** A relative path begins where the kubeconfig lies, as for kubectl. */
function credential(path: string, section: JsonObject, name: string): Buffer | undefined {
  const data = section[`${name}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  const file = section[name];
  if (typeof file !== 'string') return undefined;
  try {
    return readFileSync(resolve(dirname(path), file));
  } catch (error) {
    throw new CommandFailure(
      `the kubeconfig ${path}: its ${name} cannot be read: ${(error as Error).message}`,
    );
  }
}
