import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ApiError } from '../../shared/errors.ts';
import type { ObjectKey } from '../../shared/meta/kube-object.ts';
import { formatTime } from '../../shared/meta/time.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import type { ResourceKind } from '../../shared/resources/resource-kind.ts';
import type { Secret } from '../../shared/schema/kubernetes-types.ts';
import {
  formatJoinToken,
  JOIN_TOKEN_KEYS,
  JOIN_TOKEN_NAMESPACE,
  JOIN_TOKEN_SECRET_TYPE,
  type JoinToken,
  joinTokenEndMs,
  joinTokenSecret,
  joinTokenSecretName,
  newJoinToken,
  parseJoinToken,
} from '../../shared/wire/join-token.ts';
import type { Registry } from '../store/registry.ts';

const MAKE_ANOTHER = '`skerry token create` on the master makes another';
const DAY_SECONDS = 24 * 60 * 60;
/** Devices that retry do so within minutes: of a token for many, the last few are enough. */
const REMEMBERED_REQUESTS = 16;

/** One use of a token that was taken: what it was taken for succeeds, then it is kept, or fails, then it is given back. */
export interface TokenUse {
  /** The device may take its name's Node over from the device that has it. */
  adopts: boolean;
  /** The use was kept before, by this request, and counts only as long as the device is a member. */
  isOfMember: boolean;
  /** From now on the request counts as the same use only while its device is a member. */
  keep(): Promise<void>;
  giveBack(): Promise<void>;
}

/** What only the caller knows of who asks. */
export interface Asking {
  /** Asked of a token that is good, before a use is taken: what it throws costs none, and nothing is written. */
  permit?: (adopts: boolean) => void;
  /** Whether the device's Node is still there, and still its own. Absent: it is not. */
  isMember?: () => boolean;
}

/** Who asks, and a hash of all that it asks. */
interface Device {
  nodeName: string;
  request: string;
  isMember: () => boolean;
}

/** `taken`: a use was, and there was no end to it yet; `member`: it was kept. */
type Repetition = 'taken' | 'member' | undefined;

/** Behind the hash of a request whose use was kept. */
const KEPT = ' kept';

interface Taken {
  key: ObjectKey;
  /** Of the token's Secret. */
  uid: string;
  request: string;
}

/** Join tokens, kept as Secrets bootstrap-token-<id> in kube-system: `kubectl` can list and delete them. */
export class JoinTokens {
  readonly #registry: Registry;
  readonly #secrets: ResourceKind<Secret>;
  readonly #clock: Clock;
  readonly #caSha256: string;

  constructor(parts: {
    registry: Registry;
    secrets: ResourceKind<Secret>;
    clock: Clock;
    caSha256: string;
  }) {
    this.#registry = parts.registry;
    this.#secrets = parts.secrets;
    this.#clock = parts.clock;
    this.#caSha256 = parts.caSha256;
  }

  /** A new token; by default for one use within a day, for a node of any name. */
  async create(
    terms: { ttlSeconds?: number; uses?: number; nodeName?: string; adopts?: boolean } = {},
  ): Promise<string> {
    const token = newJoinToken(randomBytes, this.#caSha256);
    const endsMs = this.#clock.nowMs() + (terms.ttlSeconds ?? DAY_SECONDS) * 1000;
    await this.#registry.create(
      this.#secrets,
      joinTokenSecret(token, {
        expiration: formatTime(endsMs),
        uses: terms.uses ?? 1,
        ...(terms.nodeName !== undefined && { nodeName: terms.nodeName }),
        ...(terms.adopts !== undefined && { adopts: terms.adopts }),
      }),
    );
    return formatJoinToken(token);
  }

  /**
   * Takes one use of the token for a node of this name. `request` stands for the whole request (a hash): one that took a use before
   * takes no other, because its answer may have been lost on the way; once that use is kept, while the device is a member. Throws ApiError Unauthorized, with a message that says which, and what next: malformed, of another
   * cluster, unknown, expired, used up, or made for another node.
   */
  async redeem(
    text: string,
    nodeName: string,
    request: string,
    { permit, isMember = () => false }: Asking = {},
  ): Promise<TokenUse> {
    const token = parseJoinToken(text);
    if (token === undefined) {
      throw unauthorized(
        `the join token is malformed: it has the form <id>.<secret>.<hash>; ${MAKE_ANOTHER}`,
      );
    }
    if (token.caSha256 !== this.#caSha256) {
      throw unauthorized(`the join token is of another cluster: ${MAKE_ANOTHER}`);
    }
    const key = { namespace: JOIN_TOKEN_NAMESPACE, name: joinTokenSecretName(token.id) };
    const stored = this.#registry.find(this.#secrets, key);
    if (stored === undefined) throw unknown();
    const device = { nodeName, request, isMember };
    this.#check(stored, token, device);
    const adopts =
      dataValue(stored, JOIN_TOKEN_KEYS.adopts) === 'true' &&
      dataValue(stored, JOIN_TOKEN_KEYS.nodeName) === nodeName;
    permit?.(adopts);
    if (dataValue(stored, JOIN_TOKEN_KEYS.uses) === undefined) {
      return { adopts, isOfMember: false, keep: async () => {}, giveBack: async () => {} };
    }
    const { uid, repetition } = await this.#takeUse(key, token, device);
    const taken = { key, uid, request };
    return {
      adopts,
      isOfMember: repetition === 'member',
      keep: async () => {
        if (repetition !== 'member') await this.#keep(taken);
      },
      giveBack: async () => {
        if (repetition === undefined) await this.#giveBack(taken);
      },
    };
  }

