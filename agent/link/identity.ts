import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import type { WireDocument } from '../../shared/wire/desired-messages.ts';
import { ensurePrivateFolder, readTextFile, writeFileDurably } from '../host/files.ts';
import { removeFile } from '../host/small-files.ts';
import { agentIdFrom } from './agent-id.ts';
import { type Enrolment, readSavedEnrolment } from './enrolment.ts';
import { rawPublicKey, unseal } from './node-crypto.ts';

/** The name that is asked for, then the request. */
const JOIN_CSR = 'join.csr';

interface Keys {
  /** Ed25519: signs every message. */
  signing: KeyObject;
  /** X25519: opens what is sealed to this device. */
  sealing: KeyObject;
  /** P-256: TLS. */
  tls: KeyObject;
}

/**
 * Who this device is: an id and three keys, made at its first start in DIR/agent and never changed, and what it was given when it joined.
 * Invariants: a key is on disk before anything public of it leaves the device; what is lost after the device joined is not made anew,
 * because the cluster, and the containers here, know the former one.
 */
export class Identity {
  readonly #folder: string;
  #id = '';
  #keys: Keys | undefined;
  #enrolment: Enrolment | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Throws with one sentence when a file is damaged, or missing although the device has joined. */
  async open(): Promise<void> {
    await ensurePrivateFolder(this.#folder);
    const path = `${this.#folder}/enrolment.json`;
    const saved = await readTextFile(path);
    await this.#refuseLoss(saved !== undefined);
    const id = await this.#kept('id', () => `${randomBytes(6).toString('hex')}\n`);
    this.#id = agentIdFrom(id, `${this.#folder}/id`);
    this.#keys = {
      signing: await this.#key(
        'ed25519',
        'signing.key',
        () => generateKeyPairSync('ed25519').privateKey,
      ),
      sealing: await this.#key(
        'x25519',
        'sealing.key',
        () => generateKeyPairSync('x25519').privateKey,
      ),
      tls: await this.#key(
        'ec',
        'tls.key',
        () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
      ),
    };
    this.#enrolment = saved === undefined ? undefined : readSavedEnrolment(saved, path);
  }

  /** The agent's id, 12 hex digits: every container, link, table and cgroup of it carries this. */
  get id(): string {
    return this.#id;
  }

  get keys(): Keys {
    if (this.#keys === undefined) throw new Error('the identity is not open');
    return this.#keys;
  }

  get enrolment(): Enrolment | undefined {
    return this.#enrolment;
  }

  /** What the master learns of the keys; raw, base64. */
  get publicKeys(): { signingKey: string; sealingKey: string } {
    return {
      signingKey: rawPublicKey(this.keys.signing),
      sealingKey: rawPublicKey(this.keys.sealing),
    };
  }

  async saveEnrolment(enrolment: Enrolment): Promise<void> {
    await writeFileDurably(`${this.#folder}/enrolment.json`, `${JSON.stringify(enrolment)}\n`);
    this.#enrolment = enrolment;
    removeFile(`${this.#folder}/${JOIN_CSR}`);
  }

  /**
   * The certificate request (PEM) of a join under this name, the same at every try, also after a restart: the master knows a request
   * again by its bytes, and counts its token once. A signature is never twice the same, so `make` is called once.
   */
  async joinCsr(nodeName: string, make: () => string): Promise<string> {
    const path = `${this.#folder}/${JOIN_CSR}`;
    const [savedName, ...saved] = ((await readTextFile(path)) ?? '').split('\n');
    if (savedName === nodeName) return saved.join('\n');
    const csr = make();
    await writeFileDurably(path, `${nodeName}\n${csr}`);
    return csr;
  }

  /** Opens a document that is sealed to this device; throws when it is not. */
  unseal(document: WireDocument): JsonObject {
    if (this.#enrolment === undefined) throw new Error('the device has not joined a cluster');
    const { clusterId: cluster, nodeName: node } = this.#enrolment;
    const { key, version, sealed = '' } = document;
    return unseal(this.keys.sealing, { cluster, node }, { key, version, sealed });
  }

  async #refuseLoss(hasJoined: boolean): Promise<void> {
    const folder = this.#folder;
    const missing = async (name: string) => (await readTextFile(`${folder}/${name}`)) === undefined;
    for (const name of hasJoined ? ['id', 'signing.key', 'sealing.key', 'tls.key'] : []) {
      if (await missing(name))
        throw lost(`${folder}/${name}`, 'this device has joined a cluster', folder);
    }
    if ((await missing('id')) && !(await missing('state/state.log'))) {
      throw lost(`${folder}/id`, `${folder}/state/state.log is there`, folder);
    }
  }

  async #key(type: 'ed25519' | 'x25519' | 'ec', name: string, make: () => KeyObject) {
    const pem = () => make().export({ type: 'pkcs8', format: 'pem' }).toString();
    const saved = await this.#kept(name, pem);
    try {
      const key = createPrivateKey(saved);
      if (key.asymmetricKeyType === type) return key;
    } catch {
      // The words of OpenSSL's decoder help nobody.
    }
    throw new Error(
      `${this.#folder}/${name} is damaged, it holds no ${type} key: put it back from a backup, or remove ${this.#folder} and join with a new token`,
    );
  }

  async #kept(name: string, make: () => string): Promise<string> {
    const path = `${this.#folder}/${name}`;
    const saved = await readTextFile(path);
    if (saved !== undefined) return saved.trim();
    const made = make();
    await writeFileDurably(path, made);
    return made.trim();
  }
}

function lost(path: string, although: string, folder: string): Error {
  return new Error(
    `${path} is missing although ${although}: put it back from a backup, or remove ${folder} and join with a new token`,
  );
}
