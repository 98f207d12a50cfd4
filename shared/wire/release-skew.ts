import { shownText } from '../options/read-options.ts';

/**
 * Why a master does not serve an agent of this release, one sentence for the user; undefined: it does. Releases are semantic versions;
 * those of one major version whose minor versions are at most one apart work together, so that a fleet is upgraded one side at a time.
 */
export function releaseRefusal(masterRelease: string, agentRelease: string): string | undefined {
  const master = parsed(masterRelease);
  const agent = parsed(agentRelease);
  if (agent === undefined || master === undefined) {
    return `the agent's release "${shownText(agentRelease)}" cannot be compared with the master's, ${masterRelease}: install a release of Skerry on the device`;
  }
  if (agent.major === master.major && Math.abs(agent.minor - master.minor) <= 1) return undefined;
  const isOlder =
    agent.major < master.major || (agent.major === master.major && agent.minor < master.minor);
  return `the agent is release ${shownText(agentRelease)}, the master ${masterRelease}: they work together when at most one minor version apart; upgrade the ${isOlder ? 'agent' : 'master'} first`;
}

function parsed(release: string): { major: number; minor: number } | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)(\.|$)/.exec(release) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return { major: Number(major), minor: Number(minor) };
}
