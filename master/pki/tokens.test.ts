import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../shared/reconcile/manual-clock.ts';
import { CATALOG } from '../../shared/resources/catalog.ts';
import { NAMESPACES } from '../../shared/resources/namespace.ts';
import { SECRETS } from '../../shared/resources/secret.ts';
import { parseJoinToken } from '../../shared/wire/join-token.ts';
import { MemoryStore } from '../store/memory-store.ts';
import { Registry } from '../store/registry.ts';
import { JoinTokens } from './tokens.ts';

const HASH = 'ab'.repeat(32);
const START = Date.UTC(2026, 10, 21, 12);

describe('join tokens', () => {
  let clock: ManualClock;
  let registry: Registry;
  let tokens: JoinTokens;

  beforeEach(async () => {
    clock = new ManualClock(START);
    let uid = 0;
    const store = new MemoryStore();
    await store.open();
    registry = new Registry({ store, clock, kinds: CATALOG, newUid: () => `u${++uid}` });
    await registry.open();
    await registry.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'kube-system', uid: '', resourceVersion: '', creationTimestamp: '' },
      spec: {},
      status: {},
    });
    tokens = new JoinTokens({ registry, secrets: SECRETS, clock, caSha256: HASH });
  });

  const secretOf = (token: string) =>
    registry.get(SECRETS, {
      namespace: 'kube-system',
      name: `bootstrap-token-${token.split('.')[0]}`,
    });
  const refusal = (token: string, message: string, node = 'pi-1') =>
    expect(tokens.redeem(token, node, 'another request')).rejects.toMatchObject({
      reason: 'Unauthorized',
      message: expect.stringMatching(new RegExp(`^${message}[^]*makes another$`)),
    });

  test('are Secrets of the bootstrap type, for a day and one use', async () => {
    const token = await tokens.create();
    expect(parseJoinToken(token)?.caSha256).toBe(HASH);
    const secret = secretOf(token);
    expect(secret.type).toBe('bootstrap.kubernetes.io/token');
    const plain = Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [key, atob(value)]),
    );
    expect(plain).toEqual({
      'token-id': token.split('.')[0],
      'token-secret': token.split('.')[1],
      expiration: '2026-11-22T12:00:00Z',
      'usage-bootstrap-authentication': 'true',
      'skerry-uses': '1',
    });
  });

  test('the same request again takes no other use, until the token ends', async () => {
    const token = await tokens.create({ ttlSeconds: 60, uses: 2 });
    await tokens.redeem(token, 'pi-1', 'a');
    await (await tokens.redeem(token, 'pi-1', 'a')).giveBack();
    await tokens.redeem(token, 'pi-2', 'b');
    await tokens.redeem(token, 'pi-1', 'a');
    await expect(tokens.redeem(token, 'pi-1', 'c')).rejects.toThrow('used up');
    const [id, , hash] = token.split('.');
    await expect(tokens.redeem(`${id}.${'0'.repeat(16)}.${hash}`, 'pi-1', 'a')).rejects.toThrow(
      'unknown',
    );
    clock.advance(61_000);
    await expect(tokens.redeem(token, 'pi-1', 'a')).rejects.toThrow('expired');
  });

  test('a use that was kept counts again while its device is a member, and then as another', async () => {
    const token = await tokens.create({ uses: 2 });
    const redeem = (isMember: boolean) =>
      tokens.redeem(token, 'pi-1', 'a', { isMember: () => isMember });
    await (await redeem(false)).keep();
    expect((await redeem(true)).isOfMember).toBe(true);
    const second = await redeem(false);
    expect(second.isOfMember).toBe(false);
    await second.keep();
    await redeem(true);
    await expect(redeem(false)).rejects.toThrow('used up');
  });

  test('one request that comes twice at once takes one use', async () => {
    const token = await tokens.create({ uses: 2 });
    await Promise.all([tokens.redeem(token, 'pi-1', 'a'), tokens.redeem(token, 'pi-1', 'a')]);
    await tokens.redeem(token, 'pi-2', 'b');
  });

  test('only the last sixteen requests of a token are remembered', async () => {
    const token = await tokens.create({ uses: 17 });
    for (let n = 0; n < 17; n += 1) await tokens.redeem(token, `pi-${n}`, `r${n}`);
    await tokens.redeem(token, 'pi-1', 'r1');
    await expect(tokens.redeem(token, 'pi-0', 'r0')).rejects.toThrow('used up');
  });

  test('a use that was given back is forgotten with its request', async () => {
    const token = await tokens.create();
    await (await tokens.redeem(token, 'pi-1', 'a')).giveBack();
    await tokens.redeem(token, 'pi-2', 'b');
    await expect(tokens.redeem(token, 'pi-1', 'a')).rejects.toThrow('used up');
  });

  test('serve as often as they say, and a use that led nowhere is given back', async () => {
    const token = await tokens.create({ uses: 2 });
    await tokens.redeem(token, 'pi-1', 'request of pi-1');
    const use = await tokens.redeem(token, 'pi-2', 'request of pi-2');
    await refusal(token, 'the join token is used up');
    await use.giveBack();
    await tokens.redeem(token, 'pi-3', 'request of pi-3');
    await refusal(token, 'the join token is used up');
  });

  test('one use goes to one of two devices that come at once', async () => {
    const token = await tokens.create();
    const outcomes = await Promise.allSettled([
      tokens.redeem(token, 'pi-1', 'request of pi-1'),
      tokens.redeem(token, 'pi-2', 'request of pi-2'),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('each refusal says why', async () => {
    const token = await tokens.create({ ttlSeconds: 60, nodeName: 'pi-1' });
    const [id, secret] = token.split('.');
    await refusal('abc', 'the join token is malformed: it has the form <id>.<secret>.<hash>; ');
    await refusal(`${id}.${secret}.${'cd'.repeat(32)}`, 'the join token is of another cluster');
    await refusal(`zzzzzz.${secret}.${HASH}`, 'the join token is unknown');
    await refusal(`${id}.${'0'.repeat(16)}.${HASH}`, 'the join token is unknown');
    await refusal(token, 'the join token is for node "pi-1", not for "pi-2"', 'pi-2');
    clock.advance(61_000);
    await refusal(token, 'the join token expired at 2026-11-21T12:01:00Z');
  });

  test('what a good token is not permitted for costs no use, and writes nothing', async () => {
    const token = await tokens.create({ nodeName: 'pi-1', adopts: true });
    const { resourceVersion } = secretOf(token).metadata;
    const permit = (adopts: boolean) => {
      throw new Error(`adopts: ${adopts}`);
    };
    await expect(tokens.redeem(token, 'pi-1', 'a', { permit })).rejects.toThrow('adopts: true');
    expect(secretOf(token).metadata.resourceVersion).toBe(resourceVersion);
  });

  test('a token whose end is no time has expired', async () => {
    const token = await tokens.create();
    const key = { namespace: 'kube-system', name: secretOf(token).metadata.name };
    await registry.update(SECRETS, key, (current) => ({
      ...current,
      data: { ...current.data, expiration: btoa('tomorrow') },
    }));
    await refusal(token, 'the join token expired: ');
  });

  test('a Secret of another type, or not meant for joining, is no token', async () => {
    const token = await tokens.create();
    const key = { namespace: 'kube-system', name: secretOf(token).metadata.name };
    await registry.update(SECRETS, key, (current) => ({
      ...current,
      data: { ...current.data, 'usage-bootstrap-authentication': btoa('false') },
    }));
    await refusal(token, 'the join token is unknown');
  });

  test('a token that was deleted while it was used takes nothing back', async () => {
    const token = await tokens.create();
    const use = await tokens.redeem(token, 'pi-1', 'request of pi-1');
    await registry.delete(SECRETS, {
      namespace: 'kube-system',
      name: secretOf(token).metadata.name,
    });
    await use.giveBack();
    await refusal(token, 'the join token is unknown');
  });
});
