import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../../shared/silent-logger.ts';
import { encodeBody } from '../../shared/wire/body.ts';
import {
  type Applied,
  type Hello,
  stateHash,
  type WireDocument,
} from '../../shared/wire/desired-messages.ts';
import type { MessageKind } from '../../shared/wire/frame.ts';
import type { DesiredMark } from '../state/commit.ts';
import type { DesiredChange } from '../state/disk-state.ts';
import { DesiredInbox, type DesiredStore } from './desired-inbox.ts';
import { sha256Hex } from './node-crypto.ts';

const hashOf = (documents: Record<string, string>) =>
  stateHash(
    Object.entries(documents).map(([key, version]) => ({ key, version })),
    sha256Hex,
  );

/** A disk that says when it has saved. */
class SlowStore implements DesiredStore {
  mark: DesiredMark = { epoch: 0, term: 0, generation: 0, hash: hashOf({}) };
  documents = new Map<string, string>();
  fails = false;

  versions() {
    return new Map(this.documents);
  }

  versionOf(key: string) {
    return this.documents.get(key);
  }

  async saveDesired({ mark, puts, deletes }: DesiredChange) {
    await Promise.resolve();
    if (this.fails) throw new Error('no space left on device');
    for (const key of deletes) this.documents.delete(key);
    for (const { key, version } of puts) this.documents.set(key, version);
    this.mark = mark;
  }
}

type Sent = { kind: 'hello'; body: Hello } | { kind: 'applied'; body: Applied };

