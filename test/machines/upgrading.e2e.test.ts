import { afterAll, beforeAll, expect, it } from 'vitest';
import { podManifest } from '../e2e/pods.ts';
import { containersOf, InstalledBed } from './installed.ts';
import type { Machine } from './machine.ts';
import { MEDIA } from './releases.ts';

/** One machine, a master with an agent, from the release before to this one, to one that does not come up, and back. */
const installed = new InstalledBed();
let machine: Machine;
let containers: string[] = [];

beforeAll(async () => {
  await installed.open();
  machine = await installed.machine('alone');
  await installed.master(machine, 'previous');
  await installed.kubectl('apply -f -', podManifest('kept'));
  await installed.kubectl('wait --for=condition=Ready pod/kept --timeout=60s');
  containers = await containersOf(machine);
}, 600_000);

afterAll(() => installed.close());

const releaseOf = async (side: string) =>
  (await machine.must(`readlink /usr/lib/skerry/${side}`)).trim();
const upgrade = (from: string, options = '') =>
  machine.run(`${MEDIA}/${from}/install.sh upgrade ${options}`);

async function works(): Promise<void> {
  await installed.kubectl('wait --for=condition=Ready node --all --timeout=60s');
  await installed.kubectl('wait --for=condition=Ready pod/kept --timeout=60s');
  expect(await containersOf(machine)).toEqual(containers);
}

it('an upgrade replaces both sides, and touches no container', async () => {
  expect(await releaseOf('master')).toMatch(/^releases\/0\.0\.9\+/);
  const result = await upgrade('this');
  expect(result.code, result.stderr).toBe(0);
  for (const side of ['master', 'agent']) {
    expect(await releaseOf(side)).not.toMatch(/0\.0\.9/);
    expect(await releaseOf(`previous-${side}`)).toMatch(/^releases\/0\.0\.9\+/);
  }
  await works();
});

it('a release that does not come up is left for the one before, side by side', async () => {
  for (const side of ['agent', 'master']) {
    const before = await releaseOf(side);
    const result = await upgrade('broken', `--side ${side} --timeout 15`);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(
      new RegExp(
        `^install\\.sh: the upgrade of ${side} to 9\\.9\\.9\\S* failed \\(.*broken.*\\), and .* runs again[^\\n]*\\n$`,
      ),
    );
    expect(await releaseOf(side)).toBe(before);
    await works();
  }
});

it('--rollback goes back to the release before', async () => {
  const result = await upgrade('this', '--rollback');
  expect(result.code, result.stderr).toBe(0);
  await works();
});
