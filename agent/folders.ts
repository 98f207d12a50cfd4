/** Where an agent keeps what: everything that lasts under its data directory, everything of this boot under /run/skerry/<agent id>. */
export function agentFolders(dataDir: string) {
  const state = `${dataDir}/agent`;
  return {
    state,
    /** What an engine's driver must know after a reboot. */
    runtime: `${state}/runtime`,
    logs: `${state}/logs`,
    volumes: `${state}/pods`,
    run: (agentId: string) => `/run/skerry/${agentId}`,
  };
}

/** The cgroup under which all of an agent's pods lie. */
export function agentCgroup(agentId: string): string {
  return `/skerry-${agentId}`;
}
