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

it('a release that changes the form of the state and fails gets the former state put back', async () => {
  await installed.kubectl('create secret generic kept --from-literal=word=secret');
  for (const side of ['master', 'agent']) {
    const before = await machine.must(`cat /var/lib/skerry/${side}/format`);
    const result = await upgrade('raising', `--side ${side} --timeout 15`);
    expect(result.stderr).toMatch(
      /^install\.sh: the upgrade of \S+ to 9\.9\.8\S* failed \(this release fails after[^\n]* runs again[^\n]*\n$/,
    );
    expect(await machine.must(`cat /var/lib/skerry/${side}/format`)).toBe(before);
    await works();
  }
  expect(await installed.kubectl('get secret kept -o jsonpath={.data.word}')).toBe('c2VjcmV0');
  expect(await machine.must('ls -A /var/lib/skerry')).toBe('agent\nmaster\n');
});

it('a release that the master does not serve is left for the one before, also when the link was just down', async () => {
  const before = await releaseOf('agent');
  // Long enough for a pause before the next connection.
  await machine.must('systemctl stop skerry-master && sleep 6 && systemctl start skerry-master');
  const result = await upgrade('apart', '--side agent');
  expect(result.stderr).toMatch(
    /^install\.sh: the upgrade of agent to 9\.9\.7\S* failed \(the master does not serve this device: [^\n]* runs again[^\n]*\n$/,
  );
  expect(await releaseOf('agent')).toBe(before);
  await works();
});

it('an upgrade that is killed, whenever, is ended by the next run', async () => {
  for (const [from, step] of [
    ['previous', 'stage release'],
    ['this', 'upgrade side master'],
    ['previous', 'upgrade side agent'],
  ] as const) {
    await machine.must(
      `setsid ${MEDIA}/${from}/install.sh upgrade >/tmp/log 2>&1 & upgrade=$!; until grep -q '^==> ${step}' /tmp/log; do sleep 0.02; done; sleep 0.1; kill -9 -$upgrade`,
    );
    const again = await upgrade(from);
    expect(again.code, again.stderr).toBe(0);
    const release = await releaseOf('current');
    expect([await releaseOf('master'), await releaseOf('agent')]).toEqual([release, release]);
    await works();
  }
});

it('--rollback goes back to the release before', async () => {
  const result = await upgrade('this', '--rollback');
  expect(result.code, result.stderr).toBe(0);
  await works();
});

it('a master that is given another port keeps the agent of its own machine', async () => {
  await machine.must(`${MEDIA}/this/install.sh master --listen 0.0.0.0:7443`);
  const status = await machine.until('skerry status --local');
  expect(status).toMatch(/link +up, to https:\/\/127\.0\.0\.1:7443/);
});
