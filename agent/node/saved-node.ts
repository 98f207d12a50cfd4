import type { Node as KubeNode } from '../../shared/schema/kubernetes-types.ts';
import type { AgentState } from '../state/agent-state.ts';

/** This node's own object, as the saved state has it. */
export class SavedNode {
  readonly #state: AgentState;
  readonly #key: string;

  constructor(state: AgentState, nodeName: string) {
    this.#state = state;
    this.#key = `nodes//${nodeName}`;
  }

  /** The range of pod addresses that the master gave, once it has. */
  podCidr(): string | undefined {
    const node = this.#state.get(this.#key)?.object as unknown as KubeNode | undefined;
    return node?.spec.podCIDR;
  }

  onChange(listener: () => void): () => void {
    return this.#state.subscribe((keys) => {
      if (keys.includes(this.#key)) listener();
    });
  }
}
