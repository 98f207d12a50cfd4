import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Volume, VolumeMount } from '../../shared/schema/kubernetes-types.ts';
import { mountsUnder } from '../host/tmpfs.ts';
import type { Sandbox } from '../pods/collaborators.ts';
import { container, pod } from '../pods/testing/pod-bench.ts';
import { NodePodVolumes } from './pod-volumes.ts';

/** What needs root: mounts. */
let root: string;
let volumes: NodePodVolumes;

const sandbox: Sandbox = {
  podUid: 'uid-p',
  ip: '10.42.0.2',
  hostIp: '192.0.2.1',
  namespaces: { network: '', ipc: '', uts: '' },
  hostname: 'p',
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-volumes-'));
  volumes = new NodePodVolumes({
    diskRoot: join(root, 'pods'),
    memoryRoot: join(root, 'memory'),
    sources: {
      configMap: () => ({ file: 'text' }),
      configMapBinary: () => ({}),
      secret: () => ({ key: Buffer.from('hidden').toString('base64') }),
      services: () => [],
    },
    node: {
      name: 'node1',
      ip: () => '192.0.2.1',
      memoryBytes: 1 << 30,
      allocatable: () => ({ cpuMilli: 2000, memoryBytes: 1 << 30 }),
    },
    clusterDomain: () => 'cluster.local',
  });
});

afterEach(async () => {
  await volumes.purge();
  expect(mountsUnder(root)).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

function podWith(volume: Volume, mount: Partial<VolumeMount> = {}) {
  const volumeMounts = [{ name: volume.name, mountPath: '/v', ...mount }];
  return pod('p', { volumes: [volume], containers: [container('web', { volumeMounts })] });
}

const TMPFS = 0x01021994;

describe('volumes that are mounted', () => {
  it('pods that are set up at once share one tmpfs', async () => {
    const secret = { name: 's', secret: { secretName: 's' } };
    const pods = ['a', 'b', 'c', 'd'].map((uid) => {
      const made = podWith(secret);
      return { ...made, metadata: { ...made.metadata, uid } };
    });
    const all = await Promise.all(pods.map((one) => volumes.setUp(one)));
    expect(mountsUnder(join(root, 'memory'))).toHaveLength(1);
    for (const paths of all) expect(existsSync(join(paths.get('s') ?? '', 'key'))).toBe(true);
  });

  it('a secret lies in memory', async () => {
    const paths = await volumes.setUp(podWith({ name: 's', secret: { secretName: 's' } }));
    const path = paths.get('s') ?? '';
    expect(readFileSync(join(path, 'key'), 'utf8')).toBe('hidden');
    expect(statfsSync(path).type).toBe(TMPFS);
    expect(statSync(join(root, 'memory')).mode & 0o777).toBe(0o700);
  });

  it('an emptyDir of medium Memory is a tmpfs of its size, and goes with the pod', async () => {
    const one = podWith({ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } });
    const path = (await volumes.setUp(one)).get('m') ?? '';
    await volumes.setUp(one);
    const { blocks, bsize, type } = statfsSync(path);
    expect(type).toBe(TMPFS);
    expect(blocks * bsize).toBe(4 << 20);
    await volumes.tearDown('uid-p');
    expect(existsSync(path)).toBe(false);
  });

  it('a subPath is bound, and an update of its volume does not move it', async () => {
    const one = podWith({ name: 'c', configMap: { name: 'c' } }, { subPath: 'file' });
    const mounts = await volumes.mounts(one, 'web', await volumes.setUp(one), sandbox);
    expect(readFileSync(mounts[0]?.source ?? '', 'utf8')).toBe('text');
    await volumes.mounts(one, 'web', await volumes.setUp(one), sandbox);
    expect(mountsUnder(mounts[0]?.source ?? '')).toHaveLength(1);
  });

  it('a subPath that is missing is made, with subPathExpr from the environment', async () => {
    const one = podWith({ name: 'e', emptyDir: {} }, { subPathExpr: '$(POD)/logs' });
    one.spec.containers[0]!.env = [
      { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ];
    const paths = await volumes.setUp(one);
    const mounts = await volumes.mounts(one, 'web', paths, sandbox);
    writeFileSync(join(mounts[0]?.source ?? '', 'line'), 'x');
    expect(readFileSync(join(paths.get('e') ?? '', 'p/logs/line'), 'utf8')).toBe('x');
  });

  it('a subPath that leads out of its volume is refused', async () => {
    const one = podWith({ name: 'e', emptyDir: {} }, { subPath: 'link/passwd' });
    const paths = await volumes.setUp(one);
    symlinkSync('/etc', join(paths.get('e') ?? '', 'link'));
    await expect(volumes.mounts(one, 'web', paths, sandbox)).rejects.toThrow(
      /^failed to prepare subPath for volumeMount "e" of container "web": subpath "\/etc" not within volume path/,
    );
  });

  it('removing a pod leaves what a hostPath shows', async () => {
    const host = join(root, 'host');
    const one = podWith({ name: 'h', hostPath: { path: host } }, { subPath: 'data' });
    await volumes.mounts(one, 'web', await volumes.setUp(one), sandbox);
    writeFileSync(join(host, 'data/kept'), 'x');
    await volumes.tearDown('uid-p');
    expect(readFileSync(join(host, 'data/kept'), 'utf8')).toBe('x');
  });
});
