import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cluster, type Loose } from './cluster.ts';
import { IDLE, podManifest, shell } from './pods.ts';
import { mustRun } from './run.ts';
import { SAMPLE_IMAGE } from './sample-image.ts';

/** What pods ask for, seen on the machine: podman, cgroup files, exit codes, reasons. */
const cluster = new Cluster(2);
const create = (manifest: string) => cluster.must(['apply', '-f', '-'], manifest);
const logs = (...args: string[]) => cluster.must(['logs', ...args]);

beforeAll(async () => {
  await cluster.start();
});

afterAll(async () => {
  await cluster.purge();
});

const main = (pod: Loose) => pod.status.containerStatuses?.[0] ?? {};
const idOf = (pod: Loose): string => main(pod).containerID.replace('podman://', '');

describe('a running container', () => {
  it('has its limits in the cgroup files and the labels of Kubernetes', async () => {
    const resources = {
      requests: { cpu: '100m', memory: '16Mi' },
      limits: { cpu: '250m', memory: '32Mi' },
    };
    await create(podManifest('limits', { resources }));
    const pod = await cluster.running('limits');
    const [inspected] = JSON.parse(await mustRun('podman', ['inspect', idOf(pod)]));
    expect(inspected.Config.Labels).toMatchObject({
      'io.kubernetes.pod.name': 'limits',
      'io.kubernetes.pod.namespace': 'default',
      'io.kubernetes.pod.uid': pod.metadata.uid,
      'io.kubernetes.container.name': 'main',
    });
    const read = (controller: string, v1: string, v2: string) =>
      cgroupFile(inspected.State.Pid, controller, v1, v2);
    expect(read('memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(32 << 20));
    const quota = read('cpu', 'cpu.cfs_quota_us', 'cpu.max');
    expect(quota.split(' ')[0]).toBe('25000');
  });

  it('is started again when it is killed, with restartCount and reason', async () => {
    await create(podManifest('killed'));
    const before = await cluster.running('killed');
    await mustRun('podman', ['kill', idOf(before)]);
    const after = await cluster.pod(
      'killed',
      (pod) => main(pod).restartCount === 1 && main(pod).ready,
    );
    expect(main(after).lastState.terminated).toMatchObject({
      exitCode: 137,
      reason: 'Error',
      containerID: main(before).containerID,
    });
    expect(idOf(after)).not.toBe(idOf(before));
    expect(after.status.podIP).toBe(before.status.podIP);
    expect(await cluster.must(['get', 'pod', 'killed'])).toMatch(/1\/1 +Running +1 \(/);
  });
});

describe('environment and volumes', () => {
  it('come from values, ConfigMaps, Secrets, fields and the node', async () => {
    await cluster.must(['create', 'configmap', 'conf', '--from-literal=color=green']);
    await cluster.must(['create', 'secret', 'generic', 'cred', '--from-literal=key=s3cret']);
    const script = [
      'echo "$PLAIN $EXPANDED $COLOR $KEY $POD $NS $IP $CPU"',
      'cat /conf/color; echo; cat /cred/key; echo',
      'echo data >/scratch/file; cat /scratch/file; cat /host/marker',
      'touch /conf/x 2>&1 | grep -o "Read-only.*"; id -u; pwd',
      'hostname; grep -c env /etc/hosts',
    ].join('; ');
    await mustRun('sh', ['-c', `echo from the host >${cluster.folder}/marker`]);
    const env = [
      { name: 'PLAIN', value: 'plain' },
      { name: 'EXPANDED', value: '$(PLAIN)-$$(PLAIN)' },
      { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'conf', key: 'color' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'cred', key: 'key' } } },
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'NS', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ];
    const mount = (name: string) => ({ name, mountPath: `/${name}` });
    const container = {
      command: shell(script),
      env,
      resources: { limits: { cpu: '2' }, requests: { cpu: '10m' } },
      workingDir: '/www',
      volumeMounts: ['conf', 'cred', 'scratch', 'host'].map(mount),
      securityContext: { runAsUser: 0 },
    };
    await create(
      podManifest('env', container, {
        restartPolicy: 'Never',
        volumes: [
          { name: 'conf', configMap: { name: 'conf' } },
          { name: 'cred', secret: { secretName: 'cred' } },
          { name: 'scratch', emptyDir: {} },
          { name: 'host', hostPath: { path: cluster.folder, type: 'Directory' } },
        ],
      }),
    );
    const pod = await cluster.pod('env', ({ status }) => status.phase === 'Succeeded');
    expect((await logs('env')).split('\n')).toEqual([
      `plain plain-$(PLAIN) green s3cret env default ${pod.status.podIP} 2`,
      'green',
      's3cret',
      'data',
      'from the host',
      'Read-only file system',
      '0',
      '/www',
      'env',
      '1',
      '',
    ]);
  });

  it('wait for a ConfigMap that does not exist', async () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'later', key: 'a' } } }];
    await create(podManifest('waits', { env }));
    const waiting = await cluster.pod('waits', (pod) => main(pod).state?.waiting?.message);
    expect(main(waiting).state.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "later" not found',
    });
    await cluster.must(['create', 'configmap', 'later', '--from-literal=a=b']);
    await cluster.running('waits');
  });
});

