import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { Logger } from '../shared/logger.ts';
import { formatCidr, formatIpv4 } from '../shared/meta/cidr.ts';
import { stuckWork } from '../shared/reconcile/underway.ts';
import { CATALOG } from '../shared/resources/catalog.ts';
import { NODES } from '../shared/resources/node.ts';
import { SECRETS } from '../shared/resources/secret.ts';
import { SERVICES } from '../shared/resources/service.ts';
import { formatToWrite } from '../shared/state-format.ts';
import { bracketed } from '../shared/url-host.ts';
import { SKERRY_VERSION } from '../shared/version.ts';
import { OpenApiDocuments } from './api/output/openapi-documents.ts';
import { ApiServer } from './api/server.ts';
import { createSystemObjects } from './bootstrap.ts';
import type { MasterConfig } from './config.ts';
import { Controllers } from './controllers/all-controllers.ts';
import { Fleet } from './fleet/fleet.ts';
import { Listener, type ServingCertificate } from './listener.ts';
import { writeAdminKubeconfig } from './pki/admin-kubeconfig.ts';
import { CertificateAuthority } from './pki/certificate-authority.ts';
import { CertificateChild } from './pki/certificate-child.ts';
import { CertificateRenewal } from './pki/certificate-renewal.ts';
import { Enrolment } from './pki/enrolment.ts';
import { NodeKeys } from './pki/node-keys.ts';
import { PrivateFolder } from './pki/private-folder.ts';
import { machineNames, servingNames } from './pki/serving-names.ts';
import { JoinTokens } from './pki/tokens.ts';
import { Scheduler } from './scheduler/scheduler.ts';
import { ClusterAddresses } from './store/cluster-addresses.ts';
import { EventRecorder } from './store/event-recorder.ts';
import { FirstStart } from './store/first-start.ts';
import { lockFolder } from './store/folder-lock.ts';
import { NedbStore } from './store/nedb-store.ts';
import { volatilePaths } from './store/object-path.ts';
import { Registry } from './store/registry.ts';
import { openSecretCipher } from './store/secret-cipher.ts';
import { WatchCache } from './store/watch-cache.ts';
import { SystemClock } from './system-clock.ts';

export interface MasterParts {
  config: MasterConfig;
  log: Logger;
  /** Programs and files of the build. */
  assets: { x509Command: readonly string[]; openApiDirectory: string };
  /** The address that the default route leaves from: what is advertised when nothing else is asked for. */
  defaultAddress: string;
  /** Something that cannot be mended in place, such as a full disk: the process should end with this sentence. */
  onFatal(error: Error): void;
}

/** The DNS domain of every cluster. */
const CLUSTER_DOMAIN = 'cluster.local';

/** A running master. */
export interface Master {
  /** `https://address:port`, as clients elsewhere reach it. */
  url: string;
  /** The same for clients on this machine. */
  localUrl: string;
  registry: Registry;
  tokens: JoinTokens;
  /** Whether a device has joined under this name, and its Node is still there. */
  hasNode(name: string): boolean;
  /** In a few words, for who looks at the service. */
  status(): string;
  /** What no longer moves in this master, if anything: only a new start helps then. Resolves when the store's writer has had its turn. */
  stuck(): Promise<string | undefined>;
  /** The sentence of a stop: connections end, everything acknowledged is on disk. */
  stop(): Promise<void>;
}

/**
 * Composes and starts a master; the only file that knows every part. What was started is stopped again when a later part fails. Throws
 * errors whose message is one sentence (ListenError, a locked or unwritable folder, a damaged store).
 */
