import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CertificateJob, CertificateOutcome } from './certificate-job.ts';

const P256 = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const NOT_BEFORE = new Date(0);

/** Signs one certificate (RFC 5280). Runs in the certificate child only: the library takes 19 MB and 100 ms to load. */
export async function issueCertificate(job: CertificateJob): Promise<CertificateOutcome> {
  const holder = await holderKey(job.holder);
  if ('refused' in holder) return holder;
  const issuer = await importPrivateKey(job.issuer.privateKey);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: nameOf(job.subject).toJSON(),
      issuer: nameOf({ commonName: job.issuer.commonName }).toJSON(),
      notBefore: NOT_BEFORE,
      notAfter: new Date(job.notAfterMs),
      publicKey: holder.key,
      signingKey: issuer.privateKey,
      signingAlgorithm: SIGNATURE,
      extensions: [
        ...profileExtensions(job),
        await x509.SubjectKeyIdentifierExtension.create(holder.key, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: `${certificate.toString('pem')}\n` };
}

async function holderKey(
  holder: CertificateJob['holder'],
): Promise<{ key: webcrypto.CryptoKey } | { refused: string }> {
  if ('publicKey' in holder) return { key: await importPublicKey(holder.publicKey) };
  try {
    const request = new x509.Pkcs10CertificateRequest(holder.request);
    if (!(await request.verify(webcrypto))) {
      return { refused: 'the certificate request is not signed by its own key' };
    }
    return { key: await request.publicKey.export(P256, ['verify'], webcrypto) };
  } catch {
    return { refused: 'the certificate request is not a PKCS#10 request for a P-256 key' };
  }
}

function profileExtensions(job: CertificateJob): x509.Extension[] {
  if (job.profile === 'authority') {
    return [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
    ];
  }
  const usage =
    job.profile === 'server' ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth;
  const names = [
    ...job.dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...job.addresses.map((value) => ({ type: 'ip', value }) as const),
  ];
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([usage], false),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names, false)]),
  ];
}

function nameOf(subject: CertificateJob['subject']): x509.Name {
  return new x509.Name([
    ...(subject.organization === undefined ? [] : [{ O: [subject.organization] }]),
    { CN: [subject.commonName] },
  ]);
}

/** 127 random bits: positive and within the 20 octets of RFC 5280, section 4.1.2.2. */
function serialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function importPublicKey(pem: string): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', pemBytes(pem), P256, true, ['verify']);
}

async function importPrivateKey(
  pem: string,
): Promise<{ privateKey: webcrypto.CryptoKey; publicKey: webcrypto.CryptoKey }> {
  const { subtle } = webcrypto;
  const privateKey = await subtle.importKey('pkcs8', pemBytes(pem), P256, true, ['sign']);
  const { d: _secret, key_ops: _operations, ...jwk } = await subtle.exportKey('jwk', privateKey);
  return { privateKey, publicKey: await subtle.importKey('jwk', jwk, P256, true, ['verify']) };
}

function pemBytes(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}
