import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const repository = new URL('..', import.meta.url).pathname;
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-release-content-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What the part of install.sh that takes releases says on standard error. */
function said(script: string): string {
  const parts = ['steps', 'release'].map((name) => `. ${repository}install/${name}.sh`).join('\n');
  const settings = `SKERRY_DRY_RUN=false SKERRY_ARCHIVE=x.tar.gz changes=0 here=/nonexistent lib=${folder}/lib root= etc=${folder} state=${folder}
fail() { echo "install.sh: $*" >&2; exit 1; }
say() { :; }`;
  return spawnSync('sh', ['-c', `${settings}\n${parts}\n${script}`], { encoding: 'utf8' }).stderr;
}

function unpackedRelease(): string {
  const part = join(folder, 'part');
  for (const name of ['bin', 'lib']) mkdirSync(join(part, name), { recursive: true });
  writeFileSync(join(part, 'bin/skerry'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(part, 'lib/skerry.mjs'), '');
  writeFileSync(join(part, 'VERSION'), '1.2.3\n');
  for (const name of ['systemd', 'config']) {
    cpSync(join(repository, name), join(part, name), { recursive: true });
  }
  return part;
}

test('a release with all that an install needs is taken', () => {
  expect(said(`part=${unpackedRelease()}; check_release_content`)).toBe('');
});

test.each([
  'bin/skerry',
  'lib/skerry.mjs',
  'systemd/skerry-master.service',
  'systemd/skerry-agent.service',
])('an archive without %s is no release', (name) => {
  const part = unpackedRelease();
  rmSync(join(part, name));
  expect(said(`part=${part}; check_release_content`)).toBe(
    `install.sh: x.tar.gz holds no ${name}: it is no release of Skerry, and was not installed\n`,
  );
});

test('the private key of a release is not taken for its public one, nor kept', () => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = join(folder, 'key.pem');
  const archive = join(folder, 'x.tar.gz');
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(archive, 'archive');
  const sign = ['pkeyutl', '-sign', '-inkey', key, '-rawin', '-in', archive];
  execFileSync('openssl', [...sign, '-out', `${archive}.sig`]);
  const script = `SKERRY_ALLOW_UNSIGNED=false SKERRY_ARCHIVE=${archive} SKERRY_PUBKEY=${key} name=x.tar.gz
verify_signature && keep_public_key`;
  expect(said(script)).toMatch(/^install\.sh: \S+key\.pem holds a private key[^\n]*\n$/);
  expect(existsSync(join(folder, 'release.pub'))).toBe(false);
});
