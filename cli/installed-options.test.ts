import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { installedOptions } from './installed-options.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-installed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what an installed program was told is known to the commands that look at it', () => {
  writeFileSync(join(folder, 'master.yaml'), 'listen: 0.0.0.0:7443\n#dataDir: /x\n');
  const listen = { text: '0.0.0.0:7443', place: `${folder}/master.yaml:1: listen 0.0.0.0:7443` };
  expect(installedOptions('master', folder)).toEqual({ listen });
});

test('a program that is not installed was told nothing', () => {
  expect(installedOptions('agent', folder)).toEqual({});
});

test('a file that is wrong is named', () => {
  writeFileSync(join(folder, 'agent.yaml'), 'sever: https://hub:6443\n');
  expect(() => installedOptions('agent', folder)).toThrow('agent.yaml:1: unknown key "sever"');
});
