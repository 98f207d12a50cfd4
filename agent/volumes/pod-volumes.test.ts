import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod, Volume } from '../../shared/schema/kubernetes-types.ts';
import type { PodSources, Sandbox } from '../pods/collaborators.ts';
import { container, pod } from '../pods/testing/pod-bench.ts';
import { NodePodVolumes } from './pod-volumes.ts';

let root: string;
let volumes: NodePodVolumes;
let configMaps: Map<string, Record<string, string>>;
let binaries: Map<string, Record<string, string>>;

const sandbox: Sandbox = {
  podUid: 'uid-p',
  ip: '10.42.0.2',
  hostIp: '192.0.2.1',
  namespaces: { network: '', ipc: '', uts: '' },
  hostname: 'p',
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-volumes-'));
  configMaps = new Map([['default/cfg', { 'a.txt': 'one', 'b.txt': 'two' }]]);
  binaries = new Map();
  const sources: PodSources = {
    configMap: (namespace, name) => configMaps.get(`${namespace}/${name}`),
    configMapBinary: (namespace, name) => binaries.get(`${namespace}/${name}`),
    secret: () => undefined,
    services: () => [],
  };
  volumes = new NodePodVolumes({
    diskRoot: join(root, 'pods'),
    memoryRoot: join(root, 'memory'),
    sources,
    node: {
      name: 'node1',
      ip: () => '192.0.2.1',
      memoryBytes: 1 << 30,
      allocatable: () => ({ cpuMilli: 2000, memoryBytes: 1 << 30 }),
    },
    clusterDomain: () => 'cluster.local',
  });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function withVolume(volume: Volume, more: Partial<Pod['spec']> = {}): Pod {
  return pod('p', { volumes: [volume], ...more });
}

async function pathOf(volume: Volume): Promise<string> {
  const path = (await volumes.setUp(withVolume(volume))).get(volume.name);
  if (path === undefined) throw new Error('no path');
  return path;
}

async function failureOf(volume: Volume): Promise<string> {
  return await volumes.setUp(withVolume(volume)).then(
    () => 'none',
    (error: Error) => error.message,
  );
}

describe('a configMap volume', () => {
  it('shows each key as a file, behind one link', async () => {
    binaries.set('default/cfg', { raw: Buffer.from([0, 255]).toString('base64') });
    const path = await pathOf({ name: 'v', configMap: { name: 'cfg' } });
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('one');
    expect([...readFileSync(join(path, 'raw'))]).toEqual([0, 255]);
    expect(readlinkSync(join(path, 'a.txt'))).toBe('..data/a.txt');
    expect(statSync(join(path, 'a.txt')).mode & 0o777).toBe(0o644);
  });

  it('swaps all of its files at once when the ConfigMap changes, and leaves nothing of the old ones', async () => {
    const volume = { name: 'v', configMap: { name: 'cfg' } };
    const path = await pathOf(volume);
    const before = readlinkSync(join(path, '..data'));
    await pathOf(volume);
    expect(readlinkSync(join(path, '..data'))).toBe(before);
    configMaps.set('default/cfg', { 'a.txt': 'new', c: 'three' });
    await pathOf(volume);
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('new');
    expect(
      readdirSync(path)
        .filter((name) => !name.startsWith('..'))
        .sort(),
    ).toEqual(['a.txt', 'c']);
    expect(readdirSync(path)).toHaveLength(4);
    expect(readlinkSync(join(path, '..data'))).not.toBe(before);
  });

  it('takes the keys of items to their paths, with their modes', async () => {
    const path = await pathOf({
      name: 'v',
      configMap: {
        name: 'cfg',
        defaultMode: 0o600,
        items: [
          { key: 'a.txt', path: 'x/y', mode: 0o400 },
          { key: 'b.txt', path: 'z' },
        ],
      },
    });
    expect(readFileSync(join(path, 'x/y'), 'utf8')).toBe('one');
    expect(statSync(join(path, 'x/y')).mode & 0o777).toBe(0o400);
    expect(statSync(join(path, 'z')).mode & 0o777).toBe(0o600);
  });

  it('says what is missing, unless it is optional', async () => {
    expect(await failureOf({ name: 'v', configMap: { name: 'none' } })).toBe(
      'MountVolume.SetUp failed for volume "v" : configmap "none" not found',
    );
    expect(
      await failureOf({ name: 'v', configMap: { name: 'cfg', items: [{ key: 'k', path: 'k' }] } }),
    ).toBe(
      'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: k',
    );
    const path = await pathOf({ name: 'v', configMap: { name: 'none', optional: true } });
    expect(readdirSync(path).filter((name) => !name.startsWith('..'))).toEqual([]);
  });
});

describe('a hostPath volume', () => {
  it('checks what its type demands', async () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    const prefix = 'MountVolume.SetUp failed for volume "v" : hostPath type check failed:';
    const check = (path: string, type: string) =>
      failureOf({ name: 'v', hostPath: { path, type } });
    expect(await check(file, 'Directory')).toBe(`${prefix} ${file} is not a directory`);
    expect(await check(root, 'File')).toBe(`${prefix} ${root} is not a file`);
    expect(await check(file, 'Socket')).toBe(`${prefix} ${file} is not a socket file`);
    expect(await check('/dev/null', 'BlockDevice')).toBe(
      `${prefix} /dev/null is not a block device`,
    );
    expect(await check('/dev/null', 'CharDevice')).toBe('none');
    expect(await check(join(root, 'new'), 'File')).toBe(
      `${prefix} ${join(root, 'new')} is not a file`,
    );
  });

  it('creates what its type allows to', async () => {
    await pathOf({ name: 'v', hostPath: { path: join(root, 'a/b'), type: 'DirectoryOrCreate' } });
    await pathOf({ name: 'v', hostPath: { path: join(root, 'a/f'), type: 'FileOrCreate' } });
    expect(statSync(join(root, 'a/b')).mode & 0o777).toBe(0o755);
    expect(statSync(join(root, 'a/f')).isFile()).toBe(true);
  });
});

