import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from './cluster.ts';
import { mustRun, run } from './run.ts';

/** install.sh in a copy of the repository, on a PATH without Node.js. */
const root = new URL('../..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'skerry-install-'));
const copy = join(folder, 'skerry');
const dataDir = join(folder, 'data');
const env = { ...process.env, PATH: join(folder, 'bin') };
const install = (...args: string[]) => mustRun(join(copy, 'install.sh'), args, { env });

beforeAll(async () => {
  mkdirSync(copy);
  const left = ['node_modules', 'dist', '.cache', '.git'].map((name) => `--exclude=./${name}`);
  await mustRun('sh', [
    '-c',
    `tar -C "$1" ${left.join(' ')} -c . | tar -C "$2" -x`,
    'sh',
    root,
    copy,
  ]);
  mkdirSync(env.PATH);
  // apt-get neither: where the distribution has Node.js, it would be installed.
  const hidden = new Set(['node', 'nodejs', 'npm', 'npx', 'corepack', 'apt-get', 'apt-cache']);
  for (const source of (process.env['PATH'] ?? '').split(delimiter).filter(existsSync)) {
    for (const name of readdirSync(source)) {
      if (hidden.has(name)) continue;
      // The first on PATH is the one that counts.
      hidden.add(name);
      symlinkSync(join(source, name), join(env.PATH, name));
    }
  }
});

afterAll(async () => {
  if (existsSync(join(copy, 'dist/skerry'))) {
    await run(join(copy, 'dist/skerry'), ['down', '--purge', '--data-dir', dataDir]);
  }
  rmSync(folder, { recursive: true, force: true });
});

it('build unpacks Node.js and npm where there is none, and the command runs from any folder', async () => {
  expect((await run('sh', ['-c', 'command -v node || command -v npm'], { env })).code).not.toBe(0);
  const said = await install('build');
  expect(said).toMatch(/==> unpacking node-linux-(x64|arm64) 24\./);
  expect(said).toMatch(/==> unpacking npm /);
  expect(said).toContain('==> building dist/skerry');
  const link = join(folder, 'bin/skerry');
  symlinkSync(join(copy, 'dist/skerry'), link);
  expect(await mustRun(link, ['version'], { env, cwd: '/' })).toMatch(/\d+\.\d+\.\d+/);
});

const upOptions = async () => [
  ...['--data-dir', dataDir, '--listen', `127.0.0.1:${await freePort()}`],
  ...['--cluster-cidr', '10.112.0.0/16', '--service-cidr', '10.172.0.0/16'],
];

it('up starts the sample, and a second one installs and builds nothing', async () => {
  const options = await upOptions();
  const first = await install('up', ...options);
  expect(first).toContain('ready: https://');
  expect(first).toMatch(/Hello from Skerry, I am front-/);
  expect(first).toMatch(/Hello from the back tier, asked by front-/);
  expect(first).toContain(`export KUBECONFIG=${dataDir}/admin.kubeconfig`);
  const second = await install('up', ...options);
  const steps = second.split('\n').filter((line) => line.startsWith('==> '));
  expect(steps.map((line) => line.slice(4).replace(/[,:] .*|, http.*/, ''))).toEqual([
    'dist/skerry is up to date',
    `a cluster is running on ${dataDir} already`,
    'applying examples/sample.yaml (what was changed in it is set back)',
    'nodes',
    'pods',
    "an answer from the sample's front tier",
    'an answer that the front tier fetched from the back tier by name',
  ]);
  expect(second).toMatch(/Hello from the back tier/);
});

it('up after down starts it again: what the device still knows of itself is no cluster', async () => {
  await install('down', '--data-dir', dataDir);
  const again = await install('up', ...(await upOptions()));
  expect(again).toContain('ready: https://');
  expect(again).toMatch(/Hello from Skerry, I am front-/);
});

it('down --purge takes it away', async () => {
  await install('down', '--purge', '--data-dir', dataDir);
  expect(existsSync(dataDir)).toBe(false);
});
