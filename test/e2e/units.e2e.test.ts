import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './run.ts';

const UNITS = 'usr/lib/systemd/system';
const root = mkdtempSync(join(tmpdir(), 'skerry-units-'));

// A machine's folders as far as `systemd-analyze --root` looks: systemd's own targets, our units, and what they start.
beforeAll(() => {
  mkdirSync(join(root, UNITS), { recursive: true });
  mkdirSync(join(root, 'etc'));
  for (const name of readdirSync(`/${UNITS}`)) {
    if (/\.(target|slice)$/.test(name)) cpSync(`/${UNITS}/${name}`, join(root, UNITS, name));
  }
  cpSync(new URL('../../systemd', import.meta.url), join(root, UNITS), { recursive: true });
  for (const side of ['master', 'agent']) {
    const bin = join(root, `usr/lib/skerry/${side}/bin`);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'skerry'), '#!/bin/sh\n');
    chmodSync(join(bin, 'skerry'), 0o755);
  }
});
afterAll(() => rmSync(root, { recursive: true }));

const analyze = (...args: string[]) =>
  run('systemd-analyze', [`--root=${root}`, '--no-pager', ...args]);
const unit = (side: string) => join(root, UNITS, `skerry-${side}.service`);

test.each(['master', 'agent'])('systemd knows every option of skerry-%s', async (side) => {
  expect(await analyze('--man=no', 'verify', unit(side))).toMatchObject({
    code: 0,
    stdout: '',
    stderr: '',
  });
});

test('systemd calls the exposure of the master low; the agent, which makes containers, has none of its protections', async () => {
  const exposure = async (side: string) => {
    const { stdout } = await analyze('security', '--offline=true', unit(side));
    return Number(/exposure level for .*: ([\d.]+)/.exec(stdout)?.[1]);
  };
  expect(await exposure('master')).toBeLessThanOrEqual(2);
  expect(await exposure('agent')).toBeGreaterThan(9);
});