  #check(stored: Secret, token: JoinToken, device: Device): void {
    const secret = dataValue(stored, JOIN_TOKEN_KEYS.secret) ?? '';
    const isToken =
      stored.type === JOIN_TOKEN_SECRET_TYPE &&
      dataValue(stored, JOIN_TOKEN_KEYS.authentication) === 'true' &&
      dataValue(stored, JOIN_TOKEN_KEYS.id) === token.id;
    // A wrong secret and a wrong id get one answer, so that ids cannot be found out by trying.
    if (!sameSecret(secret, token.secret) || !isToken) {
      throw unknown();
    }
    const endMs = joinTokenEndMs(stored);
    if (endMs !== undefined && endMs <= this.#clock.nowMs()) {
      const at = Number.isFinite(endMs) ? ` at ${formatTime(endMs)}` : '';
      throw unauthorized(`the join token expired${at}: ${MAKE_ANOTHER}`);
    }
    const isUsedUp = dataValue(stored, JOIN_TOKEN_KEYS.uses) !== undefined && usesLeft(stored) < 1;
    if (isUsedUp && repetitionOf(stored, device) === undefined) {
      throw unauthorized(`the join token is used up: ${MAKE_ANOTHER}`);
    }
    const forNode = dataValue(stored, JOIN_TOKEN_KEYS.nodeName);
    if (forNode !== undefined && forNode !== device.nodeName) {
      throw unauthorized(
        `the join token is for node "${forNode}", not for "${device.nodeName}": ${MAKE_ANOTHER}`,
      );
    }
  }

  /** Checked again on the state that is written: of two devices with one use, one gets it. Answers the Secret's uid too. */
  async #takeUse(
    key: ObjectKey,
    token: JoinToken,
    device: Device,
  ): Promise<{ uid: string; repetition: Repetition }> {
    let repetition: Repetition;
    try {
      const { metadata } = await this.#registry.update(this.#secrets, key, (current) => {
        this.#check(current, token, device);
        repetition = repetitionOf(current, device);
        if (repetition !== undefined) return current;
        const others = requestsWithout(current, device.request);
        return withUses(current, usesLeft(current) - 1, [...others, device.request]);
      });
      return { uid: metadata.uid, repetition };
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'NotFound') {
        throw unknown();
      }
      throw error;
    }
  }

  async #keep({ key, uid, request }: Taken): Promise<void> {
    await this.#updateIfThere(key, uid, (current) => {
      const others = requestsWithout(current, request);
      return withUses(current, usesLeft(current), [...others, `${request}${KEPT}`]);
    });
  }

  async #giveBack({ key, uid, request }: Taken): Promise<void> {
    await this.#updateIfThere(key, uid, (current) =>
      withUses(current, usesLeft(current) + 1, requestsWithout(current, request)),
    );
  }

  /** A token that was deleted meanwhile takes nothing down and nothing back. */
  async #updateIfThere(
    key: ObjectKey,
    uid: string,
    change: (current: Secret) => Secret,
  ): Promise<void> {
    try {
      await this.#registry.update(this.#secrets, key, change, { uid });
    } catch (error) {
      if (!(error instanceof ApiError && ['NotFound', 'Conflict'].includes(error.reason))) {
        throw error;
      }
    }
  }
}

function unauthorized(message: string): ApiError {
  return new ApiError('Unauthorized', message);
}

function unknown(): ApiError {
  return unauthorized(
    `the join token is unknown: it was deleted, or ended more than a week ago; ${MAKE_ANOTHER}`,
  );
}

function dataValue(secret: Secret, key: string): string | undefined {
  const value = secret.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

function usesLeft(secret: Secret): number {
  const uses = Number(dataValue(secret, JOIN_TOKEN_KEYS.uses));
  return Number.isInteger(uses) ? uses : 0;
}

function requestsOf(secret: Secret): string[] {
  return (dataValue(secret, JOIN_TOKEN_KEYS.requests) ?? '').split('\n').filter(Boolean);
}

function requestsWithout(secret: Secret, request: string): string[] {
  return requestsOf(secret).filter((known) => known !== request && known !== `${request}${KEPT}`);
}

function repetitionOf(secret: Secret, { request, isMember }: Device): Repetition {
  const known = requestsOf(secret);
  if (known.includes(request)) return 'taken';
  return known.includes(`${request}${KEPT}`) && isMember() ? 'member' : undefined;
}

function withUses(secret: Secret, uses: number, requests: readonly string[]): Secret {
  const remembered = requests.slice(-REMEMBERED_REQUESTS).join('\n');
  const data = {
    ...secret.data,
    [JOIN_TOKEN_KEYS.uses]: Buffer.from(`${uses}`).toString('base64'),
    [JOIN_TOKEN_KEYS.requests]: Buffer.from(remembered).toString('base64'),
  };
  return { ...secret, data };
}

function sameSecret(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
