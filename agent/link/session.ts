import { connectionFailure } from '../../shared/connection-error.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Clock } from '../../shared/reconcile/clock.ts';
import { decodeBody, encodeBody } from '../../shared/wire/body.ts';
import type { Message } from '../../shared/wire/message-assembler.ts';
import { encodeAlive, readRefused, readSeen } from '../../shared/wire/report-messages.ts';
import { formatSession } from '../../shared/wire/session-id.ts';
import { decodeStreamMessage, encodeStreamMessage } from '../../shared/wire/stream-messages.ts';
import type { Leaf } from '../../shared/wire/topics.ts';
import type { DiskState } from '../state/disk-state.ts';
import type { StreamHandler } from '../streams/stream.ts';
import { Backoff } from './backoff.ts';
import { Channel } from './channel.ts';
import { DesiredInbox } from './desired-inbox.ts';
import { EnrolmentRefused, type JoinRequest, Membership } from './enrol.ts';
import { brokerUrl, type Enrolment } from './enrolment.ts';
import { Heartbeat } from './heartbeat.ts';
import type { Identity } from './identity.ts';
import type { Outbox } from './outbox.ts';
import { pause } from './pause.ts';
import { StatusOutbox } from './status-outbox.ts';
import { StreamMux } from './stream-mux.ts';
import { TimelyRenewal } from './timely-renewal.ts';

/** MQTT 3.1.1, section 3.2.2.3, return code 5, in mqtt.js' words. */
const NOT_A_MEMBER = /Not authorized/;
/** A connection that ends sooner counts as a failure: two devices with one identity would else push each other out without rest. */
const LASTING_MS = 10_000;
/** Of so many refusals of the broker the first has all tried that may mend the membership; at the others only a new token is. */
const MEND_EVERY = 10;
/** A heartbeat that would only wait in a stalled socket is left out. */
const STALLED_BYTES = 64 * 1024;

export interface LinkParts {
  /** Open already. */
  identity: Identity;
  /** Open already. */
  state: DiskState;
  /** How to join, where the device has not yet; absent, it must have. */
  join?: JoinRequest;
  streams: readonly StreamHandler[];
  /** The agent's version. */
  release: string;
  clock: Clock;
  /** Numbers in [0, 1), for jitter. */
  random: () => number;
  logger: Logger;
  /** The master will not have this device: nothing more is tried. The message is one sentence for the user. */
  onRefused: (message: string) => void;
  /** Told once, as soon as the device belongs to a cluster (at once, if it does already). */
  onJoined?: (enrolment: Enrolment) => void;
  /** Called with each heartbeat, and while there is none with each try to join or to connect and each new failure: the device is awake. */
  onBeat?: () => void;
}

/** Tries to connect that have failed, since the last connection. */
interface FailuresInARow {
  count: number;
  /** How often at the end of them the broker said that this is no member. */
  notAMember: number;
  last: string;
}

const NO_FAILURES: FailuresInARow = { count: 0, notAMember: 0, last: '' };

/**
 * The device's one connection to its master: joins, connects, connects again. What comes in goes to the saved state, what is
 * reported waits in `outbox`; nothing else in the agent knows whether there is a master at the moment.
 */
