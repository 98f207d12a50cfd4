import { readFileSync } from 'node:fs';
import { cpus, hostname, totalmem } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, kubectls, SAMPLE } from './cluster.ts';
import { mustRun, run } from './run.ts';
import { SAMPLE_IMAGE } from './sample-image.ts';

/** What a user does first: the sample application with the newest kubectl, from apply to delete. */
const cluster = new Cluster(1);
const secondImage = `localhost/skerry-sample:e2e-${process.pid}`;
const kubectl = (...args: string[]) => cluster.must(args);
const inSample = (...args: string[]) => cluster.must(['-n', 'sample', ...args]);

beforeAll(async () => {
  await mustRun('podman', ['tag', SAMPLE_IMAGE, secondImage]);
  await cluster.start();
});

afterAll(async () => {
  await cluster.purge();
  await mustRun('podman', ['untag', secondImage, secondImage]);
});

describe('the sample application', () => {
  it('is applied and becomes available', async () => {
    const created = await kubectl('apply', '-f', SAMPLE);
    expect(created.trim().split('\n')).toEqual([
      'namespace/sample created',
      'configmap/front created',
      'configmap/back created',
      'secret/front created',
      'deployment.apps/front created',
      'deployment.apps/back created',
      'service/front created',
      'service/back created',
    ]);
    expect(await inSample('rollout', 'status', 'deploy/front', '--timeout=60s')).toContain(
      'deployment "front" successfully rolled out',
    );
    await inSample('rollout', 'status', 'deploy/back', '--timeout=60s');
    const again = await kubectl('apply', '-f', SAMPLE);
    expect(again.match(/ unchanged/g)).toHaveLength(7);
    // stringData is never read back, so kubectl finds it changed, as on Kubernetes.
    expect(again).toContain('secret/front configured');
  });

  it('is listed with the columns of kubectl', async () => {
    const [head, ...rows] = (await inSample('get', 'pods', '-o', 'wide')).trim().split('\n');
    expect(head?.split(/\s{2,}/)).toEqual(
      'NAME READY STATUS RESTARTS AGE IP NODE NOMINATED_NODE READINESS_GATES'
        .split(' ')
        .map((name) => name.replace('_', ' ')),
    );
    const front = rows.filter((row) => row.startsWith('front-'));
    expect(front).toHaveLength(2);
    for (const row of front) expect(row).toMatch(/2\/2 +Running +0 .* 10\.101\.\d+\.\d+ /);
    expect(await inSample('get', 'deploy', 'front')).toMatch(/front +2\/2 +2 +2 +/);
    expect(await inSample('get', 'svc', 'front')).toMatch(/front +ClusterIP +10\.161\.\d+\.\d+ /);
    expect(await kubectl('get', 'all', '-A')).toContain('replicaset.apps/front-');
  });

  it('answers on the address of its pod', async () => {
    const pods = await cluster.pods('sample', '?labelSelector=tier%3Dfront');
    for (const { status, metadata, spec } of pods) {
      const page = await mustRun('busybox', ['wget', '-qO-', `http://${status.podIP}:8080/`]);
      expect(page).toBe(`Hello from Skerry, I am ${metadata.name} on ${spec.nodeName}\n`);
    }
  });

  it('answers on the address of its service, for which the front tier calls the back tier by name', async () => {
    const { spec } = await cluster.get('/api/v1/namespaces/sample/services/front');
    const ask = (path: string) =>
      run('busybox', ['wget', '-qO-', `http://${spec.clusterIP}${path}`]);
    await expect
      .poll(async () => (await ask('/')).stdout, { timeout: 20_000 })
      .toMatch(/^Hello from Skerry, I am front-/);
    await expect
      .poll(async () => (await ask('/cgi-bin/back')).stdout, { timeout: 20_000 })
      .toMatch(/^Hello from the back tier, asked by front-\S+\n$/);
  });

  it('is told of its services by the environment', async () => {
    const { spec } = await cluster.get('/api/v1/namespaces/default/services/kubernetes');
    const [pod] = await cluster.pods('sample', '?labelSelector=tier%3Dback');
    const id = pod.status.containerStatuses[0].containerID.replace('podman://', '');
    const environment = await mustRun('podman', [
      ...['inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', id],
    ]);
    expect(environment.split('\n')).toEqual(
      expect.arrayContaining([
        `KUBERNETES_SERVICE_HOST=${spec.clusterIP}`,
        'KUBERNETES_SERVICE_PORT=443',
        `KUBERNETES_PORT=tcp://${spec.clusterIP}:443`,
      ]),
    );
  });

  it('runs on a node that tells the truth about the machine', async () => {
    const [node] = (await cluster.get('/api/v1/nodes')).items;
    expect(node.metadata.name).toBe(hostname().toLowerCase());
    expect(node.status.capacity.cpu).toBe(String(cpus().length));
    const memoryKi = Number(/^(\d+)Ki$/.exec(node.status.capacity.memory)?.[1]);
    expect(memoryKi).toBe(Math.floor(totalmem() / 1024));
    const info = node.status.nodeInfo;
    const podman = (await mustRun('podman', ['--version'])).trim().split(' ').at(-1);
    const uname = async (flag: string) => (await mustRun('uname', [flag])).trim();
    const release = await mustRun('sh', ['-c', '. /etc/os-release; echo "$PRETTY_NAME"']);
    expect(info).toMatchObject({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      operatingSystem: 'linux',
      osImage: release.trim(),
      kernelVersion: await uname('-r'),
      containerRuntimeVersion: `podman://${podman}`,
      bootID: (await mustRun('cat', ['/proc/sys/kernel/random/boot_id'])).trim(),
    });
    expect(await kubectl('get', 'nodes', '-o', 'wide')).toMatch(/ Ready .*podman:\/\//);
    const described = await kubectl('describe', 'node');
    expect(described).toMatch(/Ready +True .*KubeletReady/);
    expect(described).toMatch(/Container Runtime Version: +podman:/);
    expect(described).toMatch(/Non-terminated Pods: +\(3 in total\)/);
    expect(described).toMatch(/cpu +70m \(\d+%\)/);
  });

  it('is described with its events', async () => {
    const described = await inSample('describe', 'pod', '-l', 'tier=front');
    for (const reason of ['Scheduled', 'Pulled', 'Created', 'Started']) {
      expect(described).toMatch(new RegExp(`Normal +${reason} `));
    }
    expect(described).toMatch(/State: +Running/);
    expect(described).toMatch(/Controlled By: +ReplicaSet\/front-/);
    expect(described).toMatch(/Ready +True/);
  });

  it('shows its logs', async () => {
    const wrote = 'wrote the page; the password has 9 characters';
    expect(await inSample('logs', 'deploy/front', '-c', 'writer')).toBe(`${wrote}\n`);
    expect(await inSample('logs', 'deploy/front', '--all-containers')).toContain(wrote);
    const stamped = await inSample('logs', 'deploy/front', '-c', 'writer', '--timestamps');
    expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z wrote/);
    expect(await inSample('logs', '-l', 'tier=front', '-c', 'writer', '--prefix')).toMatch(
      /^\[pod\/front-[^/]+\/writer] wrote/,
    );
  });

  it('is scaled to five, under the eyes of a watch', async () => {
    const watch = cluster.kubectlProgram(['get', 'pods', '-A', '-o', 'wide', '-w']);
    await watch.line(/ 2\/2 +Running /);
    await inSample('scale', 'deploy/front', '--replicas=5');
    await inSample(
      'wait',
      'deploy/front',
      '--for=jsonpath={.status.readyReplicas}=5',
      '--timeout=60s',
    );
    const pods = await cluster.pods('sample', '?labelSelector=tier%3Dfront');
    expect(new Set(pods.map(({ status }) => status.podIP)).size).toBe(5);
    await inSample('scale', 'deploy/front', '--replicas=2');
    await inSample('wait', 'deploy/front', '--for=jsonpath={.status.replicas}=2', '--timeout=60s');
    await watch.line(/ 0\/2 +Pending +0 .* <none> +<none> /);
    await watch.line(/ 0\/2 +ContainerCreating +0 /);
    await watch.line(/ 2\/2 +Terminating +0 /);
    await watch.stop();
  });

  it('is rolled to a new image and back', async () => {
    await inSample('set', 'image', 'deploy/front', `web=${secondImage}`, `writer=${secondImage}`);
    expect(await inSample('rollout', 'status', 'deploy/front', '--timeout=90s')).toContain(
      'successfully rolled out',
    );
    const images = ['-o', 'jsonpath={.items[*].spec.containers[*].image}'];
    const running = ['get', 'pods', '-l', 'tier=front', '--field-selector=status.phase=Running'];
    await cluster.until(
      '/apis/apps/v1/namespaces/sample/deployments/front',
      ({ status }) => status.replicas === 2 && status.updatedReplicas === 2,
    );
    expect(await inSample(...running, ...images)).toContain(secondImage);
    expect(await inSample('rollout', 'history', 'deploy/front')).toMatch(/^1 .*\n2 /m);
    await inSample('rollout', 'undo', 'deploy/front');
    await inSample('rollout', 'status', 'deploy/front', '--timeout=90s');
    const { spec } = await cluster.get('/apis/apps/v1/namespaces/sample/deployments/front');
    expect(spec.template.spec.containers[0].image).toBe(SAMPLE_IMAGE);
  });

  it('is deleted with everything that belongs to it', async () => {
    const deleted = await kubectl('delete', '-f', SAMPLE, '--timeout=60s');
    expect(deleted).toContain('namespace "sample" deleted');
    expect((await cluster.kubectl(['get', 'ns', 'sample'])).stderr).toBe(
      'Error from server (NotFound): namespaces "sample" not found\n',
    );
    const filter = `label=io.kubernetes.pod.namespace=sample`;
    const own = (
      await mustRun('podman', ['ps', '-a', '--filter', filter, '--format', '{{.Names}}'])
    )
      .split('\n')
      .filter((name) => name.startsWith(`skerry-${cluster.agentId}`));
    expect(own).toEqual([]);
  });
});

const older = kubectls().filter(({ version }) =>
  ['1.20', '1.27', '1.28', '1.30'].includes(version),
);

describe.each(older)('kubectl $version', ({ version, path }) => {
  it('applies and reads the sample', async () => {
    const namespace = `sample-${version.replace('.', '-')}`;
    const manifest = readFileSync(SAMPLE, 'utf8')
      .replaceAll('namespace: sample', `namespace: ${namespace}`)
      .replace('  name: sample\n', `  name: ${namespace}\n`);
    const applied = await cluster.must(['apply', '-f', '-'], manifest, path);
    expect(applied.match(/ created/g)).toHaveLength(8);
    const within = (...args: string[]) => cluster.must(['-n', namespace, ...args], '', path);
    await within('rollout', 'status', 'deploy/front', '--timeout=60s');
    expect(await within('get', 'pods')).toMatch(/2\/2 +Running/);
    expect(await within('describe', 'deploy', 'front')).toMatch(/2 desired .* 2 available/);
    await within('delete', 'namespace', namespace, '--wait=false');
  });
});
