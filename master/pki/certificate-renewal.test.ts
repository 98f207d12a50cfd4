import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { builtCertificateChild } from '../../test/builders/certificate-child.ts';
import { CollectingLogger } from '../../test/builders/collecting-logger.ts';
import { CertificateAuthority } from './certificate-authority.ts';
import { CertificateChild } from './certificate-child.ts';
import { CertificateRenewal } from './certificate-renewal.ts';

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
const root = mkdtempSync(join(tmpdir(), 'skerry-renewal-'));
afterAll(() => rmSync(root, { recursive: true }));

test('a master that runs for years renews its certificates in time, and only then', async () => {
  let nowMs = Date.UTC(2026, 10, 21);
  let dayPasses = () => {};
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => 0,
    after: (_delayMs: number, callback: () => void) => {
      dayPasses = callback;
      return () => {};
    },
  };
  const child = new CertificateChild(builtCertificateChild());
  const authority = new CertificateAuthority({ folder: join(root, 'pki'), child, clock });
  const names = { dnsNames: ['localhost'], addresses: [] };
  await authority.open(names);
  const ends: string[] = [];
  const renewal = new CertificateRenewal({
    authority,
    names: () => names,
    clock,
    log: new CollectingLogger(),
    onRenewed: async () => {
      ends.push(new X509Certificate(authority.serving.certificate).validTo);
    },
  });
  renewal.start();
  for (const years of [0, 8.5, 0.6, 0]) {
    nowMs += years * YEAR_MS;
    dayPasses();
    await renewal.stop();
  }
  expect(ends.map(Date.parse)).toEqual([Date.UTC(2026, 10, 21) + 19.1 * YEAR_MS]);
});