export class Link {
  readonly #parts: LinkParts;
  readonly #membership: Membership;
  readonly #outbox: StatusOutbox;
  readonly #stop = new AbortController();
  #obstacle: string | undefined;
  /** Why the certificate could not be renewed, over the connection that there is. */
  #renewalFailure: string | undefined;
  #channel: Channel | undefined;
  #localAddress: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.#membership = new Membership({
      ...parts,
      onObstacle: (message) => this.#hindered(message),
    });
    this.#outbox = new StatusOutbox({
      send: (batch) => this.#channel?.send('st', 'reports', encodeBody(batch)),
      clock: parts.clock,
      logger: parts.logger,
    });
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  get connected(): boolean {
    return this.#channel !== undefined;
  }

  /** Why this device has not joined, has no connection, or is not served, one sentence; undefined while all is well. */
  get obstacle(): string | undefined {
    return this.#obstacle ?? this.#renewalFailure;
  }

  /** The address from which the master is reached, of the connection now or the last one. */
  get localAddress(): string | undefined {
    return this.#localAddress;
  }

  /** Returns at once; the rest happens in the background. */
  start(): void {
    this.#running = this.#run(this.#stop.signal).catch((error: unknown) => {
      if (error instanceof EnrolmentRefused) this.#parts.onRefused(error.message);
      else this.#parts.logger.error('the link failed', { error: String(error) });
    });
  }

  /** Tells the master that the node leaves for now, and ends the connection. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Cuts the connection as a broken network would; the link mends it. */
  cut(): void {
    this.#channel?.cut();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { join } = this.#parts;
    const enrolment = await this.#membership.join(join, signal);
    if (enrolment === undefined) return;
    this.#obstacle = undefined;
    this.#parts.onJoined?.(enrolment);
    let start: number | undefined;
    const { random, clock, logger, state } = this.#parts;
    const backoff = new Backoff({ firstMs: 1000, maxMs: 60_000, random });
    let row = NO_FAILURES;
    for (let connection = 1; !signal.aborted; connection += 1) {
      const beganMs = clock.monotonicMs();
      this.#parts.onBeat?.();
      try {
        start ??= await state.countStart();
        await this.#mendMembership(row, signal);
        const reason = await this.#connectOnce(formatSession({ start, connection }), signal);
        if (signal.aborted) return;
        row = NO_FAILURES;
        this.#hindered(reason);
        logger.warn(`the link to the master is down: ${reason}`);
        if (clock.monotonicMs() - beganMs > LASTING_MS) backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        row = this.#failed(connectionFailure(error), row);
      }
      await pause(clock, backoff.nextMs(), signal);
    }
  }

  #failed(failure: string, before: FailuresInARow): FailuresInARow {
    const notAMember = NOT_A_MEMBER.test(failure) ? before.notAMember + 1 : 0;
    // What the master has said of the membership says more.
    if (notAMember < 2) this.#obstacle = failure;
    if (failure !== before.last) {
      this.#parts.logger.warn(`cannot reach the master: ${failure}`);
      this.#parts.onBeat?.();
    }
    return { count: before.count + 1, notAMember, last: failure };
  }

  /** Before a connection: what the last failures call for. */
  async #mendMembership({ count, notAMember }: FailuresInARow, signal: AbortSignal): Promise<void> {
    const { join } = this.#parts;
    const membership = this.#membership;
    if (notAMember > 0) {
      const thoroughly = notAMember % MEND_EVERY === 1;
      // The certificate has ended, which a device without a clock cannot know, or the Node was deleted.
      if (thoroughly && (await this.#renew(signal))) return;
      if (join) await membership.rejoin(join, thoroughly, signal);
    } else if (membership.renewalIsDue() || membership.brokerMayHaveMoved(count)) {
      await this.#renew(signal);
    }
  }

  /** Whether there is a new certificate. */
  async #renew(signal: AbortSignal): Promise<boolean> {
    const failure = await this.#membership.renew(signal);
    if (failure !== undefined && !signal.aborted) this.#hindered(failure);
    return failure === undefined;
  }

  #hindered(obstacle: string): void {
    this.#obstacle = obstacle;
    this.#parts.onBeat?.();
  }

  /** One connection from its beginning to its end; answers why it ended. */
  async #connectOnce(session: string, signal: AbortSignal): Promise<string> {
    const { identity, logger } = this.#parts;
    const { enrolment } = identity;
    if (enrolment === undefined) throw new Error('the device has not joined a cluster');
    const { channel, attach } = await Channel.open({
      identity,
      enrolment,
      session,
      signal,
      logger,
    });
    const { receive, detach } = this.#attach(channel);
    attach(receive);
    logger.info('connected to the master', { broker: brokerUrl(enrolment), session });
    const reason = await closedOrAborted(channel, signal);
    detach();
    if (signal.aborted) await channel.close();
    return reason;
  }

  /** Joins the parts to a connection; `detach` parts them again. */
  #attach(channel: Channel): {
    receive: (leaf: Leaf, message: Message) => void;
    detach: () => void;
  } {
    const { state, streams, release, clock, random, logger } = this.#parts;
    this.#parts.join?.forgetToken?.();
    this.#channel = channel;
    this.#obstacle = undefined;
    this.#localAddress = channel.localAddress ?? this.#localAddress;
    const inbox = new DesiredInbox({
      store: state,
      send: ({ kind, body }) => channel.send('ack', kind, encodeBody(body)),
      onEpoch: () => this.#outbox.resendAll(),
      ...{ release, clock, random, logger },
    });
    const mux = new StreamMux({
      handlers: streams,
      send: (message) => channel.send('rs', 'stream', encodeStreamMessage(message)),
      logger,
    });
    const beat = () => {
      this.#parts.onBeat?.();
      if (channel.unsentBytes > STALLED_BYTES) return;
      channel.send('al', 'alive', encodeAlive({ up: true }));
    };
    const heartbeat = new Heartbeat({ beat, clock, random });
    const renewal = new TimelyRenewal({
      membership: this.#membership,
      clock,
      onOutcome: (failure) => {
        this.#renewalFailure = failure;
        this.#parts.onBeat?.();
      },
    });
    renewal.start();
    // The birth goes first: it begins the session.
    heartbeat.start();
    inbox.connected();
    this.#outbox.connected();
    return {
      receive: (leaf, message) => {
        const { kind } = message.header;
        if (kind === 'refused') this.#refused(readRefused(decodeBody(message.body)).message);
        else if (kind === 'seen') this.#outbox.seen(readSeen(decodeBody(message.body)));
        else if (leaf === 'rq') mux.receive(decodeStreamMessage(message.body));
        else inbox.receive(message);
      },
      detach: () => {
        this.#channel = undefined;
        renewal.stop();
        this.#renewalFailure = undefined;
        heartbeat.stop();
        inbox.disconnected();
        mux.disconnected();
        this.#outbox.disconnected();
      },
    };
  }

  /** What runs here goes on; the connection stays, and with the master's next release comes another try. */
  #refused(message: string): void {
    const obstacle = `the master does not serve this device: ${message}`;
    this.#parts.logger.error(obstacle);
    this.#hindered(obstacle);
  }
}

function closedOrAborted(channel: Channel, signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    const abort = () => resolve('stopped');
    if (signal.aborted) return resolve('stopped');
    signal.addEventListener('abort', abort);
    void channel.closed.then((reason) => {
      signal.removeEventListener('abort', abort);
      resolve(reason);
    });
  });
}
