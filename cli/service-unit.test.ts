import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { enabledUnits, installedUnits, unitOf, unitOfProcess } from './service-unit.ts';

test('a process of a unit of ours is known by its cgroup, of either version', () => {
  expect(unitOf('0::/system.slice/skerry-agent.service\n')).toBe('skerry-agent.service');
  const mixed =
    '4:memory:/system.slice/skerry-master.service\n1:name=systemd:/system.slice/skerry-master.service\n0::/\n';
  expect(unitOf(mixed)).toBe('skerry-master.service');
});

test('units that are installed are found, whether they run or not', async () => {
  const repository = new URL('../systemd', import.meta.url).pathname;
  expect(await installedUnits(repository)).toEqual([
    'skerry-agent.service',
    'skerry-master.service',
  ]);
  expect(await installedUnits('/nonexistent')).toEqual([]);
});

test('units that the next boot starts are found', async () => {
  const wants = mkdtempSync(join(tmpdir(), 'skerry-wants-'));
  symlinkSync('/usr/lib/systemd/system/skerry-agent.service', join(wants, 'skerry-agent.service'));
  symlinkSync('/usr/lib/systemd/system/cron.service', join(wants, 'cron.service'));
  expect(await enabledUnits(wants)).toEqual(['skerry-agent.service']);
  rmSync(wants, { recursive: true });
  expect(await enabledUnits(wants)).toEqual([]);
});

test('a process of another unit, of a shell or of none is no unit of ours', async () => {
  expect(unitOf('0::/user.slice/user-0.slice/session-1.scope\n')).toBeUndefined();
  expect(unitOf('0::/system.slice/not-skerry-agent.service.d\n')).toBeUndefined();
  expect(await unitOfProcess(process.pid)).toBeUndefined();
});
