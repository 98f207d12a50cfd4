import { hostname } from 'node:os';

/** What `hostname` prints. */
export function machineName(): string {
  return hostname();
}
