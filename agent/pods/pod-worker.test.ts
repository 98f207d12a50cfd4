import { beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../runtime/runtime.ts';
import { container, deleted, PodBench, pod } from './testing/pod-bench.ts';

let bench: PodBench;

beforeEach(() => {
  bench = new PodBench();
});

describe('PodWorker', () => {
  it('brings a pod from nothing to running, and tells it as the kubelet does', async () => {
    await bench.start();
    const one = pod('p', { containers: [container('web'), container('log')] });
    await bench.apply(one);
    expect(bench.runtime.running()).toEqual(['log', 'web']);
    const { status } = bench.report(one);
    expect(status.phase).toBe('Running');
    expect(status.podIP).toBe('10.42.0.2');
    expect(status.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'PodReadyToStartContainers=True',
      'Initialized=True',
      'Ready=True',
      'ContainersReady=True',
      'PodScheduled=True',
    ]);
    expect(status.containerStatuses).toMatchObject([
      { name: 'log', ready: true, started: true, restartCount: 0 },
      { name: 'web', containerID: 'podman://id0', image: 'docker.io/library/app:1' },
    ]);
    expect(bench.events).toEqual([
      'Pulled: Container image "app:1" already present on machine',
      'Created: Created container: web',
      'Started: Started container web',
      'Pulled: Container image "app:1" already present on machine',
      'Created: Created container: log',
      'Started: Started container log',
    ]);
    expect(bench.clock.pending).toBe(0);
  });

  it('has the record of a pod on disk before its status is reported', async () => {
    const one = pod('p');
    const put = bench.reports.push.bind(bench.reports);
    bench.reports.push = (report) => {
      expect(bench.state.records.get(one.metadata.uid)?.['status']).toEqual(report.body['status']);
      return put(report);
    };
    await bench.start();
    await bench.apply(one);
    expect(bench.reports.length).toBeGreaterThan(0);
  });

  it('takes down the cgroup of its own pod with it, and one that no pod names', async () => {
    bench.cgroups.pods.add('stray');
    await bench.start();
    expect([...bench.cgroups.pods]).toEqual([]);
    const one = pod('p');
    await bench.apply(one);
    bench.cgroups.pods.add(one.metadata.uid);
    await bench.apply(deleted(one, 0));
    expect(bench.report(one).gone).toBe(true);
    expect([...bench.cgroups.pods]).toEqual([]);
  });

  it('waits for the node’s pod CIDR with one event of each kind, not in a hot loop', async () => {
    bench.network.error = new Error('the node has no pod CIDR yet');
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    const message = 'Failed to create pod sandbox: the node has no pod CIDR yet';
    expect(bench.events).toEqual([`FailedCreatePodSandBox: ${message}`]);
    expect(bench.report(one).status.containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'ContainerCreating' },
    });
    const tries = bench.volumes.setUps;
    for (let second = 0; second < 60; second++) await bench.advance(1000);
    expect(bench.volumes.setUps - tries).toBeLessThan(8);
    bench.network.error = undefined;
    bench.state.put('nodes//node1', { spec: { podCIDR: '10.42.0.0/24' } });
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('restarts at once the first time, then after 10, 20, 40 … 300 seconds', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    const waits: number[] = [];
    for (let restart = 0; restart < 8; restart++) {
      await bench.exit('web', 1);
      const before = bench.clock.monotonicMs();
      while (bench.runtime.running().length === 0) await bench.advance(bench.clock.nextInMs ?? 0);
      waits.push((bench.clock.monotonicMs() - before) / 1000);
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(bench.report(one).status.containerStatuses?.[0]?.restartCount).toBe(8);
    await bench.advance(700_000);
    await bench.exit('web', 1);
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('shows CrashLoopBackOff with the last end and its event while it waits', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    await bench.exit('web', 1);
    await bench.exit('web', 3);
    expect(bench.report(one).status.containerStatuses?.[0]).toMatchObject({
      ready: false,
      restartCount: 1,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 10s restarting failed container=web pod=p_default(uid-p)',
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error', containerID: 'podman://id1' } },
    });
    expect(bench.report(one).status.phase).toBe('Running');
    expect(bench.events.at(-1)).toBe(
      'BackOff: Back-off restarting failed container web in pod p_default(uid-p)',
    );
  });

  it('names an end for want of memory OOMKilled', async () => {
    await bench.start();
    const one = pod('p', { restartPolicy: 'Never' });
    await bench.apply(one);
    await bench.exit('web', 137, true);
    const { status } = bench.report(one);
    expect(status.phase).toBe('Failed');
    expect(status.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      reason: 'OOMKilled',
      exitCode: 137,
    });
    expect(bench.network.sandboxes.size).toBe(0);
  });

  it('runs init containers one after the other and then the main ones', async () => {
    await bench.start();
    const one = pod('p', { initContainers: [container('a'), container('b')] });
    await bench.apply(one);
    expect(bench.runtime.running()).toEqual(['a']);
    expect(bench.report(one).status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
    });
    await bench.exit('a', 0);
    expect(bench.runtime.running()).toEqual(['b']);
    await bench.exit('b', 1);
    expect(bench.runtime.running()).toEqual(['b']);
    await bench.exit('b', 0);
    expect(bench.runtime.running()).toEqual(['web']);
    expect(bench.report(one).status.initContainerStatuses).toMatchObject([
      { name: 'a', ready: true, restartCount: 0 },
      { name: 'b', ready: true, restartCount: 1 },
    ]);
  });

  it('keeps a sidecar beside the main containers and ends it after them', async () => {
    await bench.start();
    const one = pod('p', {
      restartPolicy: 'Never',
      initContainers: [container('side', { restartPolicy: 'Always' }), container('a')],
    });
    await bench.apply(one);
    expect(bench.runtime.running()).toEqual(['a', 'side']);
    await bench.exit('a', 0);
    expect(bench.runtime.running()).toEqual(['side', 'web']);
    await bench.exit('side', 1);
    expect(bench.runtime.running()).toEqual(['side', 'web']);
    await bench.exit('web', 0);
    expect(bench.runtime.running()).toEqual([]);
    expect(bench.report(one).status.phase).toBe('Succeeded');
  });

  it('tells services no address of a pod that is over: another may have it', async () => {
    await bench.start();
    const one = pod('p', { restartPolicy: 'Never' });
    await bench.apply(one);
    const { uid } = one.metadata;
    expect(bench.worker.localPod(uid)?.address).toBe(bench.report(one).status.podIP);
    await bench.exit('web', 0);
    expect(bench.report(one).status.phase).toBe('Succeeded');
    expect(bench.worker.localPod(uid)).toMatchObject({ ready: false, address: undefined });
  });

  it('takes a deleted pod away with grace and says that it is gone', async () => {
    await bench.start();
    const one = pod('p', { containers: [container('web'), container('slow')] });
    await bench.apply(one);
    bench.runtime.ignoresTerm.add('slow');
    await bench.apply(deleted(one, 5));
    expect(bench.runtime.running()).toEqual(['slow']);
    expect(bench.report(one).gone).toBeUndefined();
    await bench.advance(4999);
    expect(bench.runtime.running()).toEqual(['slow']);
    await bench.advance(1);
    expect(bench.runtime.containers.size).toBe(0);
    expect(bench.network.sandboxes.size).toBe(0);
    expect(bench.volumes.pods.size).toBe(0);
    expect(bench.report(one)).toMatchObject({ gone: true, status: { phase: 'Failed' } });
    expect(bench.report(one).status.containerStatuses?.[0]?.state?.terminated?.exitCode).toBe(137);
    await bench.drop(one);
    expect(bench.state.records.size).toBe(0);
    expect(bench.logs.pods.size).toBe(0);
    expect(bench.clock.pending).toBe(0);
  });

  it('ends a pod that no document names any more, after two seconds at most', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    bench.runtime.ignoresTerm.add('web');
    await bench.drop(one);
    await bench.advance(2000);
    expect(bench.runtime.containers.size).toBe(0);
    expect(bench.network.sandboxes.size).toBe(0);
    expect(bench.state.records.size).toBe(0);
    expect(bench.withdrawn).toEqual(bench.reports.slice(0, 1).map(({ key }) => key));
  });

  it('adopts what runs after a restart of the agent: same containers, same address, same counts', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    await bench.exit('web', 1);
    const before = [...bench.runtime.containers.keys()];
    const { status } = bench.report(one);
    await bench.restart();
    expect([...bench.runtime.containers.keys()]).toEqual(before);
    expect(bench.report(one).status).toEqual(status);
  });

  it('while what the master wants is not known, leaves all pods as they are, and adopts them then', async () => {
    await bench.start();
    const [one, two] = [pod('p', { containers: [container('a')] }), pod('q')];
    await bench.apply(one);
    await bench.apply(two);
    const before = [...bench.runtime.containers.keys()];
    bench.state.documents.clear();
    bench.state.records.clear();
    bench.state.isKnown = false;
    await bench.restart();
    bench.worker.resync();
    await bench.advance(3_600_000);
    expect(bench.runtime.running()).toEqual(['a', 'web']);
    expect(bench.network.sandboxes.size).toBe(2);
    const id = bench.runtime.idOf('a');
    expect(bench.worker.runningContainer(one.metadata.uid, 'a', 0)).toBe(id);
    // Nor is one begun again.
    await bench.exit('web', 1);
    await bench.advance(3_600_000);
    expect([...bench.runtime.containers.keys()]).toEqual(before);

    bench.state.putAll([one]);
    await bench.settle();
    await bench.advance(60_000);
    expect([...bench.runtime.containers.keys()]).toEqual([id]);
    expect(bench.runtime.running()).toEqual(['a']);
    expect([...bench.network.sandboxes.keys()]).toEqual([one.metadata.uid]);
    expect(bench.report(one).status.phase).toBe('Running');
  });

  it('removes what runs when the first full set is empty', async () => {
    await bench.start();
    await bench.apply(pod('p'));
    bench.state.documents.clear();
    bench.state.isKnown = false;
    await bench.restart();
    expect(bench.runtime.running()).toEqual(['web']);
    bench.state.putAll([]);
    await bench.settle();
    await bench.advance(60_000);
    expect(bench.runtime.containers.size).toBe(0);
  });

  it('adopts by labels alone when the record is lost', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    await bench.exit('web', 1);
    bench.state.records.clear();
    const before = [...bench.runtime.containers.keys()];
    await bench.restart();
    expect([...bench.runtime.containers.keys()]).toEqual(before);
    expect(bench.report(one).status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 1 } },
    });
  });

  it('removes containers, sandboxes and volumes of pods that it does not know', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    await bench.worker.stop();
    bench.state.documents.clear();
    bench.state.records.clear();
    await bench.restart();
    await bench.advance(1000);
    expect(bench.runtime.containers.size).toBe(0);
    expect(bench.network.sandboxes.size).toBe(0);
    expect(bench.volumes.pods.size).toBe(0);
    expect(bench.logs.pods.size).toBe(0);
  });

  it('makes everything again after a power cut, with the old address and one restart more', async () => {
    await bench.start();
    const one = pod('p', { initContainers: [container('a')] });
    await bench.apply(one);
    await bench.exit('a', 0);
    const { podIP } = bench.report(one).status;
    await bench.worker.stop();
    bench.runtime.powerCut();
    bench.network.sandboxes.clear();
    await bench.restart();
    expect(bench.runtime.running()).toEqual(['a']);
    await bench.exit('a', 0);
    expect(bench.runtime.running()).toEqual(['web']);
    const { status } = bench.report(one);
    expect(status.podIP).toBe(podIP);
    expect(status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 255, reason: 'Unknown' } },
    });
    expect([...bench.runtime.containers.values()].some(({ state }) => state === 'lost')).toBe(
      false,
    );
  });

  it('does not begin a pod again after a power cut when it may never restart', async () => {
    await bench.start();
    const one = pod('p', { restartPolicy: 'Never' });
    await bench.apply(one);
    await bench.worker.stop();
    bench.runtime.powerCut();
    bench.network.sandboxes.clear();
    await bench.restart();
    expect(bench.runtime.running()).toEqual([]);
    expect(bench.report(one).status.phase).toBe('Failed');
  });

  it('makes a container again that someone removed', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    bench.runtime.containers.clear();
    bench.worker.resync();
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web']);
    expect(bench.report(one).status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
    });
  });

  it('restarts only the container whose image changed, whatever the restart policy', async () => {
    await bench.start();
    bench.runtime.addImage('docker.io/library/app:2');
    const containers = [container('web'), container('log')];
    const one = pod('p', { restartPolicy: 'Never', containers });
    await bench.apply(one);
    const log = bench.runtime.idOf('log');
    await bench.apply(
      pod('p', {
        restartPolicy: 'Never',
        containers: [container('web', { image: 'app:2' }), container('log')],
      }),
    );
    expect(bench.runtime.running()).toEqual(['log', 'web']);
    expect(bench.runtime.idOf('log')).toBe(log);
    expect(bench.report(one).status.containerStatuses?.[1]).toMatchObject({
      name: 'web',
      image: 'docker.io/library/app:2',
      restartCount: 1,
    });
    expect(bench.events).toContain('Killing: Container web definition changed, will be restarted');
  });

  it('waits with CreateContainerConfigError for a ConfigMap, and goes on when it comes', async () => {
    await bench.start();
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cfg', key: 'k' } } }];
    const one = pod('p', { containers: [container('web', { env })] });
    await bench.apply(one);
    const waiting = () => bench.report(one).status.containerStatuses?.[0]?.state?.waiting;
    expect(waiting()).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'configmap "cfg" not found',
    });
    expect(bench.events.at(-1)).toBe('Failed: Error: configmap "cfg" not found');
    bench.configMaps.set('default/cfg', { other: '1' });
    bench.state.put('configmaps/default/cfg', {});
    await bench.settle();
    expect(waiting()?.message).toBe("couldn't find key k in ConfigMap default/cfg");
    bench.configMaps.set('default/cfg', { k: 'v' });
    bench.state.put('configmaps/default/cfg', {});
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web']);
    expect(bench.runtime.specs.get('id0')?.env).toContainEqual({ name: 'A', value: 'v' });
  });

  it('waits for the first services, and what runs keeps the environment that it has', async () => {
    const api = (clusterIP: string) => ({
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP, ports: [{ port: 443 }] },
    });
    bench.state.put('cluster//network', { clusterDomain: 'cluster.local' });
    await bench.start();
    const one = pod('p', {}, { namespace: 'shop' });
    await bench.apply(one);
    expect(bench.report(one).status.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'CreateContainerConfigError',
      message: 'services have not yet been read at least once, cannot construct envvars',
    });
    bench.state.put('services/default/kubernetes', api('10.43.0.1'));
    await bench.settle();
    const host = (id: string) =>
      bench.runtime.specs.get(id)?.env.find(({ name }) => name === 'KUBERNETES_SERVICE_HOST')
        ?.value;
    expect(host('id0')).toBe('10.43.0.1');
    const { setUps } = bench.volumes;
    bench.state.put('services/default/kubernetes', api('10.43.0.2'));
    bench.state.put('endpointslices/shop/web-x', {});
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web']);
    expect(bench.volumes.setUps).toBe(setUps);
    await bench.exit('web', 1);
    expect(host('id1')).toBe('10.43.0.2');
  });

  it('starts from a state of before there were services', async () => {
    const one = pod('p');
    await bench.apply(one);
    await bench.start();
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('goes from ErrImagePull to ImagePullBackOff and pulls again after the delay', async () => {
    await bench.start();
    const one = pod('p', { containers: [container('web', { image: 'gone:1' })] });
    await bench.apply(one);
    const waiting = () => bench.report(one).status.containerStatuses?.[0]?.state?.waiting;
    expect(waiting()).toEqual({ reason: 'ErrImagePull', message: 'no route to host' });
    await bench.advance(1000);
    expect(waiting()).toEqual({
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "gone:1": ErrImagePull: no route to host',
    });
    expect(bench.report(one).status.phase).toBe('Pending');
    bench.runtime.pullable.add('docker.io/library/gone:1');
    await bench.advance(9000);
    expect(bench.runtime.running()).toEqual(['web']);
    expect(bench.events).toEqual([
      'Pulling: Pulling image "gone:1"',
      'Failed: Failed to pull image "gone:1": no route to host',
      'Failed: Error: ErrImagePull',
      'BackOff: Back-off pulling image "gone:1"',
      'Failed: Error: ImagePullBackOff',
      'Pulling: Pulling image "gone:1"',
      expect.stringMatching(/^Pulled: Successfully pulled image "gone:1" in /),
      'Created: Created container: web',
      'Started: Started container web',
    ]);
  });

  it('pulls for policy Always although the image is there', async () => {
    await bench.start();
    const one = pod('p', { containers: [container('web', { imagePullPolicy: 'Always' })] });
    await bench.apply(one);
    expect(bench.report(one).status.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
      'ErrImagePull',
    );
  });

  it('refuses to pull for policy Never, and names an image that is none', async () => {
    await bench.start();
    const one = pod('p', {
      containers: [
        container('a', { image: 'gone:1', imagePullPolicy: 'Never' }),
        container('b', { image: 'UPPER:1' }),
      ],
    });
    await bench.apply(one);
    expect(bench.report(one).status.containerStatuses?.map(({ state }) => state?.waiting)).toEqual([
      {
        reason: 'ErrImageNeverPull',
        message: 'Container image "gone:1" is not present with pull policy of Never',
      },
      {
        reason: 'InvalidImageName',
        message:
          'Failed to apply default image tag "UPPER:1": couldn\'t parse image name "UPPER:1": invalid reference format: repository name (library/UPPER) must be lowercase',
      },
    ]);
    bench.runtime.addImage('docker.io/library/gone:1');
    await bench.advance(60_000);
    expect(bench.runtime.running()).toEqual(['a']);
  });

  it('deletes a pod whose pull is still under way', async () => {
    await bench.start();
    bench.runtime.pullGate = new Promise(() => {});
    const one = pod('p', { containers: [container('web', { image: 'gone:1' })] });
    await bench.apply(one);
    await bench.apply(deleted(one));
    expect(bench.report(one).gone).toBe(true);
  });

  it('tries a refused creation again, and shows why it waits', async () => {
    await bench.start();
    bench.runtime.createError = new RuntimeError('CreateContainerError', 'no space left');
    const one = pod('p');
    await bench.apply(one);
    expect(bench.report(one).status.containerStatuses?.[0]?.state?.waiting).toEqual({
      reason: 'CreateContainerError',
      message: 'no space left',
    });
    bench.runtime.createError = undefined;
    await bench.advance(10_000);
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('counts a container that cannot start as an end, with its message', async () => {
    await bench.start();
    bench.runtime.startErrors.set('web', 'exec: "nope": not found');
    const one = pod('p');
    await bench.apply(one);
    const status = bench.report(one).status.containerStatuses?.[0];
    expect(status?.state?.waiting?.reason).toBe('CrashLoopBackOff');
    expect(status?.lastState?.terminated).toMatchObject({
      reason: 'StartError',
      exitCode: 128,
      message: 'exec: "nope": not found',
    });
  });

  it('fails a pod that is over its deadline', async () => {
    await bench.start();
    const one = pod('p', { activeDeadlineSeconds: 60 });
    await bench.apply(one);
    await bench.advance(60_000);
    expect(bench.runtime.running()).toEqual([]);
    expect(bench.report(one).status).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  it('says why a sandbox could not be made and tries again, sooner when the node changed', async () => {
    await bench.start();
    bench.network.error = new Error('the node has no pod CIDR yet');
    const one = pod('p');
    await bench.apply(one);
    expect(bench.events).toEqual([
      'FailedCreatePodSandBox: Failed to create pod sandbox: the node has no pod CIDR yet',
    ]);
    expect(bench.report(one).status.containerStatuses?.[0]?.state?.waiting?.reason).toBe(
      'ContainerCreating',
    );
    bench.network.error = undefined;
    bench.state.put('nodes//node1', {});
    await bench.settle();
    expect(bench.runtime.running()).toEqual(['web']);
  });

  it('reads the termination message, or the end of the log when asked to', async () => {
    await bench.start();
    bench.volumes.messages.set('a', 'from the file');
    bench.logs.tailText = 'from the log';
    const one = pod('p', {
      restartPolicy: 'Never',
      containers: [
        container('a'),
        container('b', { terminationMessagePolicy: 'FallbackToLogsOnError' }),
      ],
    });
    await bench.apply(one);
    await bench.exit('a', 1);
    await bench.exit('b', 1);
    const messages = bench
      .report(one)
      .status.containerStatuses?.map(({ state }) => state?.terminated?.message);
    expect(messages).toEqual(['from the file', 'from the log']);
  });

  it('keeps the container before the present one and removes older ones', async () => {
    await bench.start();
    await bench.apply(pod('p'));
    for (let i = 0; i < 3; i++) {
      await bench.exit('web', 1);
      while (bench.runtime.running().length === 0) await bench.advance(bench.clock.nextInMs ?? 0);
    }
    expect([...bench.runtime.containers.keys()]).toEqual(['id2', 'id3']);
  });

  it('reports a status once, however often the pod is looked at', async () => {
    await bench.start();
    const one = pod('p');
    await bench.apply(one);
    const { length } = bench.reports;
    bench.worker.wake(one.metadata.uid);
    await bench.apply({ ...one, status: { phase: 'Running' } });
    expect(bench.reports.length).toBe(length);
    expect(bench.runtime.calls.filter((call) => call === 'list')).toHaveLength(1);
  });
});