export async function startMaster({
  config,
  log,
  assets,
  defaultAddress,
  onFatal,
}: MasterParts): Promise<Master> {
  const stops: (() => Promise<void> | void)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const clock = new SystemClock();
    const folder = `${config.dataDir}/master`;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(folder);
    stops.push(() => lock.release());
    await claimFormat(new PrivateFolder(folder));

    const advertised =
      config.advertiseAddress ??
      (config.listen.host === '0.0.0.0' ? defaultAddress : config.listen.host);
    const systemAddresses = {
      api: { address: advertised, port: config.listen.port },
      kubernetes: formatIpv4(config.serviceCidr.base + 1),
      dns: formatIpv4(config.serviceCidr.base + 10),
    };
    const authority = new CertificateAuthority({
      folder: `${folder}/pki`,
      child: new CertificateChild(assets.x509Command),
      clock,
    });
    const wantedNames = () =>
      servingNames({
        advertised: [advertised, config.listen.host],
        serviceAddress: systemAddresses.kubernetes,
        machine: machineNames(),
      });
    await authority.open(wantedNames());

    let storeFailure: string | undefined;
    const firstStart = new FirstStart(folder);
    const store = new NedbStore({
      path: `${folder}/store.db`,
      mustExist: await firstStart.isOver(),
      isVolatile: volatilePaths(CATALOG),
      cipher: await openSecretCipher({
        keyFile: `${folder}/secrets.key`,
        storeFile: `${folder}/store.db`,
      }),
      log: log.child({ part: 'store' }),
      onFailure: (error) => {
        storeFailure = error.message;
        onFatal(error);
      },
    });
    await store.open();
    stops.push(() => store.close());
    const addresses = new ClusterAddresses({
      serviceCidr: formatCidr(config.serviceCidr),
      kind: SERVICES,
      services: () => registry.list(SERVICES),
    });
    const registry: Registry = new Registry({
      store,
      clock,
      kinds: CATALOG,
      newUid: randomUUID,
      preparations: [addresses.preparation],
      cache: new WatchCache({
        onWatcherError: (error) => log.error('a watcher of the store failed', { error }),
      }),
    });
    await registry.open();

    const events = new EventRecorder({ registry, clock, log });
    const nodeKeys = new NodeKeys({ registry, nodes: NODES });
    const fleet = new Fleet({
      cluster: authority.clusterId,
      registry,
      directory: nodeKeys,
      signer: authority,
      clock,
      log: log.child({ part: 'fleet' }),
      network: {
        clusterCidr: formatCidr(config.clusterCidr),
        serviceCidr: formatCidr(config.serviceCidr),
        dnsAddress: systemAddresses.dns,
        clusterDomain: CLUSTER_DOMAIN,
      },
      newUid: randomUUID,
      onRefused: (name, message) => {
        const node = registry.find(NODES, { namespace: '', name });
        if (node === undefined) return;
        events.record('fleet', node, { type: 'Warning', reason: 'ReleaseRefused', message });
      },
    });
    const tokens = new JoinTokens({
      registry,
      secrets: SECRETS,
      clock,
      caSha256: authority.caSha256,
    });
    const enrolment = new Enrolment({
      registry,
      nodes: NODES,
      tokens,
      authority,
      // The embedded broker is the port that the device has just used: no address here would be as sure to reach it.
      broker: () => '',
      logger: log.child({ part: 'enrolment' }),
    });
    const api = new ApiServer({
      registry,
      kinds: CATALOG,
      clock,
      logger: log.child({ part: 'api' }),
      version: SKERRY_VERSION,
      caPem: authority.ca,
      nodeStreams: fleet.streams,
      enrolment,
      healthChecks: [
        { name: 'store', failure: () => storeFailure },
        { name: 'broker', failure: () => fleet.failure() },
      ],
      openApi: new OpenApiDocuments(assets.openApiDirectory),
    });
    const listener = new Listener({
      host: config.listen.host,
      port: config.listen.port,
      certificate: servingCertificate(authority),
      clientCa: authority.ca,
      onRequest: (request, response) => api.handle(request, response),
      onMqtt: (connection, peer) => fleet.accept(connection, peer),
      log: log.child({ part: 'listener' }),
    });

    const controllers = new Controllers(
      { registry, clock, log: log.child({ part: 'controllers' }), events },
      {
        kinds: CATALOG,
        clusterCidr: config.clusterCidr,
        nodeCidrMaskSize: config.nodeCidrMaskSize,
        systemAddresses,
        ca: authority.ca,
      },
    );
    const scheduler = new Scheduler({
      registry,
      clock,
      events,
      log: log.child({ part: 'scheduler' }),
    });

    await createSystemObjects(registry, systemAddresses);
    // Before anybody can connect: from here on an empty store is a lost one.
    await firstStart.complete();
    await fleet.start();
    stops.push(() => fleet.stop());
    controllers.start();
    stops.push(() => controllers.stop());
    scheduler.start();
    stops.push(() => scheduler.stop());
    // Last, so that the first request finds everything in its place; stopped first.
    await listener.start();
    stops.push(() => listener.stop());

    const url = `https://${bracketed(advertised)}:${listener.port}`;
    const localHost = isEverywhere(config.listen.host)
      ? '127.0.0.1'
      : bracketed(config.listen.host);
    const localUrl = `https://${localHost}:${listener.port}`;
    const writeKubeconfig = () =>
      writeAdminKubeconfig(config.kubeconfig, {
        server: localUrl,
        ca: authority.ca,
        certificate: authority.admin.certificate,
        privateKey: authority.admin.privateKey,
      });
    await writeKubeconfig();
    const renewal = new CertificateRenewal({
      authority,
      names: wantedNames,
      clock,
      log: log.child({ part: 'certificates' }),
      onRenewed: async () => {
        listener.setCertificate(servingCertificate(authority));
        await writeKubeconfig();
      },
    });
    renewal.start();
    stops.push(() => renewal.stop());
    log.info('master is up', { url, cluster: authority.clusterId });
    return {
      url,
      localUrl,
      registry,
      tokens,
      hasNode: (name) => nodeKeys.signingKey(name) !== undefined,
      status: () => `${url}, ${registry.list(NODES).length} nodes`,
      stuck: async () => {
        // Waits in the queue of all writes, and writes nothing.
        await store.txn([], []);
        return stuckWork([...controllers.underway, scheduler.underway]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the port shows: with the authority, so that a device that joins can compare it with its token. */
function servingCertificate({ serving, ca }: CertificateAuthority): ServingCertificate {
  return { key: serving.privateKey, cert: `${serving.certificate}${ca}` };
}

/** Refuses a folder that a newer release has written, before anything in it is read. */
async function claimFormat(folder: PrivateFolder): Promise<void> {
  const format = formatToWrite(await folder.read('format'), folder.path, SKERRY_VERSION);
  if (format !== undefined) await folder.write('format', format);
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