describe('the desired inbox', () => {
  let store: SlowStore;
  let clock: ManualClock;
  let sent: Sent[];
  let epochs: number;
  let inbox: DesiredInbox;

  beforeEach(() => {
    store = new SlowStore();
    clock = new ManualClock();
    sent = [];
    epochs = 0;
    inbox = new DesiredInbox({
      store,
      send: (message) => sent.push(message),
      onEpoch: () => {
        epochs += 1;
      },
      release: '1',
      clock,
      random: () => 0.5,
      logger: silentLogger,
    });
    inbox.connected();
    sent = [];
  });

  async function receive(
    kind: MessageKind,
    header: { epoch?: number; term?: number; generation: number },
    body: object,
  ) {
    const message = { kind, session: '1.1', sequence: 0, epoch: 1, term: 1, ...header };
    inbox.receive({ header: message, body: encodeBody(body) });
    await inbox.settled();
  }

  const documents = (versions: Record<string, string>): WireDocument[] =>
    Object.entries(versions).map(([key, version]) => ({ key, version, object: {} }));

  const have = () => {
    const { epoch, generation, hash } = store.mark;
    return { epoch, generation, hash };
  };

  const snapshot = (
    versions: Record<string, string>,
    header: { epoch?: number; term?: number; generation: number },
    replaces: object = have(),
  ) =>
    receive('snapshot', header, {
      replaces,
      hash: hashOf(versions),
      documents: documents(versions),
    });

  test('a snapshot is saved before it is acknowledged', async () => {
    await snapshot({ 'pods/a/b': '1' }, { generation: 10 });
    expect(store.mark).toEqual({
      epoch: 1,
      term: 1,
      generation: 10,
      hash: hashOf({ 'pods/a/b': '1' }),
    });
    expect(sent).toEqual([{ kind: 'applied', body: { have: have() } }]);
  });

  test('what could not be saved is not acknowledged, and asked for again', async () => {
    store.fails = true;
    await snapshot({ 'pods/a/b': '1' }, { generation: 10 });
    expect(sent).toEqual([]);
    clock.advance(1000);
    expect(sent).toMatchObject([{ kind: 'hello', body: { want: 'snapshot' } }]);
  });

  test('a delta applies to its base only, and only if it leads to its hash', async () => {
    await snapshot({ a: '1', b: '1' }, { generation: 10 });
    sent = [];
    const base = { generation: 10, hash: hashOf({ a: '1', b: '1' }) };
    const delta = { base, hash: hashOf({ a: '2' }), puts: documents({ a: '2' }), deletes: ['b'] };
    await receive('delta', { generation: 12 }, delta);
    expect(store.documents).toEqual(new Map([['a', '2']]));
    expect(sent.at(-1)?.kind).toBe('applied');

    // Once more: acknowledged, not applied.
    await receive('delta', { generation: 12 }, delta);
    expect(sent).toHaveLength(2);
    expect(sent.at(-1)).toEqual({ kind: 'applied', body: { have: have() } });

    for (const wrong of [
      { ...delta, hash: hashOf({ a: '3' }), puts: documents({ a: '3' }) },
      { base: have(), hash: hashOf({ a: '9' }), puts: documents({ a: '3' }), deletes: [] },
    ]) {
      sent = [];
      await receive('delta', { generation: 13 }, wrong);
      expect(store.mark.generation).toBe(12);
      clock.advance(60_000);
      expect(sent).toMatchObject([{ kind: 'hello', body: { have: have(), want: 'snapshot' } }]);
    }
  });

  test('an older generation, epoch or term changes nothing', async () => {
    await snapshot({ a: '1' }, { epoch: 2, term: 5, generation: 10 });
    const before = { ...store.mark };
    const stale = { epoch: 0, generation: 0, hash: hashOf({}) };
    await snapshot({}, { epoch: 2, term: 5, generation: 9 }, stale);
    await snapshot({}, { epoch: 1, term: 5, generation: 99 }, stale);
    await snapshot({}, { epoch: 2, term: 4, generation: 99 }, stale);
    expect(store.mark).toEqual(before);
  });

  test('a restored master takes the node back when it raises the epoch, or knows what it replaces', async () => {
    await snapshot({ a: '2' }, { generation: 10 });
    await snapshot({ a: '1' }, { epoch: 2, generation: 5 }, { epoch: 0, generation: 0, hash: '' });
    expect(store.mark.generation).toBe(5);
    expect(epochs).toBe(1);
    await snapshot({ a: '0' }, { epoch: 2, generation: 4 }, have());
    expect(store.mark.generation).toBe(4);
  });

  test('a head that differs makes the node say hello; one that does not is acknowledged', async () => {
    await snapshot({ a: '1' }, { generation: 10 });
    sent = [];
    await receive('head', { generation: 10 }, { hash: hashOf({ a: '1' }) });
    expect(sent).toEqual([{ kind: 'applied', body: { have: have() } }]);
    sent = [];
    await receive('head', { generation: 11 }, { hash: hashOf({ a: '2' }) });
    expect(sent).toMatchObject([{ kind: 'hello', body: { have: have() } }]);
    // What was asked for does not come: it is asked for ever more slowly.
    for (let n = 0; n < 20; n += 1) {
      await receive('head', { generation: 11 }, { hash: hashOf({ a: '2' }) });
      clock.advance(500);
    }
    expect(sent.length).toBeLessThanOrEqual(5);
  });

  test('hello comes every five to ten minutes and not while the link is down', () => {
    clock.advance(10 * 60_000);
    expect(sent.map(({ kind }) => kind)).toEqual(['hello']);
    inbox.disconnected();
    expect(clock.pending).toBe(0);
  });

  test('whatever is lost, repeated or reordered, answers to hellos bring the node where it should be', async () => {
    const versions = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'));
    const disturbance = fc.constantFrom('deliver', 'lose', 'repeat', 'late');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(versions, disturbance), { maxLength: 12 }),
        async (steps) => {
          store.mark = { epoch: 0, term: 0, generation: 0, hash: hashOf({}) };
          store.documents.clear();
          let generation = 0;
          let target: Record<string, string> = {};
          let base = { generation: 0, hash: hashOf({}) };
          const late: (() => Promise<void>)[] = [];
          for (const [next, how] of steps) {
            generation += 1;
            const delta = {
              base,
              hash: hashOf(next),
              puts: documents(next),
              deletes: Object.keys(target).filter((key) => !(key in next)),
            };
            const at = generation;
            const deliver = () => receive('delta', { generation: at }, delta);
            if (how === 'late') late.push(deliver);
            else if (how !== 'lose') await deliver();
            if (how === 'repeat') await deliver();
            target = next;
            base = { generation, hash: hashOf(next) };
          }
          for (const deliver of late) await deliver();
          await snapshot(target, { generation: generation + 1 });
          expect(Object.fromEntries(store.documents)).toEqual({ ...target });
          expect(store.mark.hash).toBe(hashOf(target));
        },
      ),
      { numRuns: 100 },
    );
  });
});
