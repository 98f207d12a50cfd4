import { describe, expect, it } from 'vitest';
import { containerSpec } from './container-spec-builder.ts';
import { containerUser } from './container-user.ts';
import { argumentsOf, type OciSurroundings, ociSpec } from './oci-spec.ts';
import type { ContainerSpec } from './runtime.ts';

const AROUND: OciSurroundings = {
  rootPath: '/run/root',
  image: {
    imageId: 'x',
    entrypoint: ['/entry'],
    cmd: ['default'],
    env: ['PATH=/image', 'A=image', 'B=image'],
    user: '',
    workingDir: '/srv',
    stopSignal: '',
  },
  user: { uid: 0, gid: 0, additionalGids: [], home: '/root' },
  cgroupsPath: '/skerry-a1/podx/id',
  cgroupVersion: 2,
  swapLimit: true,
  availableCapabilities: new Set(['CHOWN', 'NET_ADMIN']),
  hostDevices: [
    { path: '/dev/kmsg', type: 'c', major: 1, minor: 11, fileMode: 0o644, uid: 0, gid: 0 },
  ],
  annotations: { group: 'pod' },
};

interface Spec {
  process: {
    env: string[];
    cwd: string;
    noNewPrivileges: boolean;
    capabilities: { effective: string[]; ambient?: string[] };
  };
  mounts: { destination: string; options: string[] }[];
  linux: {
    namespaces: { type: string; path?: string }[];
    resources: { memory?: { limit: number; swap?: number }; devices: { allow: boolean }[] };
    devices: unknown[];
    maskedPaths: string[];
  };
}

function specOf(changes: Partial<ContainerSpec> = {}, around: Partial<OciSurroundings> = {}): Spec {
  return ociSpec(containerSpec(changes), { ...AROUND, ...around }) as unknown as Spec;
}

describe('ociSpec', () => {
  it('keeps the image’s environment beneath the container’s', () => {
    const { process } = specOf({ env: [{ name: 'A', value: 'own' }] });
    expect(process.env).toEqual(['HOME=/root', 'PATH=/image', 'HOSTNAME=web', 'A=own', 'B=image']);
    expect(process.cwd).toBe('/srv');
  });

  it('joins the pod’s namespaces and makes none for what is the host’s', () => {
    expect(specOf().linux.namespaces).toEqual([
      { type: 'pid' },
      { type: 'mount' },
      { type: 'network', path: '/run/pins/net' },
      { type: 'ipc', path: '/run/pins/ipc' },
      { type: 'uts', path: '/run/pins/uts' },
      { type: 'cgroup' },
    ]);
    const namespaces = { network: 'host', ipc: 'host', uts: 'host' };
    expect(specOf({ namespaces }, { cgroupVersion: 1 }).linux.namespaces).toEqual([
      { type: 'pid' },
      { type: 'mount' },
    ]);
  });

  it('gives only capabilities that there are, and none of them ambient', () => {
    const { capabilities } = specOf().process;
    expect(capabilities.effective).toEqual(['CAP_CHOWN']);
    expect(capabilities.ambient).toBeUndefined();
  });

  it('privileged has the devices and nothing masked', () => {
    const { linux } = specOf({ security: { ...containerSpec().security, privileged: true } });
    expect(linux.devices).toHaveLength(1);
    expect(linux.maskedPaths).toEqual([]);
    expect(linux.resources.devices).toEqual([{ allow: true, access: 'rwm' }]);
    expect(specOf().linux.devices).toEqual([]);
  });

  it('a mount of the pod replaces the engine’s at the same place', () => {
    const mounts = [{ source: '/shm', target: '/dev/shm', readOnly: false }];
    const own = specOf({ mounts }).mounts.filter(({ destination }) => destination === '/dev/shm');
    expect(own).toMatchObject([{ options: ['rbind', 'rprivate', 'rw'] }]);
  });

  it('a memory limit allows no swap, where the kernel accounts it', () => {
    const limits = { cpuShares: 2, oomScoreAdj: 0, memoryBytes: 4096 };
    expect(specOf({ limits }).linux.resources.memory).toEqual({ limit: 4096, swap: 4096 });
    const without = specOf({ limits }, { swapLimit: false });
    expect(without.linux.resources.memory).toEqual({ limit: 4096 });
  });
});

describe('argumentsOf', () => {
  it.each([
    [{}, ['/entry', 'default']],
    [{ args: ['a'] }, ['/entry', 'a']],
    [{ command: ['c'] }, ['c']],
    [{ command: ['c'], args: ['a'] }, ['c', 'a']],
  ])('%j runs %j', (spec, expected) => {
    expect(argumentsOf(spec, AROUND.image)).toEqual(expected);
  });
});

describe('containerUser', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n';
  const group = 'root:x:0:\nmedia:x:44:app,other\n';

  it.each([
    ['', { uid: 0, gid: 0, home: '/root', additionalGids: [7] }],
    ['app', { uid: 1000, gid: 1001, home: '/home/app', additionalGids: [7, 44] }],
    ['1000', { uid: 1000, gid: 1001, home: '/home/app', additionalGids: [7, 44] }],
    ['5:media', { uid: 5, gid: 44, home: '/', additionalGids: [7] }],
    ['1000:3', { uid: 1000, gid: 3, home: '/home/app', additionalGids: [7, 44] }],
  ])('%j is %j', (user, expected) => {
    expect(containerUser(user, passwd, group, [7])).toEqual(expected);
  });

  it('a name that the image does not know is an error that says so', () => {
    expect(() => containerUser('who', passwd, group, [])).toThrow('unable to find user who');
    expect(() => containerUser('app:who', passwd, group, [])).toThrow('unable to find group who');
  });
});
