import type { ConfigMap, Secret } from '../../shared/schema/kubernetes-types.ts';
import {
  CLUSTER_NETWORK_KEY,
  SERVICE_PREFIX,
  type ServiceDocument,
} from '../../shared/wire/network-documents.ts';
import type { PodSources } from '../pods/collaborators.ts';
import { API_SERVICE_KEY } from '../pods/service-environment.ts';
import type { AgentState, DesiredDocument } from './agent-state.ts';

/** ConfigMaps, Secrets and Services as the saved state has them. */
export class SavedPodSources implements PodSources {
  readonly #state: AgentState;

  constructor(state: AgentState) {
    this.#state = state;
  }

  configMap(namespace: string, name: string): Record<string, string> | undefined {
    const configMap = this.#configMap(namespace, name);
    return configMap && (configMap.data ?? {});
  }

  configMapBinary(namespace: string, name: string): Record<string, string> | undefined {
    const configMap = this.#configMap(namespace, name);
    return configMap && (configMap.binaryData ?? {});
  }

  secret(namespace: string, name: string): Record<string, string> | undefined {
    const document = this.#state.get(`secrets/${namespace}/${name}`);
    return document && ((document.object as unknown as Secret).data ?? {});
  }

  /**
   * As long as the node knows the cluster's network but not default/kubernetes, services are still to come. A state that was saved
   * before masters sent services knows no network either: its pods wait for none.
   */
  services(namespace: string): readonly ServiceDocument[] | undefined {
    const own = this.#state.list(`${SERVICE_PREFIX}${namespace}/`).map(serviceOf);
    const api = this.#state.get(API_SERVICE_KEY);
    if (api !== undefined) return namespace === 'default' ? own : [...own, serviceOf(api)];
    return this.#state.get(CLUSTER_NETWORK_KEY) === undefined ? own : undefined;
  }

  #configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#state.get(`configmaps/${namespace}/${name}`)?.object as ConfigMap | undefined;
  }
}

function serviceOf({ object }: DesiredDocument): ServiceDocument {
  return object as unknown as ServiceDocument;
}