describe('other volumes', () => {
  it('an emptyDir is open to every user and keeps what is in it', async () => {
    const path = await pathOf({ name: 'v', emptyDir: {} });
    expect(statSync(path).mode & 0o777).toBe(0o777);
    writeFileSync(join(path, 'kept'), '');
    await pathOf({ name: 'v', emptyDir: {} });
    expect(readdirSync(path)).toEqual(['kept']);
  });

  it('a downwardAPI volume shows fields of the pod', async () => {
    const one = withVolume({
      name: 'v',
      downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] },
    });
    one.metadata.labels = { b: '2', a: 'say "x"' };
    const path = (await volumes.setUp(one)).get('v') ?? '';
    expect(readFileSync(join(path, 'labels'), 'utf8')).toBe('a="say \\"x\\""\nb="2"');
  });

  it('a type that is not served is refused', async () => {
    expect(await failureOf({ name: 'v', nfs: { server: 's', path: '/' } })).toBe(
      'MountVolume.SetUp failed for volume "v" : no volume plugin matched',
    );
  });
});

describe('the mounts of a container', () => {
  it('are its volumes and the managed files, which a mount of its own replaces', async () => {
    const volumeMounts = [
      { name: 'v', mountPath: '/cfg' },
      { name: 'h', mountPath: '/etc/hosts', readOnly: true },
    ];
    const one = pod('p', {
      containers: [container('web', { volumeMounts })],
      volumes: [
        { name: 'v', configMap: { name: 'cfg' } },
        { name: 'h', hostPath: { path: '/etc/hosts' } },
      ],
    });
    const paths = await volumes.setUp(one);
    const mounts = await volumes.mounts(one, 'web', paths, sandbox);
    expect(mounts.map(({ target, readOnly }) => `${target} ${readOnly}`)).toEqual([
      '/cfg true',
      '/etc/hosts true',
      '/etc/resolv.conf false',
      '/etc/hostname false',
      '/dev/termination-log false',
    ]);
    expect(mounts[1]?.source).toBe('/etc/hosts');
  });

  it('have a hosts file with the pod and its aliases', async () => {
    const one = pod('p', {
      subdomain: 'sub',
      hostAliases: [{ ip: '192.0.2.7', hostnames: ['x', 'y'] }],
    });
    const mounts = await volumes.mounts(one, 'web', new Map(), sandbox);
    const hosts = readFileSync(
      mounts.find(({ target }) => target === '/etc/hosts')?.source ?? '',
      'utf8',
    );
    expect(hosts).toContain('\n10.42.0.2\tp.sub.default.svc.cluster.local\tp\n');
    expect(hosts.endsWith('\n# Entries added by HostAliases.\n192.0.2.7\tx\ty\n')).toBe(true);
  });

  it('give the termination message of the last run only', async () => {
    const one = pod('p');
    const [log] = (await volumes.mounts(one, 'web', new Map(), sandbox)).slice(-1);
    writeFileSync(log?.source ?? '', 'bye');
    expect(await volumes.terminationMessage('uid-p', 'web')).toBe('bye');
    await volumes.mounts(one, 'web', new Map(), sandbox);
    expect(await volumes.terminationMessage('uid-p', 'web')).toBe('');
    expect(await volumes.terminationMessage('uid-p', 'none')).toBe('');
  });
});

describe('a torn down pod', () => {
  it('leaves no folder, and a second time changes nothing', async () => {
    await pathOf({ name: 'v', emptyDir: {} });
    mkdirSync(join(root, 'memory/uid-p'), { recursive: true });
    expect(await volumes.list()).toEqual(['uid-p']);
    await volumes.tearDown('uid-p');
    await volumes.tearDown('uid-p');
    expect(await volumes.list()).toEqual([]);
  });
});
