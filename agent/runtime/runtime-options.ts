import type { Logger } from '../../shared/logger.ts';

/** The label that makes a container this agent's, and the only thing that does. */
export const AGENT_LABEL = 'skerry.dev/agent';

/** What both drivers are made of. */
export interface RuntimeOptions {
  /** The value of AGENT_LABEL on every container of this agent. */
  agentId: string;
  /** A folder that lasts, for what a driver must know after a reboot. */
  stateDir: string;
  /** A folder of this boot (`/run/skerry/<agent id>`). */
  runDir: string;
  log: Logger;
  /** Wall clock, milliseconds. */
  nowMs: () => number;
}
