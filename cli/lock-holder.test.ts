import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findLockHolder } from './lock-holder.ts';

let folder: string;
let lock: Server;
let asked: Promise<Socket>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-lock-holder-'));
  const { dev, ino } = statSync(folder, { bigint: true });
  lock = createServer((socket) => {
    socket.write('4711\n');
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
  expect(holder?.pid).toBe(4711);
  const question = await asked;
  const closed = new Promise((resolve) => question.once('close', resolve));
  holder?.release();
  await closed;
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
