import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'skerry-lean-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('an agent has no module of Node.js loaded that only joining, probes or a WebSocket need', async () => {
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')));`,
  );
  const program = join(process.env['SKERRY_E2E_DIST'] ?? '', 'lib/skerry.mjs');
  const { code, stderr } = await run(process.execPath, [
    '--require',
    hook,
    program,
    'agent',
    '--help',
  ]);
  expect(code).toBe(0);
  const loaded = stderr.split('\n').map((line) => line.replace('NativeModule ', ''));
  expect(loaded).toContain('tls');
  const costly = [
    'fs/promises',
    'http',
    'https',
    'http2',
    'zlib',
    'perf_hooks',
    'internal/crypto/webcrypto',
  ];
  expect(loaded.filter((name) => costly.includes(name))).toEqual([]);
});
