import { X509Certificate } from 'node:crypto';
import { connectionFailure } from '../../shared/connection-error.ts';
import type { Logger } from '../../shared/logger.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { oneLine } from '../../shared/one-line.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { SKERRY_VERSION } from '../../shared/version.ts';
import { ENROLMENT_PATHS, type EnrolmentRequest } from '../../shared/wire/enrolment.ts';
import { type JoinToken, parseJoinToken } from '../../shared/wire/join-token.ts';
import { Backoff } from './backoff.ts';
import { certificateRequest } from './certificate-request.ts';
import { brokerUrl, type Enrolment, readEnrolment } from './enrolment.ts';
import { type HttpsRequest, httpsExchange } from './https-exchange.ts';
import type { Identity } from './identity.ts';
import { sha256Hex } from './node-crypto.ts';
import { pause } from './pause.ts';

/** The master will not have this device, or the token cannot be meant for it: only somebody's doing helps, here or at the master. */
export class EnrolmentRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EnrolmentRefused';
  }
}

/** How to join: where, as whom, by what right. */
export interface JoinRequest {
  /** https://host:port. */
  server: string;
  /** Asked at each try: another may have been laid down. '' where there is none. */
  token(): Promise<string>;
  nodeName: string;
  /** A refusal is waited out, as a service does: it may be mended at the master. Else it ends the join, for somebody looks on. */
  keepsTrying: boolean;
  /** Called with each connection: a member needs no token. Must not throw. */
  forgetToken?(): void;
}

/** Of an answer that is a refusal: the device asks seldom, for nothing changes until somebody acts. */
const REFUSED_BACKOFF_MS = { firstMs: 5_000, maxMs: 600_000 };
const BACKOFF_MS = { firstMs: 1000, maxMs: 60_000 };
const NO_TOKEN = 'a join token is needed: `skerry token create` on the master makes one';
const MALFORMED_TOKEN =
  'the join token is malformed: it has the form <id>.<secret>.<hash>; paste all of what `skerry token create` printed on the master';

/**
 * Joins a cluster and keeps the membership: the first certificate by a join token, later ones by the certificate before. The token's hash
 * is what makes the server trusted, so the authority itself may be fetched from anyone.
 */
export class Membership {
  readonly #identity: Identity;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #logger: Logger;
  readonly #onObstacle: (message: string) => void;
  /** Where the master is said to be now, when that is not where the device enrolled. */
  #movedTo: string | undefined;
  #refusedToken: string | undefined;

  /** `onObstacle`: why there is no membership yet, or no new one, one sentence. */
  constructor(parts: {
    identity: Identity;
    clock: Clock;
    random: () => number;
    logger: Logger;
    onObstacle?: (message: string) => void;
  }) {
    this.#onObstacle = parts.onObstacle ?? (() => {});
    this.#identity = parts.identity;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#logger = parts.logger;
  }

