import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiClient, awayMessage, mayBeThere, Unreachable, unreadable } from './api-client.ts';

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
  ['with a server without TLS', '{server: "http://hub:8080"}', /expected https:\/\/HOST:PORT$/],
  ['with a cluster that is a number', '5', /config names no server in its current context$/],
])('a kubeconfig %s is one sentence', (_what, cluster, message) => {
  const path = kubeconfig('config', cluster);
  expect(() => ApiClient.open(path)).toThrow(message);
  expect(() => ApiClient.open(path)).not.toThrow(Unreachable);
});

test.each(['5', '[]', '\0\u0001', 'contexts: 5', 'current-context: a\ncontexts: [5, null]'])(
  'a file that is no kubeconfig, %j, is one sentence',
  (text) => {
    writeFileSync(join(folder, 'config'), text);
    expect(() => ApiClient.open(join(folder, 'config'))).toThrow(/config names no server/);
  },
);

test('a kubeconfig whose certificate or key is damaged is one sentence', () => {
  const path = kubeconfig('config', '{server: "https://hub:6443"}');
  writeFileSync(path, readFileSync(path, 'utf8').replace('{}', '{client-certificate-data: eHl6}'));
  expect(() => ApiClient.open(path)).toThrow(/config: its certificates and key cannot be used \(/);
});

test('a kubeconfig that is not there leaves room for the device to answer', () => {
  vi.stubEnv('KUBECONFIG', `${folder}/none`);
  expect(ApiClient.hasKubeconfig(undefined)).toBe(false);
  expect(() => ApiClient.open(undefined)).toThrow(Unreachable);
});

test('a kubeconfig that cannot be read is one sentence with what to do', () => {
  const path = `${folder}/none`;
  const sentence = (code: string) => unreadable(path, code).message;
  expect(sentence('EACCES')).toBe(
    `the kubeconfig ${path} is not for this user: run it again with sudo, or name another with --kubeconfig FILE`,
  );
  expect(sentence('ENOENT')).toBe(
    `the kubeconfig ${path} is not there: name another with --kubeconfig FILE`,
  );
  expect(sentence('EISDIR')).toBe(
    `the kubeconfig ${path} cannot be read (EISDIR): name another with --kubeconfig FILE`,
  );
});

test('where no kubeconfig is, the master is the place to ask', () => {
  expect(unreadable('/var/lib/skerry/admin.kubeconfig', 'ENOENT').message).toMatch(
    /^no kubeconfig says where the master is \(.*\): run this on the master, or name one with --kubeconfig FILE or \$KUBECONFIG$/,
  );
});

test('what lies in a folder that this user may not enter may be there', () => {
  expect(mayBeThere(folder)).toBe(true);
  expect(mayBeThere(`${folder}/none`)).toBe(false);
  chmodSync(folder, 0o700);
  const seteuid = process.seteuid?.bind(process);
  if (seteuid === undefined || process.getuid?.() !== 0) return;
  seteuid(65534);
  try {
    expect(mayBeThere(`${folder}/none`)).toBe(true);
  } finally {
    seteuid(0);
  }
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

test('where the unit is installed, it is the one to look at', () => {
  const why = 'connect ECONNREFUSED 127.0.0.1:1';
  const error = new Error(why);
  expect(awayMessage('127.0.0.1:1', error, [])).toBe(
    `127.0.0.1:1 cannot be reached (${why}): is \`skerry up\` or \`skerry master\` running?`,
  );
  expect(awayMessage('127.0.0.1:1', error, ['skerry-agent.service'])).toMatch(
    /is `skerry up` or `skerry master` running\?$/,
  );
  expect(awayMessage('127.0.0.1:1', error, ['skerry-agent.service', 'skerry-master.service'])).toBe(
    `127.0.0.1:1 cannot be reached (${why}): is the master running? \`systemctl status skerry-master\` tells`,
  );
});

test('the local end of a connection that never was is not told', () => {
  const why = 'connect ENETUNREACH 192.0.2.1:6443 - Local (0.0.0.0:0)';
  expect(awayMessage('192.0.2.1:6443', new Error(why), [])).toContain(
    '192.0.2.1:6443 cannot be reached (connect ENETUNREACH 192.0.2.1:6443): ',
  );
});
