import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NedbStore } from './nedb-store.ts';
import { openSecretCipher } from './secret-cipher.ts';

const run = promisify(execFile);

let disk: string;

beforeEach(async () => {
  disk = await mkdtemp(join(tmpdir(), 'skerry-full-'));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'skerry-full', disk]);
});

afterEach(async () => {
  await run('umount', [disk]);
  await rm(disk, { recursive: true });
});

it('a full disk stops the store with the reason; with room again nothing acknowledged is missing', async () => {
  const path = join(disk, 'store.db');
  const failures: string[] = [];
  const store = new NedbStore({ path, onFailure: (error) => failures.push(error.message) });
  await store.open();
  let written = 0;
  const write = () => {
    const key = `/registry/${written}`;
    return store.txn([], [{ kind: 'put', key, value: () => Buffer.alloc(3000, 'x') }]);
  };
  const full = (async () => {
    for (; ; written += 1) await write();
  })();
  await expect(full).rejects.toThrow(/the store .*store\.db cannot be written: ENOSPC/);
  await expect(write()).rejects.toThrow('ENOSPC');
  await expect(store.list('/')).rejects.toThrow('ENOSPC');
  expect(failures).toHaveLength(1);
  await store.close();

  // Opening compacts, which needs as much room again.
  await expect(new NedbStore({ path }).open()).rejects.toThrow(/the store cannot be opened: .*/);
  await run('mount', ['-o', 'remount,size=2m', disk]);
  const again = new NedbStore({ path });
  await again.open();
  expect((await again.list('/registry/')).records).toHaveLength(written);
  await again.close();
});

it('a start on a full disk names the file that cannot be written', async () => {
  const path = join(disk, 'store.db');
  const first = new NedbStore({ path });
  await first.open();
  await first.close();
  await expect(writeFile(join(disk, 'filler'), Buffer.alloc(2 ** 20))).rejects.toThrow('ENOSPC');
  const remedy =
    'cannot be written (ENOSPC: no space left on device, write): make room on its disk';
  await expect(new NedbStore({ path }).open()).rejects.toThrow(
    `the store cannot be opened: ${path} ${remedy}`,
  );
  const key = { keyFile: join(disk, 'secrets.key'), storeFile: join(disk, 'none') };
  await expect(openSecretCipher(key)).rejects.toThrow(`${key.keyFile} ${remedy}`);
  await rm(join(disk, 'filler'));
  const again = new NedbStore({ path });
  await again.open();
  await again.close();
  await openSecretCipher(key);
});

it('a folder that cannot be made is one clear sentence', async () => {
  await writeFile(join(disk, 'file'), '');
  const store = new NedbStore({ path: join(disk, 'file', 'store.db') });
  await expect(store.open()).rejects.toThrow(/^the store cannot be opened: ENOTDIR/);
});
