import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Failures } from './failures.ts';
import { readManifests } from './manifest.ts';

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-manifest-'));
  mkdirSync(at('both/deeper'), { recursive: true });
  mkdirSync(at('none'));
  writeFileSync(at('a.yaml'), 'kind: A\n---\nkind: B\n');
  writeFileSync(at('c.yaml'), 'kind: List\nitems: [{kind: C}]\n');
  writeFileSync(at('empty.yaml'), '# nothing\n');
  writeFileSync(at('broken.yaml'), 'kind: "\n');
  writeFileSync(at('both/2.json'), '{"kind": "Two"}');
  writeFileSync(at('both/1.yml'), 'kind: One');
  writeFileSync(at('both/README.md'), 'no manifest');
  writeFileSync(at('both/deeper/3.yaml'), 'kind: Three');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function kinds(...given: string[]): Promise<unknown[]> {
  const failures = new Failures();
  const objects = await readManifests(given, failures);
  failures.end();
  return objects.map(({ kind }) => kind);
}

test('all manifests that are given are read, in their order', async () => {
  expect(await kinds(at('c.yaml'), at('a.yaml'))).toEqual(['C', 'A', 'B']);
  expect(await kinds(`${at('a.yaml')},${at('c.yaml')}`)).toEqual(['A', 'B', 'C']);
  expect(await kinds(at('empty.yaml'))).toEqual([]);
});

test('of a folder its manifests are read, in the order of their names', async () => {
  expect(await kinds(at('both'))).toEqual(['One', 'Two']);
  await expect(kinds(at('none'))).rejects.toThrow(
    `the folder "${at('none')}" holds no .json, .yaml, .yml`,
  );
});

test('a manifest that is not there ends it before anything is done', async () => {
  const gone = readManifests([at('a.yaml'), at('gone.yaml')], new Failures());
  await expect(gone).rejects.toThrow(`the path "${at('gone.yaml')}" does not exist`);
});

test('one that cannot be read is for the end', async () => {
  const failures = new Failures();
  const objects = await readManifests([at('broken.yaml'), at('c.yaml')], failures);
  expect(objects).toEqual([{ kind: 'C' }]);
  expect(() => failures.end()).toThrow(`${at('broken.yaml')}: `);
});
