import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeAdminKubeconfig } from './admin-kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'skerry-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('is written once, and again when it would differ or others may read it', async () => {
  const path = join(folder, 'admin.kubeconfig');
  const access = { server: 'https://a:1', ca: 'ca', certificate: 'certificate', privateKey: 'key' };
  const written = async (server: string) => {
    await writeAdminKubeconfig(path, { ...access, server });
    return statSync(path).ino;
  };
  const first = await written('https://a:1');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await written('https://a:1')).toBe(first);
  const second = await written('https://a:2');
  expect(second).not.toBe(first);
  chmodSync(path, 0o644);
  await written('https://a:2');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
