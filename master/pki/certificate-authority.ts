import { createHash, createPrivateKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { ApiError } from '../../shared/errors.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { CertificateChild } from './certificate-child.ts';
import type { CertificateJob } from './certificate-job.ts';
import { newEd25519Key, newP256Key, publicPem, rawPublicKey } from './key-pairs.ts';
import { PrivateFolder } from './private-folder.ts';
import type { ServingNames } from './serving-names.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_MS = 365 * DAY_MS;
const AUTHORITY_LIFETIME_MS = 30 * YEAR_MS;
const SERVING_LIFETIME_MS = 10 * YEAR_MS;
const ADMIN_LIFETIME_MS = 10 * YEAR_MS;
/** At least a year (devices lie in drawers), renewed by the agent when a third is left. */
export const NODE_CERTIFICATE_LIFETIME_MS = 2 * YEAR_MS;
/** The master's own certificates are signed anew when less than this is left. */
const RENEW_WHEN_LEFT_MS = YEAR_MS;
/** No machine that runs this is older: one whose clock says so has no clock, and would sign what is expired tomorrow. */
const EARLIEST_PRESENT_MS = Date.UTC(2026, 0, 1);

const AUTHORITY_NAME = 'skerry-ca';

interface Identity {
  /** PEM. */
  certificate: string;
  /** PKCS#8 PEM. */
  privateKey: string;
}

/** What the folder holds once it is open. */
interface Keys {
  ca: Identity;
  serving: Identity;
  admin: Identity;
  signing: KeyObject;
}

/**
 * The cluster's own authority, kept in DIR/master/pki: `{ca,serving,admin}.{crt,key}` and `signing.key`, with which the master
 * signs its messages to the nodes. Invariant: the folder is complete or absent (PrivateFolder.createWith); afterwards only
 * serving.crt and admin.crt are replaced, for keys that stay.
 */
export class CertificateAuthority {
  readonly #folder: PrivateFolder;
  readonly #child: CertificateChild;
  readonly #clock: Clock;
  #keys: Keys | undefined;

  constructor(parts: { folder: string; child: CertificateChild; clock: Clock }) {
    this.#folder = new PrivateFolder(parts.folder);
    this.#child = parts.child;
    this.#clock = parts.clock;
  }

  /**
   * Loads the folder, makes it at the first start, and signs the master's own certificates anew when the serving one lacks a wanted
   * name or either nears its end. At most one child runs.
   */
  async open(names: ServingNames): Promise<void> {
    if (!(await this.#folder.exists())) await this.#create(names);
    this.#keys = await this.#load();
    await this.renew(names);
  }

  /** Signs the master's own certificates anew where one nears its end or lacks a wanted name; answers whether any was. */
  async renew(names: ServingNames): Promise<boolean> {
    return await this.#refresh(this.#opened, names);
  }

  /** PEM. */
  get ca(): string {
    return this.#opened.ca.certificate;
  }

  /** SHA-256 of the authority's certificate (its DER form), hex: what join tokens pin. */
  get caSha256(): string {
    return caSha256(this.ca);
  }

  /** Names the cluster in topics and signatures; follows from the authority, so it is as lasting and as unique. */
  get clusterId(): string {
    return this.caSha256.slice(0, 16);
  }

  get serving(): Identity {
    return this.#opened.serving;
  }

  /** CN kubernetes-admin, O system:masters. */
  get admin(): Identity {
    return this.#opened.admin;
  }

  /** Ed25519; signs every message to the nodes. */
  get signingKey(): KeyObject {
    return this.#opened.signing;
  }

  /** The master's signature on a message: Ed25519, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array {
    return sign(null, bytes, this.signingKey);
  }

  /** Raw, base64. */
  get signingPublicKey(): string {
    return rawPublicKey(this.signingKey);
  }

  /**
   * Whether this authority signed the certificate (DER), be it expired or not. TLS does not tell: for a certificate that has expired Node's
   * authorizationError is CERT_HAS_EXPIRED even where a stranger signed it.
   */
  hasSigned(certificate: Uint8Array): boolean {
    const authority = new X509Certificate(this.ca);
    return new X509Certificate(certificate).verify(authority.publicKey);
  }

  /** Certifies the key of a node's request; the names are ours, whatever the request says. Throws BadRequest. */
  async issueNode(nodeName: string, request: string): Promise<string> {
    const [outcome] = await this.#child.issue([
      this.#job(this.#opened.ca.privateKey, {
        profile: 'client',
        subject: { commonName: `system:node:${nodeName}`, organization: 'system:nodes' },
        holder: { request },
        lifetimeMs: NODE_CERTIFICATE_LIFETIME_MS,
      }),
    ]);
    if (outcome === undefined || 'refused' in outcome) {
      throw new ApiError('BadRequest', outcome?.refused ?? 'the certificate request is empty');
    }
    return outcome.certificate;
  }

  get #opened(): Keys {
    if (this.#keys === undefined) throw new Error('the certificate authority is not open');
    return this.#keys;
  }

  async #create(names: ServingNames): Promise<void> {
    const [caKey, servingKey, adminKey] = [newP256Key(), newP256Key(), newP256Key()];
    const [ca, serving, admin] = await this.#issue([
      this.#job(caKey, {
        profile: 'authority',
        subject: { commonName: AUTHORITY_NAME },
        holder: { publicKey: publicPem(caKey) },
        lifetimeMs: AUTHORITY_LIFETIME_MS,
      }),
      this.#servingJob(caKey, servingKey, names),
      this.#adminJob(caKey, adminKey),
    ]);
    await this.#folder.createWith({
      'ca.crt': ca ?? '',
      'ca.key': caKey,
      'serving.crt': serving ?? '',
      'serving.key': servingKey,
      'admin.crt': admin ?? '',
      'admin.key': adminKey,
      'signing.key': newEd25519Key(),
    });
  }

  async #load(): Promise<Keys> {
    const keys = {
      ca: {
        certificate: await this.#required('ca.crt'),
        privateKey: await this.#privateKey('ca.key'),
      },
      serving: await this.#identity('serving'),
      admin: await this.#identity('admin'),
      signing: createPrivateKey(await this.#privateKey('signing.key')),
    };
    const { certificate, privateKey } = keys.ca;
    if (!isCertificate(keys.ca)) {
      throw this.#unusable('ca.crt', 'is damaged (expected a certificate in PEM)');
    }
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
      throw this.#unusable('ca.key', 'is of another cluster (expected the key of ca.crt)');
    }
    if (keys.signing.asymmetricKeyType !== 'ed25519') {
      throw this.#unusable('signing.key', 'is damaged (expected an Ed25519 key)');
    }
    return keys;
  }

  /** Of the master itself: a certificate that is missing is made anew by #refresh(), as a damaged one is. */
  async #identity(name: 'serving' | 'admin'): Promise<Identity> {
    return {
      certificate: (await this.#folder.read(`${name}.crt`)) ?? '',
      privateKey: await this.#privateKey(`${name}.key`),
    };
  }

  /** PEM. */
  async #privateKey(name: string): Promise<string> {
    const text = await this.#required(name);
    try {
      createPrivateKey(text);
    } catch {
      throw this.#unusable(name, 'is damaged (expected a private key in PEM)');
    }
    return text;
  }

  async #required(name: string): Promise<string> {
    const text = await this.#folder.read(name);
    if (text === undefined) throw this.#unusable(name, 'is missing');
    return text;
  }

  /** Neither a key nor the authority is made anew: with other ones it would be another cluster, which no device belongs to. */
  #unusable(name: string, what: string): Error {
    return new Error(
      `${this.#folder.path}/${name} ${what}: restore it from a backup, or remove the data directory to start a new cluster`,
    );
  }

  async #refresh(keys: Keys, names: ServingNames): Promise<boolean> {
    const jobs: { identity: Identity; file: string; job: CertificateJob }[] = [];
    const caKey = keys.ca.privateKey;
    const isServingRight = isCertificate(keys.serving) && namesAll(keys.serving, names);
    if (!isServingRight || !this.#lasts(keys.serving)) {
      const job = this.#servingJob(caKey, keys.serving.privateKey, names);
      jobs.push({ identity: keys.serving, file: 'serving.crt', job });
    }
    if (!isCertificate(keys.admin) || !this.#lasts(keys.admin)) {
      const job = this.#adminJob(caKey, keys.admin.privateKey);
      jobs.push({ identity: keys.admin, file: 'admin.crt', job });
    }
    if (jobs.length === 0) return false;
    const certificates = await this.#issue(jobs.map(({ job }) => job));
    for (const [index, { identity, file }] of jobs.entries()) {
      const certificate = certificates[index] ?? '';
      // What is not on the disk is still to be done.
      await this.#folder.write(file, certificate);
      identity.certificate = certificate;
    }
    return true;
  }

  async #issue(jobs: readonly CertificateJob[]): Promise<string[]> {
    const outcomes = await this.#child.issue(jobs);
    return outcomes.map((outcome) => {
      if ('refused' in outcome) throw new Error(outcome.refused);
      return outcome.certificate;
    });
  }

  #servingJob(caKey: string, servingKey: string, names: ServingNames): CertificateJob {
    return this.#job(caKey, {
      profile: 'server',
      subject: { commonName: 'skerry-master' },
      holder: { publicKey: publicPem(servingKey) },
      lifetimeMs: SERVING_LIFETIME_MS,
      names,
    });
  }

  #adminJob(caKey: string, adminKey: string): CertificateJob {
    return this.#job(caKey, {
      profile: 'client',
      subject: { commonName: 'kubernetes-admin', organization: 'system:masters' },
      holder: { publicKey: publicPem(adminKey) },
      lifetimeMs: ADMIN_LIFETIME_MS,
    });
  }

  #job(
    caKey: string,
    what: Pick<CertificateJob, 'profile' | 'subject' | 'holder'> & {
      lifetimeMs: number;
      names?: ServingNames;
    },
  ): CertificateJob {
    const { lifetimeMs, names, ...rest } = what;
    return {
      ...rest,
      issuer: { commonName: AUTHORITY_NAME, privateKey: caKey },
      dnsNames: names?.dnsNames ?? [],
      addresses: names?.addresses ?? [],
      notAfterMs: this.#nowMs() + lifetimeMs,
    };
  }

  #lasts({ certificate }: Identity): boolean {
    const endsMs = Date.parse(new X509Certificate(certificate).validTo);
    return endsMs - this.#nowMs() > RENEW_WHEN_LEFT_MS;
  }

  #nowMs(): number {
    return Math.max(this.#clock.nowMs(), EARLIEST_PRESENT_MS);
  }
}

/** A file that is damaged or missing is none: it is made anew, for the key that stays. */
function isCertificate({ certificate }: Identity): boolean {
  try {
    return new X509Certificate(certificate).raw.length > 0;
  } catch {
    return false;
  }
}

/** SHA-256 over the DER form of a PEM certificate, hex. */
function caSha256(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

function namesAll({ certificate }: Identity, names: ServingNames): boolean {
  const parsed = new X509Certificate(certificate);
  return (
    names.dnsNames.every((name) => parsed.checkHost(name) !== undefined) &&
    names.addresses.every((address) => parsed.checkIP(address) !== undefined)
  );
}
