import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatTime } from '../../../shared/meta/time.ts';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../../shared/resources/namespace.ts';
import { SECRETS } from '../../../shared/resources/secret.ts';
import { silentLogger as log } from '../../../shared/silent-logger.ts';
import {
  JOIN_TOKEN_KEYS,
  JOIN_TOKEN_NAMESPACE,
  joinTokenSecret,
  newJoinToken,
} from '../../../shared/wire/join-token.ts';
import { EventRecorder } from '../../store/event-recorder.ts';
import { MemoryStore } from '../../store/memory-store.ts';
import { Registry } from '../../store/registry.ts';
import { ControllerRunner } from '../controller-runner.ts';
import { tokenCleaner } from './token-cleaner.ts';

let clock: ManualClock;
let registry: Registry;
let runner: ControllerRunner;

beforeEach(async () => {
  clock = new ManualClock();
  const store = new MemoryStore();
  await store.open();
  let uid = 0;
  registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
  await registry.open();
  const metadata = {
    name: JOIN_TOKEN_NAMESPACE,
    uid: '',
    resourceVersion: '',
    creationTimestamp: '',
  };
  await registry.create(NAMESPACES, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata,
    spec: {},
    status: {},
  });
  const events = new EventRecorder({ registry, clock, log });
  const parts = { registry, clock, log, events };
  runner = new ControllerRunner(tokenCleaner(parts), parts);
  runner.start();
});

afterEach(() => runner.stop());

/** `uses` undefined: a bootstrap token of Kubernetes. */
async function addToken(expiration: string | undefined, uses?: number): Promise<string> {
  const secret = joinTokenSecret(newJoinToken(randomBytes, '0'.repeat(64)), {
    expiration: expiration ?? '',
    ...(uses !== undefined && { uses }),
  });
  if (expiration === undefined) delete secret.data?.[JOIN_TOKEN_KEYS.expiration];
  return (await registry.create(SECRETS, secret)).metadata.name;
}

const WEEK_HOURS = 7 * 24;
const names = () => registry.list(SECRETS).map(({ metadata }) => metadata.name);
const inHours = (hours: number) => formatTime(clock.nowMs() + hours * 3_600_000);

test('a bootstrap token goes when it expires, and not before', async () => {
  const [kept, short, endless] = [
    await addToken(inHours(100 * 24)),
    await addToken(inHours(1)),
    await addToken(undefined),
  ];
  await vi.waitFor(() => expect(clock.pending).toBe(2));
  clock.advance(3_599_000);
  expect(names()).toContain(short);
  clock.advance(1000);
  await vi.waitFor(() => expect(names()).toEqual([kept, endless].sort()));
});

test('a token that joins devices goes a week after it expired, also one that is used up', async () => {
  await addToken(inHours(-WEEK_HOURS), 1);
  const kept = await addToken(inHours(-WEEK_HOURS + 1), 0);
  await vi.waitFor(() => expect(names()).toEqual([kept]));
  clock.advance(3_599_000);
  expect(names()).toEqual([kept]);
  clock.advance(1000);
  await vi.waitFor(() => expect(names()).toEqual([]));
});

test('a token that expired while no master ran, or whose end is no time, goes at once', async () => {
  await addToken(inHours(-1));
  await addToken('tomorrow');
  await addToken('tomorrow', 1);
  await vi.waitFor(() => expect(names()).toEqual([]));
  expect(clock.pending).toBe(0);
});
