import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster, type Loose, SAMPLE, SKERRY } from './cluster.ts';
import { leftovers, NOTHING } from './leftovers.ts';
import { Program } from './program.ts';
import { mustRun, run } from './run.ts';
import { SAMPLE_IMAGE } from './sample-image.ts';

/** The sample on a containerd of the test's own, with its own folders and socket. */
const folder = mkdtempSync(join(tmpdir(), 'skerry-containerd-'));
const address = join(folder, 'containerd.sock');
const cluster = new Cluster(11, { CONTAINERD_ADDRESS: address });
let containerd: Program;

const ctr = (...args: string[]) =>
  mustRun('ctr', ['--address', address, '--namespace', 'skerry', ...args]);

beforeAll(async () => {
  const config = join(folder, 'config.toml');
  const lines = [
    'version = 2',
    `root = "${folder}/root"`,
    `state = "${folder}/state"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]',
    '[grpc]',
    `address = "${address}"`,
  ];
  writeFileSync(config, lines.join('\n'));
  containerd = new Program('containerd', ['--config', config]);
  await containerd.line(/containerd successfully booted/);
  const archive = join(folder, 'image.tar');
  await mustRun('podman', ['save', '--quiet', '--output', archive, SAMPLE_IMAGE]);
  await ctr('images', 'import', archive);
  rmSync(archive);
  await cluster.start('up', '--runtime', 'containerd');
});

afterAll(async () => {
  await cluster.purge();
  await containerd?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const inSample = (...args: string[]) => cluster.must(['-n', 'sample', ...args]);
const idOf = (pod: Loose) =>
  pod.status.containerStatuses[0].containerID.replace('containerd://', '');

it('the sample runs on containerd', async () => {
  await cluster.must(['apply', '-f', SAMPLE]);
  for (const name of ['front', 'back']) {
    await inSample('rollout', 'status', `deploy/${name}`, '--timeout=90s');
  }
  expect(await cluster.must(['get', 'nodes', '-o', 'wide'])).toMatch(/ Ready .*containerd:\/\/\d/);
  const [pod] = await cluster.pods('sample', '?labelSelector=tier%3Dfront');
  const page = await mustRun('busybox', ['wget', '-qO-', `http://${pod.status.podIP}:8080/`]);
  expect(page).toContain(`Hello from Skerry, I am ${pod.metadata.name}`);
  expect(await inSample('logs', pod.metadata.name, '-c', 'writer')).toBe(
    'wrote the page; the password has 9 characters\n',
  );
});

it('a container that is killed is started again', async () => {
  const [pod] = await cluster.pods('sample', '?labelSelector=tier%3Dback');
  await ctr('tasks', 'kill', '--signal=SIGKILL', idOf(pod));
  const after = await cluster.until(
    `/api/v1/namespaces/sample/pods/${pod.metadata.name}`,
    ({ status }) =>
      status.containerStatuses[0].restartCount === 1 && status.containerStatuses[0].ready,
  );
  expect(after.status.containerStatuses[0].lastState.terminated).toMatchObject({
    exitCode: 137,
    reason: 'Error',
  });
  expect(after.status.podIP).toBe(pod.status.podIP);
});

it('kill -9 of the program changes no container', async () => {
  const lives = async () =>
    (await cluster.pods('sample'))
      .flatMap(({ status }) => [
        status.podIP,
        ...status.containerStatuses.map((one: Loose) => `${one.containerID} ${one.restartCount}`),
      ])
      .sort();
  // The engine's own word, with the processes: the statuses are those of before until the agent has told others.
  const tasks = async () => (await ctr('tasks', 'ls')).trim().split('\n').sort();
  const [before, running] = [await lives(), await tasks()];
  expect(running).toHaveLength(6);
  await cluster.program('up').stop('SIGKILL');
  cluster.forget();
  await cluster.start('up', '--runtime', 'containerd');
  expect(await tasks()).toEqual(running);
  expect(await lives()).toEqual(before);
});

it('pods stop, and nothing is left after purge', async () => {
  await inSample('delete', 'deploy', 'back', '--cascade=foreground', '--timeout=30s');
  expect((await ctr('tasks', 'ls', '--quiet')).trim().split('\n')).toHaveLength(4);
  const agentId = cluster.agentId;
  const result = await run(SKERRY, ['down', '--purge', '--data-dir', cluster.dataDir], {
    env: cluster.env,
  });
  expect(result).toMatchObject({ code: 0 });
  expect((await ctr('containers', 'ls', '--quiet')).trim()).toBe('');
  const left = await leftovers({ agentId, dataDir: cluster.dataDir, podPrefix: '10.111.' });
  expect(left).toEqual(NOTHING);
});
