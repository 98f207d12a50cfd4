import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { silentLogger } from '../../shared/silent-logger.ts';
import { type RunCommand, runCommand } from '../host/command.ts';
import { importBusyboxImages, removeBusyboxImages } from './contract-images.ts';
import { PodmanRuntime } from './podman.ts';
import { describeRuntime, type EngineUnderTest } from './runtime.contract.ts';

const PODMAN = ['--cgroup-manager=cgroupfs', '--events-backend=none', '--runtime=runc'];

async function podman(...args: string[]): Promise<string> {
  return (await runCommand('podman', [...PODMAN, ...args])).stdout.trim();
}

/** What a user may have set for containers of his own. */
const USERS_OWN_SETTINGS = `
[containers]
default_capabilities = ["SYS_ADMIN"]
init = true
log_driver = "journald"
log_size_max = 65536
netns = "bridge"
pids_limit = 7
default_ulimits = ["nofile=512:512"]
env = ["PATH=/nowhere"]
cgroups = "disabled"

[engine]
cgroup_manager = "systemd"
events_logger = "journald"
pull_policy = "always"
runtime = "crun"
`;

const settings = mkdtempSync(join(tmpdir(), 'skerry-podman-'));
const settingsFile = join(settings, 'containers.conf');
writeFileSync(settingsFile, USERS_OWN_SETTINGS);

async function engine(run: RunCommand): Promise<EngineUnderTest> {
  const { image, imageWithEntrypoint } = await importBusyboxImages();
  return {
    runtime: (agentId, folder) =>
      new PodmanRuntime({
        agentId,
        stateDir: folder,
        runDir: folder,
        log: silentLogger,
        nowMs: Date.now,
        run,
      }),
    forget: async () => {},
    image,
    imageWithEntrypoint,
    tellsStreams: true,
    async kill(id) {
      await podman('kill', '--signal=KILL', id);
    },
    async lose(id) {
      const pidFile = await podman('inspect', '--format={{.ConmonPidFile}}', id);
      process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGKILL');
    },
    async makeForeign(name) {
      await podman('create', `--name=${name}`, '--network=none', image);
    },
    async foreignExists(name) {
      return (await podman('ps', '--all', '--format={{.Names}}')).split('\n').includes(name);
    },
    async removeForeign(name) {
      await podman('rm', '--force', '--ignore', name);
    },
  };
}

describeRuntime('podman', () => engine(runCommand));

describeRuntime('podman with the user’s own settings', () =>
  engine((file, args, options = {}) =>
    runCommand(file, args, { ...options, env: { ...options.env, CONTAINERS_CONF: settingsFile } }),
  ),
);

afterAll(async () => {
  await removeBusyboxImages();
  rmSync(settings, { recursive: true });
});
