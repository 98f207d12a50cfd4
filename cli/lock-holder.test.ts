import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLockHolder } from './lock-holder.ts';

let folder: string;
let lock: Server;
let asked: Promise<Socket>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-lock-holder-'));
  lock = createServer();
  asked = new Promise((resolve) => lock.once('connection', resolve));
});
afterEach(() => {
  lock.close();
  rmSync(folder, { recursive: true });
});

/** This process takes the folder, under its own number or another. */
async function hold(pid: number): Promise<string> {
  const path = join(folder, `lock-${pid}-00ff`);
  await new Promise<void>((resolve) => lock.listen(path, resolve));
  return path;
}

test('who holds a folder is told, and asked no more once that is enough', async () => {
  await hold(process.pid);
  const holder = await findLockHolder(folder);
  expect(holder?.pid).toBe(process.pid);
  const question = await asked;
  question.resume();
  const closed = new Promise((resolve) => question.once('close', resolve));
  holder?.release();
  await closed;
});

test('a holder is proven by the socket that it has open', async () => {
  await hold(process.pid);
  const holder = await findLockHolder(folder);
  expect(await holder?.isProven()).toBe(true);
  holder?.release();
});

test.each([1, process.ppid, 0, 999_999_999])(
  'a holder that names process %i in its place is not proven',
  async (pid) => {
    await hold(pid);
    const holder = await findLockHolder(folder);
    expect(holder?.pid).toBe(pid);
    expect(await holder?.isProven()).toBe(false);
    holder?.release();
  },
);

test.runIf(process.getuid?.() === 0)(
  'a lock that another user laid down proves nothing of a process, whatever that has open',
  async () => {
    const path = await hold(process.pid);
    chownSync(path, 65_534, 65_534);
    const holder = await findLockHolder(folder);
    expect(await holder?.isProven()).toBe(false);
    holder?.release();
  },
);

test('the same name elsewhere does not hide who holds a folder', async () => {
  const stranger = createServer();
  mkdirSync(join(folder, 'elsewhere'));
  const theirs = join(folder, 'elsewhere', `lock-${process.pid}-00ff`);
  await new Promise<void>((resolve) => stranger.listen(theirs, resolve));
  await hold(process.pid);
  const holder = await findLockHolder(folder);
  expect(await holder?.isProven()).toBe(true);
  holder?.release();
  stranger.close();
});

test('a holder that hangs is found, proven, and seen to end', async () => {
  const program = `require('net').createServer().listen(process.argv[1] + '/lock-' + process.pid + '-00ff', () => console.log())`;
  const hung = spawn(process.execPath, ['-e', program, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => hung.stdout.once('data', resolve));
  hung.kill('SIGSTOP');
  const holder = await findLockHolder(folder);
  expect(holder?.pid).toBe(hung.pid);
  expect(await holder?.isProven()).toBe(true);
  hung.kill('SIGKILL');
  await holder?.ended;
  expect(await findLockHolder(folder)).toBeUndefined();
});

test('the end of the holder is noticed', async () => {
  await hold(process.pid);
  const holder = await findLockHolder(folder);
  (await asked).destroy();
  await holder?.ended;
});

test('a folder that nobody holds has no holder', async () => {
  expect(await findLockHolder(folder)).toBeUndefined();
  expect(await findLockHolder(join(folder, 'none'))).toBeUndefined();
});
