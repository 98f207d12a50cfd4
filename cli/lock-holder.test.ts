import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLockHolder } from './lock-holder.ts';

let folder: string;
let lock: Server;
let asked: Promise<Socket>;
let says: number | undefined;

beforeEach(async () => {
  says = process.pid;
  folder = mkdtempSync(join(tmpdir(), 'skerry-lock-holder-'));
  const { dev, ino } = statSync(folder, { bigint: true });
  lock = createServer((socket) => {
    if (says !== undefined) socket.write(`${says}\n`);
  });
  asked = new Promise((resolve) => lock.once('connection', resolve));
  await new Promise<void>((resolve) => lock.listen(`\0skerry-lock-${dev}-${ino}`, resolve));
});
afterEach(() => {
  lock.close();
  rmSync(folder, { recursive: true });
});

test('who holds a folder is told, and asked no more once that is enough', async () => {
  const holder = await findLockHolder(folder);
  expect(holder?.pid).toBe(process.pid);
  const question = await asked;
  const closed = new Promise((resolve) => question.once('close', resolve));
  holder?.release();
  await closed;
});

test('a holder is proven by the socket that it has open, not by what it says', async () => {
  const holder = await findLockHolder(folder);
  expect(await holder?.isProven()).toBe(true);
  holder?.release();
  for (const lie of [1, process.ppid, 0, -1, Number.NaN, 999_999_999]) {
    says = lie;
    const liar = await findLockHolder(folder);
    expect(await liar?.isProven()).toBe(false);
    liar?.release();
  }
});

test('a holder that hangs and answers nothing is found by its socket', async () => {
  says = undefined;
  const holder = await findLockHolder(folder, 1);
  expect(holder?.pid).toBe(process.pid);
  expect(await holder?.isProven()).toBe(true);
  holder?.release();
});

test('a holder that ends before it has answered holds nothing any more', async () => {
  says = undefined;
  const found = findLockHolder(folder, 60_000);
  (await asked).destroy();
  expect(await found).toBeUndefined();
});

test('the end of the holder is noticed', async () => {
  const holder = await findLockHolder(folder);
  (await asked).destroy();
  await holder?.ended;
});

test('a folder that nobody holds has no holder', async () => {
  expect(await findLockHolder(tmpdir())).toBeUndefined();
  expect(await findLockHolder(join(folder, 'none'))).toBeUndefined();
});
