import type { Command } from './command.ts';

/**
 * The table of commands: help, completion and manual follow it. Each is loaded only when it is asked for: `skerry get` on a small device
 * need not load a master.
 */
export const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  up: {
    summary: 'run a master and an agent in one process',
    load: async () => (await import('./up.ts')).up,
  },
  master: { summary: 'run a master', load: async () => (await import('./master.ts')).master },
  agent: {
    summary: 'run an agent and join a master',
    load: async () => (await import('./agent.ts')).agent,
  },
  token: {
    summary: 'make the token that a device joins with',
    load: async () => (await import('./token.ts')).token,
  },
  apply: {
    summary: 'create or change the objects of a manifest',
    load: async () => (await import('./apply.ts')).apply,
  },
  check: {
    summary: 'look whether this machine is fit, and say what to do',
    load: async () => (await import('./check.ts')).check,
  },
  get: { summary: 'show objects', load: async () => (await import('./get.ts')).get },
  down: {
    summary: 'stop what `up` started, and with --purge remove it',
    load: async () => (await import('./down.ts')).down,
  },
  version: {
    summary: 'print the version',
    load: async () => (await import('./version.ts')).version,
  },
};
