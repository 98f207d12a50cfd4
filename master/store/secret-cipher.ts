import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { chmod, readFile, stat } from 'node:fs/promises';
import { namingFolder } from '../../shared/folder-for-file.ts';
import { writePrivateFile } from '../private-file.ts';
import type { RecordCipher } from './nedb-store.ts';
import { parseObjectPath } from './object-path.ts';

const KEY_PREFIX = 'skerry-secret-key-1:';
const KEY_BYTES = 32;
const FORM = 1;
const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + ID_BYTES + NONCE_BYTES + TAG_BYTES;

/**
 * Encrypts Secrets in the store's file: AES-256-GCM, a random nonce for each value, the record's key bound to it, so that no value
 * can be moved under another name. Form: version (1 byte), key id (8), nonce (12), tag (16), ciphertext.
 */
export class SecretCipher implements RecordCipher {
  readonly #key: Buffer;
  readonly #id: Buffer;
  readonly #keyFile: string;

  constructor(key: Buffer, keyFile: string) {
    this.#key = key;
    this.#keyFile = keyFile;
    this.#id = createHash('sha256').update(key).digest().subarray(0, ID_BYTES);
  }

  seals(key: string): boolean {
    const path = parseObjectPath(key);
    return path?.group === '' && path.plural === 'secrets';
  }

  seal(key: string, plain: Buffer): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce);
    cipher.setAAD(this.#boundTo(key));
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([Buffer.from([FORM]), this.#id, nonce, cipher.getAuthTag(), body]);
  }

  /** Throws with one sentence when the value was sealed with another key, or was changed. */
  open(key: string, sealed: Buffer): Buffer {
    const id = sealed.subarray(1, 1 + ID_BYTES);
    if (sealed.length < HEAD_BYTES || sealed[0] !== FORM) {
      throw new Error(
        `the sealed value of ${key} has no form that this version knows: put the store back from a backup`,
      );
    }
    if (!id.equals(this.#id)) {
      throw new Error(
        `${key} was sealed with the key ${id.toString('hex')}, but ${this.#keyFile} is the key ${this.#id.toString('hex')}: put the right key file back`,
      );
    }
    const nonce = sealed.subarray(1 + ID_BYTES, 1 + ID_BYTES + NONCE_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(this.#boundTo(key));
    decipher.setAuthTag(sealed.subarray(HEAD_BYTES - TAG_BYTES, HEAD_BYTES));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(HEAD_BYTES)), decipher.final()]);
    } catch {
      throw new Error(
        `the sealed value of ${key} was changed or belongs to another record: put the store back from a backup`,
      );
    }
  }

  #boundTo(key: string): Buffer {
    return Buffer.concat([Buffer.from([FORM]), this.#id, Buffer.from(key)]);
  }
}

/**
 * The cipher with the key of `keyFile`, which is made (0600) when there is no `storeFile` yet. Throws with one sentence when it is
 * missing although there is one, or holds no key.
 */
export async function openSecretCipher(files: {
  keyFile: string;
  storeFile: string;
}): Promise<SecretCipher> {
  const key = (await readKey(files.keyFile)) ?? (await makeKey(files));
  return new SecretCipher(key, files.keyFile);
}

async function readKey(keyFile: string): Promise<Buffer | undefined> {
  let content: string;
  try {
    content = await readFile(keyFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw namingFolder(error, keyFile);
  }
  const key = Buffer.from(content.trim().slice(KEY_PREFIX.length), 'base64');
  if (!content.startsWith(KEY_PREFIX) || key.length !== KEY_BYTES) {
    throw new Error(`${keyFile} holds no key: put the right key file back`);
  }
  await chmod(keyFile, 0o600);
  return key;
}

async function makeKey(files: { keyFile: string; storeFile: string }): Promise<Buffer> {
  const { keyFile, storeFile } = files;
  if (await hasContent(storeFile)) {
    throw new Error(
      `${keyFile} is missing: the Secrets in ${storeFile} cannot be read without it. Put it back from a backup`,
    );
  }
  const key = randomBytes(KEY_BYTES);
  await writePrivateFile(keyFile, `${KEY_PREFIX}${key.toString('base64')}\n`);
  return key;
}

async function hasContent(path: string): Promise<boolean> {
  try {
    return (await stat(path)).size > 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
