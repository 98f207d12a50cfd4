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
    summary: 'make, list and delete the tokens that devices join with',
    load: async () => (await import('./token.ts')).token,
  },
  node: {
    summary: 'take a device out of the cluster, or give its place to another',
    load: async () => (await import('./node.ts')).node,
  },
  certs: {
    summary: 'show certificates and when they end',
    load: async () => (await import('./certs.ts')).certs,
  },
  apply: {
    summary: 'create or change the objects of a manifest',
    load: async () => (await import('./apply.ts')).apply,
  },
  check: {
    summary: 'look whether this machine is fit, and say what to do',
    load: async () => (await import('./check.ts')).check,
  },
  status: {
    summary: 'how the cluster does, and this device',
    load: async () => (await import('./status.ts')).status,
  },
  nodes: {
    summary: 'show the devices of the cluster',
    load: async () => (await import('./nodes.ts')).nodes,
  },
  pods: { summary: 'show pods', load: async () => (await import('./pods.ts')).pods },
  logs: { summary: 'print what a pod wrote', load: async () => (await import('./logs.ts')).logs },
  get: { summary: 'show objects', load: async () => (await import('./get.ts')).get },
  describe: {
    summary: 'show all of one object, and what happened to it',
    load: async () => (await import('./describe.ts')).describe,
  },
  delete: {
    summary: 'delete objects',
    load: async () => (await import('./delete.ts')).deleteCommand,
  },
  down: {
    summary: 'stop what `up` started, and with --purge remove it',
    load: async () => (await import('./down.ts')).down,
  },
  version: {
    summary: 'print the version',
    load: async () => (await import('./version.ts')).version,
  },
};
