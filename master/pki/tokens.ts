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

/** One use of a token that was taken; `giveBack` returns it when what it was taken for failed. */
export interface TokenUse {
  /** The device may take its name's Node over from the device that has it. */
  adopts: boolean;
  giveBack(): Promise<void>;
}

/** Who asks, and a hash of all that it asks. */
interface Device {
  nodeName: string;
  request: string;
}

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
   * takes no other, because its answer may have been lost on the way. `permit` is asked before that, of a token that is good: what it throws
   * costs no use, and nothing is written. Throws ApiError Unauthorized, with a message that says which, and what next: malformed, of another
   * cluster, unknown, expired, used up, or made for another node.
   */
  async redeem(
    text: string,
    nodeName: string,
    request: string,
    permit: (adopts: boolean) => void = () => {},
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
    const device = { nodeName, request };
    this.#check(stored, token, device);
    const adopts =
      dataValue(stored, JOIN_TOKEN_KEYS.adopts) === 'true' &&
      dataValue(stored, JOIN_TOKEN_KEYS.nodeName) === nodeName;
    permit(adopts);
    const isCounted = dataValue(stored, JOIN_TOKEN_KEYS.uses) !== undefined;
    const uid = isCounted ? await this.#takeUse(key, token, device) : undefined;
    const giveBack = async () => {
      if (uid !== undefined) await this.#giveBack({ key, uid, request });
    };
    return { adopts, giveBack };
  }

  #check(stored: Secret, token: JoinToken, { nodeName, request }: Device): void {
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
    if (isUsedUp && !requestsOf(stored).includes(request)) {
      throw unauthorized(`the join token is used up: ${MAKE_ANOTHER}`);
    }
    const forNode = dataValue(stored, JOIN_TOKEN_KEYS.nodeName);
    if (forNode !== undefined && forNode !== nodeName) {
      throw unauthorized(
        `the join token is for node "${forNode}", not for "${nodeName}": ${MAKE_ANOTHER}`,
      );
    }
  }

  /**
   * Checked again on the state that is written: of two devices with one use, one gets it. Answers the Secret's uid, or undefined when
   * the request took its use before.
   */
  async #takeUse(key: ObjectKey, token: JoinToken, device: Device): Promise<string | undefined> {
    let isRepeated = false;
    try {
      const { metadata } = await this.#registry.update(this.#secrets, key, (current) => {
        this.#check(current, token, device);
        const requests = requestsOf(current);
        isRepeated = requests.includes(device.request);
        return isRepeated
          ? current
          : withUses(current, usesLeft(current) - 1, [...requests, device.request]);
      });
      return isRepeated ? undefined : metadata.uid;
    } catch (error) {
      if (error instanceof ApiError && error.reason === 'NotFound') {
        throw unknown();
      }
      throw error;
    }
  }

  async #giveBack({ key, uid, request }: Taken): Promise<void> {
    try {
      await this.#registry.update(
        this.#secrets,
        key,
        (current) =>
          withUses(
            current,
            usesLeft(current) + 1,
            requestsOf(current).filter((known) => known !== request),
          ),
        { uid },
      );
    } catch (error) {
      // Deleted meanwhile: there is nothing left to give back to.
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
