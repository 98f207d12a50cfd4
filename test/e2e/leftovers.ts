import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, run } from './run.ts';

/** Everything on the machine that carries an agent's id or lies in its data directory. */
export interface Leftovers {
  processes: string[];
  containers: string[];
  links: string[];
  routes: string[];
  mounts: string[];
  cgroups: string[];
  namespaces: string[];
  runFiles: string[];
  dataFiles: string[];
}

export const NOTHING: Leftovers = {
  processes: [],
  containers: [],
  links: [],
  routes: [],
  mounts: [],
  cgroups: [],
  namespaces: [],
  runFiles: [],
  dataFiles: [],
};

/** `podPrefix` begins the pod addresses, such as `10.101.`. */
export async function leftovers(of: {
  agentId: string;
  dataDir: string;
  podPrefix: string;
}): Promise<Leftovers> {
  const { agentId, dataDir, podPrefix } = of;
  const lines = (text: string, ...marks: string[]) =>
    text.split('\n').filter((line) => marks.some((mark) => line.includes(mark)));
  const podman = await mustRun('podman', ['ps', '-a', '--format', '{{.Names}} {{.Labels}}']);
  const routes = lines(await mustRun('ip', ['route', 'show', 'table', 'all']), podPrefix);
  const links = routes.flatMap((line) => / dev (\S+)/.exec(line)?.[1] ?? []);
  const rules = await run('nft', ['list', 'ruleset']);
  return {
    processes: processes(agentId, dataDir),
    containers: lines(podman, agentId),
    links: [
      ...lines(await mustRun('ip', ['-o', 'link']), `skr${agentId.slice(0, 6)}`, agentId),
      ...new Set(links.filter((name) => name.startsWith('sk'))),
    ],
    routes,
    mounts: lines(readFileSync('/proc/self/mounts', 'utf8'), agentId, dataDir),
    cgroups: lines(
      await mustRun('find', ['/sys/fs/cgroup', '-type', 'd', '-name', `*${agentId}*`]),
      agentId,
    ),
    namespaces: lines(rules.stdout, agentId, podPrefix),
    runFiles: filesOf(join('/run/skerry', agentId)),
    dataFiles: filesOf(dataDir),
  };
}

/** Those that name the data directory or the agent: the programs, conmon, and whatever else they started. */
function processes(agentId: string, dataDir: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const cgroup = readFileSync(`/proc/${pid}/cgroup`, 'utf8');
      if (command.includes(agentId) || command.includes(dataDir) || cgroup.includes(agentId)) {
        found.push(`${pid} ${command}`);
      }
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).concat('.') : [];
}
