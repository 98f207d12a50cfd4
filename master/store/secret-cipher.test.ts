import { mkdtemp, readFile, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSecretCipher } from './secret-cipher.ts';

const KEY = '/registry//secrets/bay/password';

let folder: string;
let files: { keyFile: string; storeFile: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skerry-cipher-'));
  files = { keyFile: join(folder, 'secret.key'), storeFile: join(folder, 'store.db') };
});

afterEach(() => rm(folder, { recursive: true }));

it('opens what it sealed, and seals the same value differently each time', async () => {
  const cipher = await openSecretCipher(files);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const plain = Buffer.from(bytes);
      const sealed = cipher.seal(KEY, plain);
      expect(cipher.open(KEY, sealed)).toEqual(plain);
      expect(cipher.seal(KEY, plain)).not.toEqual(sealed);
    }),
  );
});

it('refuses a value that was changed, cut or moved to another record', async () => {
  const cipher = await openSecretCipher(files);
  const sealed = cipher.seal(KEY, Buffer.from('hunter2'));
  expect(() => cipher.open('/registry//secrets/bay/other', sealed)).toThrow(
    'was changed or belongs to another record',
  );
  for (let index = 9; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(() => cipher.open(KEY, changed)).toThrow('was changed');
  }
  expect(() => cipher.open(KEY, sealed.subarray(0, 20))).toThrow('no form that this version knows');
});

it('seals Secrets and nothing else', async () => {
  const cipher = await openSecretCipher(files);
  expect(cipher.seals(KEY)).toBe(true);
  expect(cipher.seals('/registry//configmaps/bay/secrets')).toBe(false);
  expect(cipher.seals('/registry/other.example/secrets/bay/x')).toBe(false);
});

it('makes its key once, for nobody else to read', async () => {
  const sealed = (await openSecretCipher(files)).seal(KEY, Buffer.from('hunter2'));
  expect((await stat(files.keyFile)).mode & 0o777).toBe(0o600);
  await writeFile(files.storeFile, 'records');
  expect((await openSecretCipher(files)).open(KEY, sealed).toString()).toBe('hunter2');
});

it('says which key is missing or wrong', async () => {
  const sealed = (await openSecretCipher(files)).seal(KEY, Buffer.from('hunter2'));
  const right = await readFile(files.keyFile);
  await unlink(files.keyFile);
  const other = await openSecretCipher(files);
  expect(() => other.open(KEY, sealed)).toThrow(
    /was sealed with the key [0-9a-f]{16}, but .*secret\.key is the key [0-9a-f]{16}: put the right/,
  );
  await unlink(files.keyFile);
  await writeFile(files.storeFile, 'records');
  await expect(openSecretCipher(files)).rejects.toThrow(/secret\.key is missing: the Secrets in/);
  await writeFile(files.keyFile, right.subarray(0, 30));
  await expect(openSecretCipher(files)).rejects.toThrow('secret.key holds no key');
});
