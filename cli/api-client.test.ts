import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiClient, Unreachable } from './api-client.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-kubeconfig-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function kubeconfig(name: string, cluster: string): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    `current-context: here
contexts: [{name: here, context: {cluster: one, user: me}}]
clusters: [{name: one, cluster: ${cluster}}]
users: [{name: me, user: {}}]
`,
  );
  return path;
}

test('of several kubeconfigs in the environment the first that is there is used', () => {
  const path = kubeconfig('config', '{server: "https://hub:6443"}');
  vi.stubEnv('KUBECONFIG', `${folder}/none:${path}`);
  expect(ApiClient.hasKubeconfig(undefined)).toBe(true);
  expect(ApiClient.open(undefined).server).toBe('https://hub:6443');
});

test('a relative path in a kubeconfig begins where the file lies', () => {
  writeFileSync(join(folder, 'ca.crt'), 'PEM');
  const path = kubeconfig('config', '{server: "https://hub:6443", certificate-authority: ca.crt}');
  expect(ApiClient.open(path).ca.toString()).toBe('PEM');
});

test.each([
  ['without a server', '{}', /config names no server in its current context$/],
  ['with a server that is none', '{server: hub}', /server hub: expected https:\/\/HOST:PORT$/],
  [
    'with a file that is gone',
    '{server: "https://hub:6443", certificate-authority: gone.crt}',
    /its certificate-authority cannot be read: ENOENT/,
  ],
  ['that is no YAML', '{server: "', /config is no YAML: /],
])('a kubeconfig %s is one sentence', (_what, cluster, message) => {
  const path = kubeconfig('config', cluster);
  expect(() => ApiClient.open(path)).toThrow(message);
  expect(() => ApiClient.open(path)).not.toThrow(Unreachable);
});

test('a kubeconfig that is not there leaves room for the device to answer', () => {
  vi.stubEnv('KUBECONFIG', `${folder}/none`);
  expect(ApiClient.hasKubeconfig(undefined)).toBe(false);
  expect(() => ApiClient.open(undefined)).toThrow(Unreachable);
});

test('a master that is away is one sentence with what to do', async () => {
  const client = ApiClient.open(kubeconfig('config', '{server: "https://127.0.0.1:1"}'));
  const asked = client.json('GET', '/version');
  await expect(asked).rejects.toBeInstanceOf(Unreachable);
  await expect(asked).rejects.toThrow(
    /^127\.0\.0\.1:1 cannot be reached \(.*ECONNREFUSED.*\): is `skerry up` or `skerry master` running\?$/,
  );
  client.close();
});
