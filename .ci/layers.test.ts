import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Where, what is written there, and the beginning of what the lint says; '' where it has to be silent. */
const CASES: readonly (readonly [path: string, code: string, says: string])[] = [
  // Layers.
  ['shared/meta/a.ts', "import { a } from '../../master/main.ts'; a();", 'shared imports only shared'],
  ['shared/meta/b.ts', "import { a } from '../../agent/main.ts'; a();", 'shared imports only shared'],
  ['shared/meta/c.ts', "import { a } from 'lodash'; a();", 'shared imports only shared'],
  ['shared/meta/d.ts', "import { a } from 'node:fs'; a();", 'This import references a Node.js builtin'],
  ['shared/meta/e.ts', "import { a } from '../wire/topics.ts'; a();", ''],
  ['master/main.ts', "import { a } from '../agent/main.ts'; a();", 'master imports only master and shared'],
  ['master/store/a.ts', "import { a } from '../../cli/main.ts'; a();", 'master imports only master and shared'],
  ['agent/main.ts', "import { a } from '../master/main.ts'; a();", 'agent imports only agent and shared'],
  ['agent/pods/a.ts', "import { a } from '../../cli/main.ts'; a();", 'agent imports only agent and shared'],
  ['master/api/a.ts', "import { a } from '../fleet/fleet.ts'; a();", 'A part of the master'],
  ['master/controllers/x/a.ts', "import { a } from '../../scheduler/place.ts'; a();", 'A part of the master'],
  ['master/scheduler/a.ts', "import { a } from '../controllers/controller.ts'; a();", 'A part of the master'],
  ['master/fleet/a.ts', "import { a } from '../api/server.ts'; a();", 'A part of the master'],
  ['master/fleet/b.ts', "export const lazy = import('../api/server.ts');", 'A part of the master'],
  ['master/fleet/c.ts', "import type { A } from '../api/node-streams.ts'; export type B = A;", ''],
  ['master/fleet/d.ts', "import { a } from '../main.ts'; a();", 'A part of the master'],
  ['master/api/b.ts', "import { a } from '../store/registry.ts'; a();", ''],
  ['master/store/b.ts', "import { a } from '../pki/tokens.ts'; a();", 'store imports only store and shared'],
  ['master/main.ts', "import { b } from './api/server.ts'; b();", ''],
  ['agent/pods/b.ts', "import { a } from 'node:fs/promises'; a();", 'Only agent/host touches'],
  ['agent/link/a.ts', "import { a } from 'node:net'; a();", 'Only agent/host touches'],
  ['agent/config.ts', "import { a } from 'node:os'; a();", 'Only agent/host touches'],
  ['agent/runtime/a.ts', "import { a } from 'node:child_process'; a();", 'Only agent/host touches'],
  ['agent/host/a.ts', "import { a } from 'node:child_process'; a();", ''],
  ['agent/pods/c.ts', "import { a } from '../runtime/podman.ts'; a();", 'A runtime is known only by'],
  ['agent/pods/d.ts', "import { a } from '../runtime/runtime.ts'; a();", ''],
  ['cli/get.ts', "import { a } from '../master/main.ts'; a();", 'cli imports only cli and shared'],
  ['cli/up.ts', "import { a } from '../master/store/registry.ts'; a();", 'cli starts the programs through'],
  ['cli/up.ts', "import { b } from '../master/main.ts'; b();", ''],
  ['cli/check.ts', "import { a } from '../agent/preflight.ts'; a();", ''],
  ['cli/check.ts', "import { b } from '../agent/preflight/survey.ts'; b();", 'cli starts the programs through'],
  ['cli/status.ts', "import { a } from '../agent/local-view.ts'; a();", 'cli imports only cli and shared'],
  ['cli/on-this-device.ts', "import { a } from '../agent/local-view.ts'; a();", ''],
  // One package, one wrapper.
  ['agent/network/dns/a.ts', "import { a } from 'dns-packet'; a();", 'dns-packet is imported only in'],
  ['agent/network/dns/packet.ts', "import { a } from 'dns-packet'; a();", ''],
  ['agent/link/b.ts', "import { a } from 'mqtt'; a();", 'mqtt is imported only in'],
  ['agent/link/c.ts', "import { a } from 'mqtt/lib/client'; a();", 'mqtt is imported only in'],
  ['agent/link/d.ts', "export const lazy = import('mqtt');", 'mqtt is imported only in'],
  ['agent/link/b.ts', "import { a } from 'mqtt-packet'; a();", 'mqtt-packet is imported only'],
  ['master/fleet/e.ts', "import { a } from 'aedes'; a();", 'aedes is imported only in'],
  ['master/api/c.ts', "import { a } from 'ws'; a();", 'ws is imported only in'],
  ['master/store/c.ts', "import { a } from '@seald-io/nedb'; a();", 'NeDB is imported only in'],
  ['master/pki/a.ts', "import { a } from '@peculiar/x509'; a();", '@peculiar/x509 is imported only in'],
  ['agent/node/a.ts', "import { a } from 'systeminformation'; a();", 'systeminformation is imported only in'],
  ['cli/a.ts', "import { a } from 'yaml'; a();", 'yaml is imported only in'],
  ['shared/schema/yaml.ts', "import { a } from 'yaml'; a();", ''],
  // Pure files.
  ['shared/meta/f.ts', 'export const a = Date.now();', 'This file is pure'],
  ['shared/meta/g.ts', 'export const a = new Date();', 'This file is pure'],
  ['shared/meta/h.ts', 'export const a = new Date(0);', ''],
  ['shared/meta/i.ts', 'export const a = Math.random();', 'This file is pure'],
  ['shared/meta/j.ts', "console.log('a');", 'Do not use the global variable console'],
  ['shared/meta/k.ts', 'export const a = process.pid;', 'Do not use the global variable process'],
  ['shared/meta/l.ts', 'export const a = performance.now();', 'Do not use the global variable performance'],
  ['shared/meta/m.ts', 'setTimeout(() => {}, 1);', 'Do not use the global variable setTimeout'],
  ['shared/meta/n.ts', "void fetch('https://a');", 'Do not use the global variable fetch'],
  ['agent/pods/plan.ts', 'export const a = Date.now();', 'This file is pure'],
  ['agent/pods/plan-stop.ts', 'export const a = new Date();', 'This file is pure'],
  ['agent/network/routes/peer-plan.ts', 'export const a = Math.random();', 'This file is pure'],
  ['master/scheduler/place.ts', 'export const a = Math.random();', 'This file is pure'],
  ['master/controllers/x/plan.ts', "import { a } from 'node:fs'; a();", 'This import references a Node.js builtin'],
];

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'skerry-layers-'));
let diagnostics: { message: string; location: { path: string; start: { line: number } } }[];

beforeAll(async () => {
  for (const [path, code] of CASES) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    appendFileSync(join(folder, path), `${code}\n`);
  }
  cpSync(join(root, '.ci'), join(folder, '.ci'), { recursive: true });
  const options = ['--config-path=.ci/biome.json', '--reporter=json', '--max-diagnostics=none'];
  const report = await new Promise<string>((resolve) => {
    execFile(join(root, 'node_modules/.bin/biome'), ['lint', ...options, '.'], { cwd: folder }, (_error, output) => resolve(output));
  });
  diagnostics = JSON.parse(report).diagnostics;
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(CASES)('%s: %s', (path, code, says) => {
  const line = 1 + readFileSync(join(folder, path), 'utf8').split('\n').indexOf(code);
  const messages = diagnostics
    .filter(({ location }) => location.path === path && location.start.line === line)
    .map(({ message }) => message);
  if (says === '') expect(messages).toEqual([]);
  else expect(messages.join('\n')).toContain(says);
});

test('no plugin fails to run', () => {
  expect(diagnostics.filter(({ message }) => message.includes('errored'))).toEqual([]);
});
