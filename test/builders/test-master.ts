import { randomUUID } from 'node:crypto';
import { ApiServer } from '../../master/api/server.ts';
import { Fleet } from '../../master/fleet/fleet.ts';
import { Listener } from '../../master/listener.ts';
import { CertificateAuthority } from '../../master/pki/certificate-authority.ts';
import { CertificateChild } from '../../master/pki/certificate-child.ts';
import { Enrolment } from '../../master/pki/enrolment.ts';
import { NodeKeys } from '../../master/pki/node-keys.ts';
import { JoinTokens } from '../../master/pki/tokens.ts';
import { MemoryStore } from '../../master/store/memory-store.ts';
import { Registry } from '../../master/store/registry.ts';
import { SystemClock } from '../../master/system-clock.ts';
import type { KubeObject } from '../../shared/meta/kube-object.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { NODES } from '../../shared/resources/node.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { CollectingLogger } from './collecting-logger.ts';

/**
 * A master without controllers and scheduler: API, pki, fleet and the one port on 127.0.0.1. `stop` and `start` are a restart: the
 * store and the authority stay, everything else is new.
 */
export class TestMaster {
  readonly store = new MemoryStore();
  readonly logger = new CollectingLogger();
  readonly clock = new SystemClock();
  readonly #child: CertificateChild;
  readonly #folder: string;
  #port = 0;
  #running:
    | {
        authority: CertificateAuthority;
        registry: Registry;
        fleet: Fleet;
        listener: Listener;
        tokens: JoinTokens;
      }
    | undefined;

  constructor(parts: { folder: string; certificateChild: readonly string[] }) {
    this.#folder = parts.folder;
    this.#child = new CertificateChild(parts.certificateChild);
  }

  get parts() {
    if (this.#running === undefined) throw new Error('the master is not running');
    return this.#running;
  }

  get server(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const { store, clock, logger } = this;
    const isFirst = store.revision() === 0 || this.#port === 0;
    if (isFirst) await store.open();
    const authority = new CertificateAuthority({ folder: this.#folder, child: this.#child, clock });
    await authority.open({ dnsNames: ['localhost'], addresses: ['127.0.0.1'] });
    const registry = new Registry({ store, clock, kinds: CATALOG, newUid: randomUUID });
    await registry.open();
    if (isFirst) await createNamespaces(registry);
    const { caSha256, clusterId } = authority;
    const tokens = new JoinTokens({ registry, secrets: SECRETS, clock, caSha256 });
    const fleet = new Fleet({
      cluster: clusterId,
      registry,
      directory: new NodeKeys({ registry, nodes: NODES }),
      signer: authority,
      clock,
      log: logger,
      newUid: randomUUID,
    });
    const enrolment = new Enrolment({
      registry,
      nodes: NODES,
      tokens,
      authority,
      broker: () => `mqtts://127.0.0.1:${this.#port}`,
      logger,
    });
    const api = new ApiServer({
      registry,
      kinds: CATALOG,
      clock,
      logger,
      version: '0.1.0',
      caPem: authority.ca,
      nodeStreams: fleet.streams,
      enrolment,
      healthChecks: [],
      openApi: { get: () => Promise.reject(new Error('not served here')) } as never,
    });
    const listener = new Listener({
      host: '127.0.0.1',
      port: this.#port,
      certificate: { cert: authority.serving.certificate, key: authority.serving.privateKey },
      clientCa: authority.ca,
      onRequest: (req, res) => api.handle(req, res),
      onMqtt: (connection, peer) => fleet.accept(connection, peer),
      log: logger,
    });
    await fleet.start();
    await listener.start();
    this.#port = listener.port;
    this.#running = { authority, registry, fleet, listener, tokens };
  }

  async stop(): Promise<void> {
    const { fleet, listener } = this.parts;
    await listener.stop();
    await fleet.stop();
    this.#running = undefined;
  }
}

async function createNamespaces(registry: Registry): Promise<void> {
  for (const name of ['default', 'kube-system', 'kube-node-lease']) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } as KubeObject;
    await registry.create(NAMESPACES, namespace as never);
  }
}
