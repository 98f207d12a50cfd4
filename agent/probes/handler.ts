import type { IntOrString } from '../../shared/meta/int-or-string.ts';
import type { Container } from '../../shared/schema/kubernetes-types.ts';

/** How one probe went; a warning counts as success. Whoever probes throws when the probe itself could not be made. */
export interface ProbeAnswer {
  outcome: 'success' | 'warning' | 'failure';
  output: string;
}

/** What is probed. */
export interface ProbeTarget {
  /** The engine's id. */
  id: string;
  container: Container;
  /** The pod's address; the node's for pods on the host's network. */
  host: string;
  timeoutMs: number;
  signal: AbortSignal;
}

/** The number of a port given by number, or by the name of one of the container's. Throws when there is none. */
export function resolvePort(port: IntOrString, container: Container): number {
  const found =
    typeof port === 'number'
      ? port
      : (container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port));
  if (Number.isInteger(found) && found > 0 && found < 65_536) return found;
  if (typeof port === 'number') throw new Error(`invalid port number: ${port}`);
  throw new Error(`couldn't find port: ${port} in container ${container.name}`);
}
