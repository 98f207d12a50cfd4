import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { socketAnswers } from './local-socket.ts';

it('a socket answers while its server listens, and no other file does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-socket-'));
  const path = join(folder, 'socket');
  expect(await socketAnswers(path)).toBe(false);
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  expect(await socketAnswers(path)).toBe(true);
  await new Promise((resolve) => server.close(resolve));
  writeFileSync(path, '');
  expect(await socketAnswers(path)).toBe(false);
  rmSync(folder, { recursive: true });
});
