import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../shared/silent-logger.ts';
import { purgeAgent } from './down.ts';
import { childCgroups, detectCgroups } from './host/cgroup.ts';
import { runCommand } from './host/command.ts';
import { mountsUnder } from './host/tmpfs.ts';

/** A purge of what a killed agent left, at any point of a purge before. */
let dataDir: string;
let agentId: string;
let runDir: string;
let counter = 0;

beforeEach(async () => {
  counter += 1;
  agentId = `${hex(process.pid, 8)}${hex(counter, 4)}`;
  dataDir = mkdtempSync(join(tmpdir(), 'skerry-down-'));
  runDir = `/run/skerry/${agentId}`;
  mkdirSync(join(dataDir, 'agent/state'), { recursive: true });
  writeFileSync(join(dataDir, 'agent/id'), `${agentId}\n`);
  writeFileSync(join(dataDir, 'agent/state/log'), 'x');
  await leaveMachineParts();
});

afterEach(async () => {
  await purgeAgent(dataDir, silentLogger);
  rmSync(dataDir, { recursive: true, force: true });
});

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

async function leaveMachineParts(): Promise<void> {
  const shm = join(runDir, 'volumes/uid/.shm');
  mkdirSync(shm, { recursive: true });
  await runCommand('mount', ['-t', 'tmpfs', 'tmpfs', shm]);
  const [controller] = [...detectCgroups().controllers.values()];
  const root = detectCgroups().unifiedRoot ?? controller ?? '';
  mkdirSync(join(root, `skerry-${agentId}/poduid/container`), { recursive: true });
}

function expectNothing(): void {
  expect(existsSync(join(dataDir, 'agent'))).toBe(false);
  expect(existsSync(runDir)).toBe(false);
  expect(mountsUnder(runDir)).toEqual([]);
  expect(childCgroups(detectCgroups(), '/')).not.toContain(`skerry-${agentId}`);
}

describe('purgeAgent', () => {
  it('leaves no mount, cgroup or file, and may be repeated', async () => {
    await purgeAgent(dataDir, silentLogger);
    expectNothing();
    expect(existsSync('/run/skerry') && readdirSync('/run/skerry').length === 0).toBe(false);
    await purgeAgent(dataDir, silentLogger);
    expectNothing();
  });

  it('finishes one that was cut off when only the id was left of the data', async () => {
    rmSync(join(dataDir, 'agent/state'), { recursive: true });
    await purgeAgent(dataDir, silentLogger);
    expectNothing();
  });

  it('keeps the id while a part of the rest cannot be removed', async () => {
    // Where the file system has no such flag, nothing fails and the purge just ends.
    const stubborn = join(dataDir, 'agent/state/log');
    await runCommand('chattr', ['+i', stubborn], { allowFailure: true });
    const outcome = await purgeAgent(dataDir, silentLogger).catch((error: Error) => error);
    await runCommand('chattr', ['-i', stubborn], { allowFailure: true });
    if (outcome instanceof Error) expect(existsSync(join(dataDir, 'agent/id'))).toBe(true);
    await purgeAgent(dataDir, silentLogger);
    expectNothing();
  });

  it('without an id removes the data, but nothing that a mount shows there', async () => {
    const host = join(dataDir, 'host');
    await purgeAgent(dataDir, silentLogger);
    const bound = join(dataDir, 'agent/pods/uid/volume-subpaths/h/web/0');
    mkdirSync(host);
    mkdirSync(bound, { recursive: true });
    writeFileSync(join(host, 'kept'), 'x');
    await runCommand('mount', ['--bind', host, bound]);
    await purgeAgent(dataDir, silentLogger);
    expect(existsSync(join(host, 'kept'))).toBe(true);
    expect(existsSync(join(dataDir, 'agent'))).toBe(false);
  });
});
