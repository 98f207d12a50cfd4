import type { ConfigMap, Secret } from '../../shared/schema/kubernetes-types.ts';
import type { PodSources } from '../pods/collaborators.ts';
import type { AgentState } from './agent-state.ts';

/** ConfigMaps and Secrets as the saved state has them. */
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

  #configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#state.get(`configmaps/${namespace}/${name}`)?.object as ConfigMap | undefined;
  }
}
