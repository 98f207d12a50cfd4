import { describe, expect, it } from 'vitest';
import { cgroupFolder, parseCgroupMounts, removeCgroupTree } from './cgroup.ts';

const V2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n';
const V1 = [
  'tmpfs /sys/fs/cgroup tmpfs rw 0 0',
  'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0',
  'cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0',
  'cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0',
].join('\n');
const UNIFIED = '\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0';

describe('parseCgroupMounts', () => {
  it('tells the three layouts apart', () => {
    expect(parseCgroupMounts(V2)).toMatchObject({ mode: 'unified', unifiedRoot: '/sys/fs/cgroup' });
    expect(parseCgroupMounts(V1).mode).toBe('legacy');
    expect(parseCgroupMounts(V1 + UNIFIED)).toMatchObject({
      mode: 'hybrid',
      unifiedRoot: '/sys/fs/cgroup/unified',
    });
  });

  it('knows each controller’s folder', () => {
    const v1 = parseCgroupMounts(V1);
    expect(cgroupFolder(v1, 'cpu', '/a')).toBe('/sys/fs/cgroup/cpu,cpuacct/a');
    expect(cgroupFolder(v1, 'pids', '/a')).toBeUndefined();
    expect(cgroupFolder(parseCgroupMounts(V2), 'pids', '/a')).toBe('/sys/fs/cgroup/a');
  });
});

it.each(['', '/', '/a/../..'])('refuses to remove %j', (path) => {
  expect(() => removeCgroupTree(parseCgroupMounts(V2), path)).toThrow('not a cgroup to remove');
});
