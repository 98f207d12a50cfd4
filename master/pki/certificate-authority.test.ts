import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { builtCertificateChild } from '../../test/builders/certificate-child.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { CertificateChild } from './certificate-child.ts';
import { servingNames } from './serving-names.ts';

const CHILD = builtCertificateChild();

class CountingChild extends CertificateChild {
  calls = 0;

  override issue(...args: Parameters<CertificateChild['issue']>) {
    this.calls += 1;
    return super.issue(...args);
  }
}

function clockAt(nowMs: number): Clock {
  return { nowMs: () => nowMs, monotonicMs: () => 0, after: () => () => {} };
}

const NOW = Date.UTC(2026, 10, 21);
const YEAR = 365 * 24 * 60 * 60 * 1000;
const NAMES = servingNames({
  advertised: ['master.example', '192.0.2.9', '0.0.0.0'],
  serviceAddress: '10.43.0.1',
  machine: { dnsNames: ['island'], addresses: ['192.0.2.2', 'fd00::2'] },
});

describe('the certificate authority', () => {
  let root: string;
  let child: CountingChild;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'skerry-pki-'));
    child = new CountingChild(CHILD);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const authority = (nowMs = NOW) =>
    new CertificateAuthority({ folder: join(root, 'master/pki'), child, clock: clockAt(nowMs) });

  test('makes everything at the first start with one child, in files that only root reads', async () => {
    const first = authority();
    await first.open(NAMES);
    expect(child.calls).toBe(1);

    const folder = join(root, 'master/pki');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).sort()).toEqual([
      'admin.crt',
      'admin.key',
      'ca.crt',
      'ca.key',
      'serving.crt',
      'serving.key',
      'signing.key',
    ]);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }

    const again = authority();
    await again.open(NAMES);
    expect(child.calls).toBe(1);
    expect(again.ca).toBe(first.ca);
    expect(again.signingPublicKey).toBe(first.signingPublicKey);
    expect(Buffer.from(again.signingPublicKey, 'base64')).toHaveLength(32);
  });

  test('certificates begin in 1970, name what they should and verify strictly', async () => {
    const pki = authority();
    await pki.open(NAMES);
    const serving = new X509Certificate(pki.serving.certificate);
    expect(serving.validFrom).toBe('Jan  1 00:00:00 1970 GMT');
    for (const name of ['localhost', 'island', 'kubernetes.default.svc', 'master.example']) {
      expect(serving.checkHost(name)).toBe(name);
    }
    for (const address of ['127.0.0.1', '::1', '10.43.0.1', '192.0.2.2', '192.0.2.9', 'fd00::2']) {
      expect(serving.checkIP(address)).toBe(address);
    }
    expect(serving.checkIP('0.0.0.0')).toBeUndefined();
    const admin = new X509Certificate(pki.admin.certificate);
    expect(admin.subject).toBe('O=system:masters\nCN=kubernetes-admin');
    const ca = new X509Certificate(pki.ca);
    expect(Date.parse(ca.validTo)).toBe(NOW + 30 * YEAR);
    expect(ca.ca && !serving.ca && serving.verify(ca.publicKey)).toBe(true);
    expect(() =>
      createSecureContext({ cert: pki.serving.certificate, key: pki.serving.privateKey }),
    ).not.toThrow();

    for (const name of ['serving', 'admin']) {
      const folder = join(root, 'master/pki');
      const verified = execFileSync('openssl', [
        ...['verify', '-x509_strict', '-CAfile', join(folder, 'ca.crt')],
        join(folder, `${name}.crt`),
      ]);
      expect(verified.toString()).toContain('OK');
    }
  });

  test.each([
    ['damaged', (path: string) => writeFileSync(path, 'garbage\n')],
    ['empty', (path: string) => writeFileSync(path, '')],
    ['missing', (path: string) => rmSync(path)],
  ])(
    'a serving or admin certificate that is %s is signed anew, for the same key',
    async (_, spoil) => {
      const first = authority();
      await first.open(NAMES);
      for (const name of ['serving', 'admin']) spoil(join(root, `master/pki/${name}.crt`));
      const again = authority();
      await again.open(NAMES);
      for (const which of ['serving', 'admin'] as const) {
        const { certificate, privateKey } = again[which];
        expect(() => createSecureContext({ cert: certificate, key: privateKey })).not.toThrow();
        expect(privateKey).toBe(first[which].privateKey);
      }
    },
  );

  test('the serving certificate is signed anew, for the same key, when a name is missing or its end is near', async () => {
    const first = authority();
    await first.open(NAMES);
    const moved = authority();
    await moved.open({ ...NAMES, addresses: [...NAMES.addresses, '192.0.2.77'] });
    expect(new X509Certificate(moved.serving.certificate).checkIP('192.0.2.77')).toBeDefined();
    expect(moved.serving.privateKey).toBe(first.serving.privateKey);
    expect(moved.admin.certificate).toBe(first.admin.certificate);

    const old = authority(NOW + 9.5 * YEAR);
    await old.open(NAMES);
    for (const { certificate } of [old.serving, old.admin]) {
      expect(Date.parse(new X509Certificate(certificate).validTo)).toBe(NOW + 19.5 * YEAR);
    }
    expect(child.calls).toBe(3);
  });

  test('a serving certificate that could not be written is signed anew at the next look', async () => {
    const running = authority();
    await running.open(NAMES);
    const wanted = { ...NAMES, dnsNames: [...NAMES.dnsNames, 'new.example'] };
    const inTheWay = join(root, 'master/pki/serving.crt.new');
    mkdirSync(inTheWay);
    await expect(running.renew(wanted)).rejects.toThrow();
    rmSync(inTheWay, { recursive: true });
    expect(await running.renew(wanted)).toBe(true);
    const saved = readFileSync(join(root, 'master/pki/serving.crt'), 'utf8');
    expect(new X509Certificate(saved).checkHost('new.example')).toBe('new.example');
    expect(running.serving.certificate).toBe(saved);
  });

  test('a first start that was cut short is redone as a whole', async () => {
    mkdirSync(join(root, 'master/pki.new'), { recursive: true });
    writeFileSync(join(root, 'master/pki.new/ca.key'), 'half');
    const pki = authority();
    await pki.open(NAMES);
    expect(pki.ca).toContain('BEGIN CERTIFICATE');
    expect(existsSync(join(root, 'master/pki.new'))).toBe(false);
  });

  test('a folder that lacks a key is reported, not remade', async () => {
    await authority().open(NAMES);
    rmSync(join(root, 'master/pki/ca.crt'));
    await expect(authority().open(NAMES)).rejects.toThrow('ca.crt is missing: restore it');
  });

  test.each([
    ['ca.crt', 'a certificate in PEM'],
    ['ca.key', 'a private key in PEM'],
    ['serving.key', 'a private key in PEM'],
    ['admin.key', 'a private key in PEM'],
    ['signing.key', 'a private key in PEM'],
  ])('a damaged %s is named, with what was expected and what to do', async (name, expected) => {
    await authority().open(NAMES);
    const path = join(root, 'master/pki', name);
    for (const text of ['garbage\n', '']) {
      writeFileSync(path, text);
      await expect(authority().open(NAMES)).rejects.toThrow(
        new RegExp(
          `^${path} is damaged \\(expected ${expected}\\): restore it from a backup, or remove the data directory to start a new cluster$`,
        ),
      );
    }
    expect(child.calls).toBe(1);
  });

  test('keys of another cluster, or of another kind, are named', async () => {
    await authority().open(NAMES);
    const folder = join(root, 'master/pki');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const strange = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const right = readFileSync(join(folder, 'ca.key'));
    writeFileSync(join(folder, 'ca.key'), strange);
    await expect(authority().open(NAMES)).rejects.toThrow(
      `${folder}/ca.key is of another cluster (expected the key of ca.crt): restore it`,
    );
    writeFileSync(join(folder, 'ca.key'), right);
    writeFileSync(join(folder, 'signing.key'), strange);
    await expect(authority().open(NAMES)).rejects.toThrow(
      `${folder}/signing.key is damaged (expected an Ed25519 key): restore it`,
    );
  });

  test('a machine without a clock still signs certificates that outlive today', async () => {
    const pki = authority(0);
    await pki.open(NAMES);
    expect(Date.parse(new X509Certificate(pki.admin.certificate).validTo)).toBeGreaterThan(NOW);
  });

  test('a node is certified under the name that the master gives, whatever its request says', async () => {
    const pki = authority();
    await pki.open(NAMES);
    const key = join(root, 'node.key');
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const request = execFileSync('openssl', [
      ...['req', '-new', '-key', key, '-subj', '/O=system:masters/CN=kubernetes-admin'],
    ]).toString();
    const certificate = new X509Certificate(await pki.issueNode('pi-1', request));
    expect(certificate.subject).toBe('O=system:nodes\nCN=system:node:pi-1');
    expect(certificate.publicKey.equals(publicKey)).toBe(true);
    expect(pki.hasSigned(certificate.raw)).toBe(true);
    const stranger = new CertificateAuthority({
      ...{ folder: join(root, 'stranger'), child, clock: clockAt(NOW) },
    });
    await stranger.open(NAMES);
    expect(stranger.hasSigned(certificate.raw)).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  });

  test('a request that is not one, or is not signed by its own key, is refused', async () => {
    const pki = authority();
    await pki.open(NAMES);
    await expect(pki.issueNode('pi-1', 'nonsense')).rejects.toMatchObject({ reason: 'BadRequest' });
    const key = join(root, 'node.key');
    execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
    const request = execFileSync('openssl', ['req', '-new', '-key', key, '-subj', '/CN=a']);
    const body = Buffer.from(request.toString().replace(/-----[^-]+-----/g, ''), 'base64');
    body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    await expect(pki.issueNode('pi-1', forged)).rejects.toThrow('not signed by its own key');
  });
});