describe('the end of a container', () => {
  it.each([
    { name: 'succeeds', code: 0, phase: 'Succeeded', reason: 'Completed' },
    { name: 'fails', code: 3, phase: 'Failed', reason: 'Error' },
  ])('$name with its own exit code under restartPolicy Never', async (one) => {
    const command = shell(`echo ends; exit ${one.code}`);
    await create(podManifest(one.name, { command }, { restartPolicy: 'Never' }));
    const pod = await cluster.pod(one.name, ({ status }) => status.phase === one.phase);
    const { terminated } = main(pod).state;
    expect(terminated).toMatchObject({ exitCode: one.code, reason: one.reason });
    expect(Date.parse(terminated.finishedAt)).toBeGreaterThanOrEqual(
      Date.parse(terminated.startedAt),
    );
    expect(main(pod)).toMatchObject({ restartCount: 0, ready: false, started: false });
    expect(await logs(one.name)).toBe('ends\n');
  });

  it('is repeated under OnFailure until it succeeds', async () => {
    const script = 'if [ -e /keep/once ]; then exit 0; fi; touch /keep/once; exit 4';
    const container = {
      command: shell(script),
      volumeMounts: [{ name: 'keep', mountPath: '/keep' }],
    };
    const volumes = [{ name: 'keep', emptyDir: {} }];
    await create(podManifest('repeats', container, { restartPolicy: 'OnFailure', volumes }));
    const pod = await cluster.pod('repeats', ({ status }) => status.phase === 'Succeeded');
    expect(main(pod)).toMatchObject({
      restartCount: 1,
      state: { terminated: { exitCode: 0, reason: 'Completed' } },
      lastState: { terminated: { exitCode: 4, reason: 'Error' } },
    });
  });

  it('is OOMKilled when it takes more memory than its limit', async () => {
    const command = shell('x=a; while true; do x=$x$x; done');
    const resources = { limits: { memory: '16Mi' } };
    await create(podManifest('eats', { command, resources }, { restartPolicy: 'Never' }));
    const pod = await cluster.pod('eats', ({ status }) => status.phase === 'Failed');
    expect(main(pod).state.terminated).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });

  it('repeats with CrashLoopBackOff, and the last one keeps its log', async () => {
    const command = shell('echo "run $(cat /proc/uptime)"; exit 1');
    await create(podManifest('crashes', { command }));
    const pod = await cluster.pod(
      'crashes',
      (one) =>
        main(one).restartCount >= 1 && main(one).state?.waiting?.reason === 'CrashLoopBackOff',
    );
    expect(main(pod).state.waiting.message).toMatch(
      /^back-off \d+s restarting failed container=main pod=crashes_default\([0-9a-f-]+\)$/,
    );
    expect(pod.status.phase).toBe('Running');
    expect(await logs('crashes', '--previous')).toMatch(/^run [\d. ]+\n$/);
    expect(await cluster.must(['get', 'pod', 'crashes'])).toContain('CrashLoopBackOff');
    const events = await cluster.must(['get', 'events', '--field-selector=reason=BackOff']);
    expect(events).toContain('Back-off restarting failed container main in pod crashes_default(');
  });

  it('of an init container lets the next one start, in order', async () => {
    const step = (name: string, script: string) => ({
      name,
      image: SAMPLE_IMAGE,
      command: shell(script),
      volumeMounts: [{ name: 'out', mountPath: '/out' }],
    });
    const initContainers = [
      step('first', 'echo first >>/out/order'),
      step('second', 'echo second >>/out/order'),
    ];
    const container = {
      command: shell('cat /out/order'),
      volumeMounts: [{ name: 'out', mountPath: '/out' }],
    };
    const volumes = [{ name: 'out', emptyDir: {} }];
    const spec = { initContainers, volumes, restartPolicy: 'Never' };
    await create(podManifest('inits', container, spec));
    const pod = await cluster.pod('inits', ({ status }) => status.phase === 'Succeeded');
    expect(await logs('inits')).toBe('first\nsecond\n');
    expect(pod.status.initContainerStatuses).toMatchObject([
      { name: 'first', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
      { name: 'second', ready: true, state: { terminated: { exitCode: 0, reason: 'Completed' } } },
    ]);
  });

  it('of an init container that fails keeps the others from starting', async () => {
    const initContainers = [{ name: 'broken', image: SAMPLE_IMAGE, command: shell('exit 9') }];
    await create(podManifest('blocked', {}, { initContainers, restartPolicy: 'Never' }));
    const pod = await cluster.pod('blocked', ({ status }) => status.phase === 'Failed');
    expect(main(pod).state.waiting).toMatchObject({ reason: 'PodInitializing' });
    expect(await cluster.must(['get', 'pod', 'blocked'])).toMatch(/0\/1 +Init:Error +0 /);
  });
});

describe('deletion', () => {
  it('gives a container its grace, then kills it', async () => {
    const command = shell('trap "" TERM; echo ready; while true; do sleep 1; done');
    await create(podManifest('stubborn', { command }, { terminationGracePeriodSeconds: 2 }));
    const pod = await cluster.running('stubborn');
    await follow(['stubborn'], /ready/);
    const started = performance.now();
    await cluster.must(['delete', 'pod', 'stubborn', '--timeout=30s']);
    expect(performance.now() - started).toBeGreaterThan(1900);
    expect((await podmanIds()).includes(idOf(pod))).toBe(false);
  });

  it('ends a container that heeds SIGTERM at once, and takes its volumes', async () => {
    const container = { command: IDLE, volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const volumes = [{ name: 'v', emptyDir: {} }];
    const spec = { volumes, terminationGracePeriodSeconds: 60 };
    await create(podManifest('heeds', container, spec));
    const pod = await cluster.running('heeds');
    const folder = join(cluster.dataDir, 'agent/pods', pod.metadata.uid);
    expect(existsSync(folder)).toBe(true);
    const started = performance.now();
    await cluster.must(['delete', 'pod', 'heeds', '--timeout=60s']);
    expect(performance.now() - started).toBeLessThan(15_000);
    expect((await podmanIds()).includes(idOf(pod))).toBe(false);
    await expect.poll(() => existsSync(folder)).toBe(false);
  });
});

describe('a pod that cannot run', () => {
  it('waits for an image that does not exist', async () => {
    await create(podManifest('imageless', { image: 'localhost/does-not-exist:1' }));
    const reasons = ['ErrImagePull', 'ImagePullBackOff'];
    const pod = await cluster.pod('imageless', (one) =>
      reasons.includes(main(one).state?.waiting?.reason),
    );
    expect(main(pod).state.waiting.message).toContain('localhost/does-not-exist:1');
    await cluster.pod('imageless', (one) => main(one).state?.waiting?.reason === reasons[1]);
  });

  it('waits with ErrImageNeverPull where pulling is forbidden', async () => {
    const image = 'localhost/does-not-exist:2';
    await create(podManifest('never', { image, imagePullPolicy: 'Never' }));
    const pod = await cluster.pod(
      'never',
      (one) => main(one).state?.waiting?.reason !== 'ContainerCreating' && main(one).state?.waiting,
    );
    expect(main(pod).state.waiting).toEqual({
      reason: 'ErrImageNeverPull',
      message: `Container image "${image}" is not present with pull policy of Never`,
    });
  });

  it('stays Pending with what is short when it asks for more than any node has', async () => {
    await create(podManifest('huge', { resources: { requests: { cpu: '900', memory: '900Ti' } } }));
    const pod = await cluster.pod('huge', ({ status }) => status.conditions?.length > 0);
    expect(pod.status.phase).toBe('Pending');
    expect(pod.status.conditions).toMatchObject([
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'Unschedulable',
        message: expect.stringMatching(
          /^0\/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory\./,
        ),
      },
    ]);
    const described = await cluster.must(['describe', 'pod', 'huge']);
    expect(described).toMatch(/Warning +FailedScheduling .*1 Insufficient cpu/);
  });
});

describe('kubectl logs', () => {
  beforeAll(async () => {
    const script = 'for i in 1 2 3 4 5; do echo "line $i"; done; echo oops >&2';
    const other = { name: 'other', image: SAMPLE_IMAGE, command: shell('echo other; sleep 3600') };
    const make = { name: 'make', image: SAMPLE_IMAGE, command: shell('mkfifo /pipe/go') };
    const pipe = { volumeMounts: [{ name: 'pipe', mountPath: '/pipe' }] };
    const first = {
      name: 'main',
      image: SAMPLE_IMAGE,
      ...pipe,
      command: shell(`${script}; read x </pipe/go; echo "got $x"; exit 5`),
    };
    const spec = {
      containers: [first, other],
      initContainers: [{ ...make, ...pipe }],
      volumes: [{ name: 'pipe', emptyDir: {} }],
      restartPolicy: 'Never',
    };
    await create(podManifest('talks', {}, spec));
    await cluster.running('talks');
  });

  it('ends with --tail, begins with --since, and names a container with -c', async () => {
    await follow(['talks', '-c', 'main'], /oops/);
    expect(await logs('talks', '-c', 'main', '--tail=2')).toBe('line 5\noops\n');
    expect(await logs('talks', '-c', 'main', '--since=1h')).toContain('line 1\n');
    const future = new Date(Date.now() + 3_600_000).toISOString();
    expect(await logs('talks', '-c', 'main', `--since-time=${future}`)).toBe('');
    expect(await logs('talks', '-c', 'other')).toBe('other\n');
    expect((await cluster.kubectl(['logs', 'talks', '-c', 'none'])).stderr).toBe(
      'error: container none is not valid for pod talks\n',
    );
    expect((await cluster.kubectl(['logs', 'talks', '-c', 'main', '--previous'])).stderr).toMatch(
      /^Error from server \(BadRequest\): previous terminated container "main" in pod "talks" not found\n$/,
    );
  });

  it('-f goes on until the container ends', async () => {
    const followed = cluster.kubectlProgram(['logs', '-f', 'talks', '-c', 'main']);
    await followed.line(/oops/);
    const pod = await cluster.running('talks');
    await mustRun('podman', ['exec', idOf(pod), 'sh', '-c', 'echo word >/pipe/go']);
    expect(await followed.ended()).toMatchObject({ code: 0 });
    expect(followed.output).toMatch(/line 1\n(.*\n)*got word\n$/);
    const ended = await cluster.pod('talks', (one) => main(one).state.terminated);
    expect(main(ended).state.terminated).toMatchObject({ exitCode: 5, reason: 'Error' });
  });
});

/** Reads a log until a line of it matches. */
async function follow(args: string[], pattern: RegExp): Promise<void> {
  const followed = cluster.kubectlProgram(['logs', '-f', ...args]);
  await followed.line(pattern);
  await followed.stop();
}

async function podmanIds(): Promise<string[]> {
  return (await mustRun('podman', ['ps', '-aq', '--no-trunc'])).trim().split('\n');
}

/** A file of the cgroup in which a process is, in whichever version the machine has. */
function cgroupFile(pid: number, controller: string, v1: string, v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n');
  const line = lines.find((one) => one.split(':')[1]?.split(',').includes(controller));
  if (line === undefined) {
    const path = lines.find((one) => one.startsWith('0::'))?.slice(3) ?? '';
    return readFileSync(join('/sys/fs/cgroup', path, v2), 'utf8').trim();
  }
  const [, names = '', path = ''] = line.split(':');
  const folder = readdirSync('/sys/fs/cgroup').find((one) => one === names) ?? controller;
  return readFileSync(join('/sys/fs/cgroup', folder, path, v1), 'utf8').trim();
}
