import { execFileSync } from 'node:child_process';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { leanModules } from './lean-modules.ts';

/** What a program prints that is bundled as dist/ is. */
async function output(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: new URL('..', import.meta.url).pathname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    plugins: [leanModules],
  });
  const program = outputFiles[0]?.text ?? '';
  return execFileSync(process.execPath, ['--input-type=module', '-'], {
    input: program.replace('import.meta.url', '"file:///"'),
    encoding: 'utf8',
  }).trim();
}

test('named and default imports of a builtin module are what they are in Node.js', async () => {
  const source = `import http, { METHODS } from 'http'; import * as path from 'node:path';
    console.log(http.METHODS === METHODS, typeof http.createServer, path.join('a', 'b'));`;
  expect(await output(source)).toBe('true function a/b');
});

test('nothing that node:http offers is loaded before it is used', async () => {
  const source = `import { request } from 'node:http';
    console.log(typeof request, process.moduleLoadList.some((name) => name.includes('undici')));`;
  expect(await output(source)).toBe('function false');
});

test('streams of packages are those of Node.js', async () => {
  const source = `import { Readable } from 'readable-stream'; import { Readable as own } from 'node:stream';
    console.log(Readable === own);`;
  expect(await output(source)).toBe('true');
});

test('what loads by its first call works when it is called, classes too', async () => {
  const source = `import { Agent } from 'node:https'; import { mkdtemp, open, rm } from 'node:fs/promises';
    const loaded = () => ['https', 'fs/promises'].filter((name) => process.moduleLoadList.includes('NativeModule ' + name));
    const folder = await mkdtemp('/tmp/skerry-lean-');
    const before = loaded();
    const agent = new Agent({ maxSockets: 7 });
    await (await open(folder)).close();
    await rm(folder, { recursive: true });
    console.log(before.length, agent.maxSockets, agent instanceof Agent, loaded().join());`;
  expect(await output(source)).toBe('0 7 true https,fs/promises');
});
