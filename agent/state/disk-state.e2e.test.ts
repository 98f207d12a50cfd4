import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentLogger } from '../../shared/silent-logger.ts';
import { Identity } from '../link/identity.ts';
import { DiskState } from './disk-state.ts';

let disk: string;

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'skerry-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'skerry-full', disk]);
});

afterEach(() => {
  execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});

it('a start on a full disk names the file that cannot be written', async () => {
  const remedy =
    'cannot be written (ENOSPC: no space left on device, write): make room on its disk';
  const state = new DiskState({
    folder: join(disk, 'state'),
    unseal: () => ({}),
    logger: silentLogger,
  });
  await state.open();
  const agent = join(disk, 'agent');
  mkdirSync(agent);
  expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(2 ** 20))).toThrow('ENOSPC');
  const record = { filler: 'x'.repeat(8192) };
  await expect(state.savePodRecord('u', record)).rejects.toThrow(
    `${disk}/state/state.log ${remedy}`,
  );
  await state.close();
  await expect(new Identity(agent).open()).rejects.toThrow(`${agent}/id ${remedy}`);
  rmSync(join(disk, 'filler'));
  await new Identity(agent).open();
});