  /**
   * What was saved when the device joined, else joins now: until it succeeds, is refused (EnrolmentRefused; see `keepsTrying`) or `signal`
   * aborts (undefined). A restart needs neither server nor token.
   */
  async join(join: JoinRequest | undefined, signal: AbortSignal): Promise<Enrolment | undefined> {
    const saved = this.#identity.enrolment;
    if (saved !== undefined) {
      if (join !== undefined) await this.#compare(saved, join);
      return saved;
    }
    return join && (await this.#joinUntilDone(join, signal));
  }

  /**
   * Whether a third of the certificate's life, or less, is left (a clock that is behind delays this, and harms nobody), or the master is
   * somewhere else now: what it answers to a renewal names its broker.
   */
  renewalIsDue(): boolean {
    const { enrolment } = this.#identity;
    if (enrolment === undefined) return false;
    if (this.#movedTo !== undefined) return true;
    const endsMs = Date.parse(new X509Certificate(enrolment.certificate).validTo);
    return endsMs - this.#clock.nowMs() <= (enrolment.lifetimeSeconds * 1000) / 3;
  }

  /**
   * One attempt to join anew, if there is a token for it: the Node was deleted, and with it the membership. A token that was refused is
   * tried again only `thoroughly`.
   */
  async rejoin(join: JoinRequest, thoroughly: boolean, signal: AbortSignal): Promise<void> {
    let token = '';
    try {
      token = await join.token();
      if (token === '' || (token === this.#refusedToken && !thoroughly)) return;
      await this.#joinOnce(join, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof EnrolmentRefused) this.#refusedToken = token;
      this.#tell(`could not join anew: ${connectionFailure(error)}`);
    }
  }

  /**
   * Whether, after so many failures in a row, the master should be asked for its broker's address. Where both are the same port that
   * answers nothing, and a fleet that lost its master must not ask all at once when it is back.
   */
  brokerMayHaveMoved(failures: number): boolean {
    const { enrolment } = this.#identity;
    if (enrolment === undefined || failures % 10 !== 2) return false;
    return new URL(brokerUrl(enrolment)).host !== new URL(enrolment.server).host;
  }

  /**
   * One attempt to renew, also with a certificate that has expired. Answers why it failed, one sentence; undefined: the new one is saved.
   */
  async renew(signal: AbortSignal): Promise<string | undefined> {
    const { enrolment, keys } = this.#identity;
    if (enrolment === undefined) return 'this device has not joined a cluster';
    const { ca, certificate, nodeName } = enrolment;
    const server = this.#movedTo ?? enrolment.server;
    try {
      await this.#ask(
        server,
        { nodeName, csr: this.#newCsr(nodeName) },
        {
          method: 'POST',
          url: `${server}${ENROLMENT_PATHS.renew}`,
          trust: { ca },
          identity: {
            certificate,
            privateKey: keys.tls.export({ type: 'pkcs8', format: 'pem' }).toString(),
          },
          signal,
        },
      );
      this.#movedTo = undefined;
      this.#logger.info('the certificate was renewed', { node: nodeName });
      return undefined;
    } catch (error) {
      const failure = `the certificate could not be renewed: ${connectionFailure(error)}`;
      if (!signal.aborted) this.#logger.warn(failure);
      return failure;
    }
  }

  /** A device that has joined needs no token; a token of another cluster is a mistake to be told. */
  async #compare(saved: Enrolment, join: JoinRequest): Promise<void> {
    const token = parseJoinToken(await join.token());
    if (token !== undefined && token.caSha256 !== sha256Hex(new X509Certificate(saved.ca).raw)) {
      const mistake = `this device already belongs to another cluster (as node ${saved.nodeName}); use another data directory to join a second one`;
      if (!join.keepsTrying) throw new EnrolmentRefused(mistake);
      // Its pods are worth more than its configuration.
      this.#logger.error(`the join token is not used: ${mistake}`);
    } else if (trimmed(join.server) !== saved.server) this.#movedTo = trimmed(join.server);
  }

  async #joinUntilDone(join: JoinRequest, signal: AbortSignal): Promise<Enrolment | undefined> {
    const random = this.#random;
    const backoff = new Backoff({ ...BACKOFF_MS, random });
    const refusedBackoff = new Backoff({ ...REFUSED_BACKOFF_MS, random });
    while (!signal.aborted) {
      try {
        return await this.#joinOnce(join, signal);
      } catch (error) {
        if (signal.aborted) return undefined;
        const isRefusal = error instanceof EnrolmentRefused;
        if (isRefusal && !join.keepsTrying) throw error;
        const delayMs = (isRefusal ? refusedBackoff : backoff).nextMs();
        this.#tell(
          `cannot join through ${join.server} yet: ${connectionFailure(error)}`,
          `; trying again in ${Math.ceil(delayMs / 1000)} s`,
        );
        await pause(this.#clock, delayMs, signal);
      }
    }
    return undefined;
  }

  #tell(obstacle: string, andNow = ''): void {
    this.#logger.warn(`${obstacle}${andNow}`);
    this.#onObstacle(obstacle);
  }

  async #joinOnce(join: JoinRequest, signal: AbortSignal): Promise<Enrolment> {
    const server = trimmed(join.server);
    const text = await join.token();
    const token = parseJoinToken(text);
    if (token === undefined) {
      throw new EnrolmentRefused(text.trim() === '' ? NO_TOKEN : MALFORMED_TOKEN);
    }
    const ca = await fetchAuthority(server, token, signal);
    const { nodeName } = join;
    const csr = await this.#identity.joinCsr(nodeName, () => this.#newCsr(nodeName));
    const as = { nodeName, csr };
    const enrolment = await this.#ask(server, as, {
      method: 'POST',
      url: `${server}${ENROLMENT_PATHS.enrol}`,
      trust: { ca },
      bearer: text.trim(),
      signal,
    });
    this.#logger.info(`joined cluster ${enrolment.clusterId}`, { node: enrolment.nodeName });
    return enrolment;
  }

  #newCsr(nodeName: string): string {
    return certificateRequest(this.#identity.keys.tls, `system:node:${nodeName}`);
  }

  async #ask(
    server: string,
    as: { nodeName: string; csr: string },
    request: HttpsRequest,
  ): Promise<Enrolment> {
    const json: EnrolmentRequest = {
      ...as,
      release: SKERRY_VERSION,
      ...this.#identity.publicKeys,
    };
    const answer = await httpsExchange({ ...request, json });
    if (answer.status < 200 || answer.status >= 300) throw refusalOf(answer);
    const enrolment = answered(answer.body, server);
    await this.#identity.saveEnrolment(enrolment);
    return enrolment;
  }
}

/** The authority's certificate, PEM, as the token's hash names it. */
async function fetchAuthority(
  server: string,
  token: JoinToken,
  signal: AbortSignal,
): Promise<string> {
  const url = `${server}${ENROLMENT_PATHS.ca}`;
  const answer = await httpsExchange({ method: 'GET', url, trust: 'anyone', signal });
  if (answer.status !== 200) throw refusalOf(answer);
  const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(
    answer.body.replaceAll('\\n', '\n'),
  )?.[0];
  const ca = pem === undefined ? undefined : new X509Certificate(pem);
  if (ca === undefined || sha256Hex(ca.raw) !== token.caSha256) {
    throw new EnrolmentRefused(
      `${server} is not the master that this join token was made for: its CA has another hash`,
    );
  }
  return ca.toString();
}

function trimmed(server: string): string {
  return server.replace(/\/+$/, '');
}

/** A 4xx is final, but for "too many requests" and "timeout"; its message is the master's own, or of whoever answers in its place. */
function refusalOf({ status, body }: { status: number; body: string }): Error {
  let message = `HTTP status ${status}`;
  try {
    const answer = JSON.parse(body) as JsonObject;
    if (typeof answer['message'] === 'string') message = oneLine(answer['message']);
  } catch {
    // Not a metav1.Status: whatever answers there is no master, and the status has to do.
  }
  const final = status >= 400 && status < 500 && status !== 429 && status !== 408;
  return final
    ? new EnrolmentRefused(`the master refuses this device: ${message}`)
    : new Error(message);
}

function answered(body: string, server: string): Enrolment {
  try {
    return readEnrolment(body, server);
  } catch (error) {
    throw new Error(
      `what ${server} answers is not a master's answer: ${oneLine(connectionFailure(error))}`,
    );
  }
}
