import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ApiError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { CATALOG, findByKind } from '../../shared/resources/catalog.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { SystemClock } from '../system-clock.ts';
import type { ApiParts } from './exchange.ts';
import { OpenApiDocuments } from './output/openapi-documents.ts';
import { ApiServer } from './server.ts';

export interface LogLine {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** An API server over a store in memory, for tests: everything is real but the node and the enrolment. */
export interface ApiFixture {
  api: ApiServer;
  /** Hands requests to the API; listens nowhere yet. */
  http: Server;
  registry: Registry;
  logs: LogLine[];
  stop(): Promise<void>;
}

/** Makes the server with the namespace `default`; nothing listens yet. */
export async function apiFixture(
  changes: Partial<ApiParts> & { clock?: Clock } = {},
): Promise<ApiFixture> {
  const logs: LogLine[] = [];
  const clock = changes.clock ?? new SystemClock();
  const store = new MemoryStore();
  await store.open();
  const registry = new Registry({ store, clock, kinds: CATALOG, newUid: randomUUID });
  await registry.open();
  const namespaces = findByKind('', 'v1', 'Namespace');
  if (namespaces === undefined) throw new Error('the catalog has no namespaces');
  await registry.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'default' },
  } as KubeObject);
  const api = new ApiServer({
    registry,
    kinds: CATALOG,
    clock,
    logger: collectingLogger(logs),
    version: '0.1.0',
    caPem: '-----BEGIN CERTIFICATE-----\n',
    nodeStreams: {
      // biome-ignore lint/correctness/useYield: it fails before the first chunk, as a node that is away does
      logs: async function* () {
        throw new ApiError('ServiceUnavailable', 'the node is not connected');
      },
    },
    enrolment: {
      enrol: () => Promise.reject(new ApiError('Unauthorized', 'the join token is not known')),
      renew: () => Promise.reject(new ApiError('Unauthorized', 'the node is not known')),
      hasSigned: () => false,
    },
    healthChecks: [],
    openApi: new OpenApiDocuments('/nonexistent'),
    ...changes,
  });
  const http = createServer((req, res) => api.handle(req, res));
  return {
    api,
    http,
    registry,
    logs,
    stop: async () => {
      http.closeAllConnections();
      http.close();
      await store.close();
    },
  };
}

/** Listens on plain HTTP, where every connection counts as one with a verified certificate of `user`; `nobody`: without one. */
export async function listenPlain(
  { http }: ApiFixture,
  user: { name: string; groups: string[] } | 'nobody' = {
    name: 'admin',
    groups: ['system:masters'],
  },
): Promise<string> {
  http.prependListener('connection', (socket) => {
    if (user === 'nobody') return;
    const subject = { CN: user.name, O: user.groups };
    Object.assign(socket, { authorized: true, getPeerCertificate: () => ({ subject }) });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

function collectingLogger(logs: LogLine[]): Logger {
  const at =
    (level: string) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      logs.push({ level, message, fields });
    };
  const logger: Logger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: () => logger,
  };
  return logger;
}
