import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { CONFIG_MAPS } from '../../shared/resources/config-map.ts';
import { ENDPOINT_SLICES, SERVICE_NAME_LABEL } from '../../shared/resources/endpoint-slice.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { NODES } from '../../shared/resources/node.ts';
import { PODS } from '../../shared/resources/pod.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { SERVICES } from '../../shared/resources/service.ts';
import type {
  ConfigMap,
  Endpoint,
  EndpointSlice,
  Node,
  ObjectMeta,
  Pod,
  PodSpec,
  Secret,
  Service,
  ServiceSpec,
} from '../../shared/schema/kubernetes-types.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';

/** A registry in memory with the namespaces that the fleet needs, and objects to put into it. */
export class RegistryFixture {
  readonly clock = new ManualClock();
  readonly store: MemoryStore;
  readonly registry: Registry;
  #uids = 0;

  constructor(store = new MemoryStore()) {
    this.store = store;
    this.registry = new Registry({
      store: this.store,
      clock: this.clock,
      kinds: CATALOG,
      newUid: () => `00000000-0000-4000-8000-${String(++this.#uids).padStart(12, '0')}`,
    });
  }

  async open(): Promise<this> {
    await this.store.open();
    await this.registry.open();
    for (const name of ['default', 'kube-node-lease']) {
      await this.registry.create(NAMESPACES, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: metadata(name),
        spec: {},
        status: {},
      });
    }
    return this;
  }

  addNode(name: string): Promise<Node> {
    return this.registry.create(NODES, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: metadata(name),
      spec: {},
      status: {},
    });
  }

  addPod(name: string, node: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
    const containers = [{ name: 'main', image: 'busybox' }];
    return this.registry.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata(name), namespace: 'default' },
      spec: { containers, nodeName: node, ...spec },
      status: {},
    } as Pod);
  }

  addService(name: string, spec: Partial<ServiceSpec> = {}): Promise<Service> {
    return this.registry.create(SERVICES, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { ...metadata(name), namespace: 'default' },
      spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec },
      status: {},
    });
  }

  addSlice(name: string, service: string, endpoints: Endpoint[] = []): Promise<EndpointSlice> {
    const labels = { [SERVICE_NAME_LABEL]: service };
    return this.registry.create(ENDPOINT_SLICES, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata(name), namespace: 'default', labels },
      addressType: 'IPv4',
      endpoints,
      ports: [{ port: 80 }],
    });
  }

  addConfigMap(name: string, data: Record<string, string>): Promise<ConfigMap> {
    return this.registry.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata(name), namespace: 'default' },
      data,
    });
  }

  addSecret(name: string, data: Record<string, string>): Promise<Secret> {
    return this.registry.create(SECRETS, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata(name), namespace: 'default' },
      type: 'Opaque',
      data,
    });
  }
}

function metadata(name: string): ObjectMeta {
  return { name, uid: '', resourceVersion: '', creationTimestamp: '' };
}
