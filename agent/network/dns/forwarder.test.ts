import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../shared/reconcile/manual-clock.ts';
import { silentLogger } from '../../../shared/silent-logger.ts';
import type { Exchange, ExchangeListener } from '../../host/exchange.ts';
import { encodeAnswer } from './answers-for-tests.ts';
import { Forwarder, type ForwarderParts } from './forwarder.ts';
import { decodeMessage, decodeQuery, encodeQuery } from './packet.ts';
import type { ZoneRecord } from './records.ts';

const A = { address: '192.0.2.1', port: 53 };
const B = { address: '192.0.2.2', port: 53 };

/** One message that went to a server. */
interface Sent {
  by: 'udp' | 'tcp';
  to: string;
  message: Buffer;
  listener: ExchangeListener;
  open: boolean;
}

describe('a name of others', () => {
  test('is asked of the first server, and its answer is passed on', async () => {
    const { ask, sent } = setUp();
    const answer = ask('Example.org');
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ by: 'udp', to: A.address });
    reply(sent[0], [address('example.org', 60)]);
    expect(await answer).toMatchObject({
      id: 9,
      rcode: 'NOERROR',
      flag_ra: true,
      flag_aa: false,
      questions: [{ name: 'Example.org' }],
      answers: [{ ttl: 60, data: '203.0.113.5' }],
    });
    expect(sent[0]?.open).toBe(false);
  });

  test('is remembered for its time to live, which runs down', async () => {
    const { ask, sent, clock } = setUp();
    const first = ask('example.org');
    reply(sent[0], [address('example.org', 60)]);
    await first;
    clock.advance(20_500);
    expect((await ask('example.org'))?.answers).toMatchObject([{ ttl: 40 }]);
    expect(sent).toHaveLength(1);
    clock.advance(40_000);
    void ask('example.org');
    expect(sent).toHaveLength(2);
  });

  test('that is not there is remembered as long as its authority says', async () => {
    const { ask, sent, clock } = setUp();
    const first = ask('none.example.org');
    reply(sent[0], [], { rcode: 3, authorities: [authority('example.org', 300, 30)] });
    expect((await first)?.rcode).toBe('NXDOMAIN');
    clock.advance(29_000);
    expect((await ask('none.example.org'))?.rcode).toBe('NXDOMAIN');
    expect(sent).toHaveLength(1);
    clock.advance(2000);
    void ask('none.example.org');
    expect(sent).toHaveLength(2);
  });

  test('that many ask for at once is asked once', async () => {
    const { ask, sent } = setUp();
    const answers = [ask('example.org'), ask('EXAMPLE.org'), ask('example.org')];
    expect(sent).toHaveLength(1);
    reply(sent[0], [address('example.org', 60)]);
    for (const answer of await Promise.all(answers)) expect(answer?.rcode).toBe('NOERROR');
  });

  test('is asked again by TCP when the answer does not fit', async () => {
    const { ask, sent } = setUp();
    const answer = ask('big.example.org');
    reply(sent[0], [], { truncated: true });
    await settled();
    expect(sent[1]).toMatchObject({ by: 'tcp', to: A.address });
    reply(sent[1], [address('big.example.org', 60)]);
    expect(await answer).toMatchObject({ flag_tc: false, answers: [{ data: '203.0.113.5' }] });
  });

  test('is asked of the next server when the first does not answer or refuses', async () => {
    const { ask, sent, clock } = setUp();
    const one = ask('example.org');
    clock.advance(700);
    await settled();
    expect(sent[1]?.to).toBe(A.address);
    clock.advance(1500);
    await settled();
    expect(sent[2]?.to).toBe(B.address);
    reply(sent[2], [address('example.org', 60)]);
    expect((await one)?.rcode).toBe('NOERROR');
    const two = ask('example.net');
    expect(sent[3]?.to).toBe(B.address);
    clock.advance(1000 - 700);
    reply(sent[3], [], { rcode: 5 });
    expect((await two)?.rcode).toBe('REFUSED');
  });

  test('is not believed from a message with another id or question', async () => {
    const { ask, sent } = setUp();
    const answer = ask('example.org');
    const forged = Buffer.from(response(sent[0], [address('example.org', 60, '6.6.6.6')]));
    forged.writeUInt16BE((forged.readUInt16BE(0) + 1) & 0xffff, 0);
    sent[0]?.listener.received(forged);
    const other = encodeQuery(sent[0]?.message.readUInt16BE(0) ?? 0, 'example.com', 'A');
    sent[0]?.listener.received(encodeAnswer(other, [address('example.com', 60, '6.6.6.6')]));
    reply(sent[0], [address('example.org', 60)]);
    expect((await answer)?.answers).toMatchObject([{ data: '203.0.113.5' }]);
  });

  test('behind an alias of the cluster comes with the alias', async () => {
    const { ask, sent } = setUp();
    const alias = {
      name: 'out.shop.svc.cluster.local',
      type: 'CNAME',
      ttl: 5,
      data: 'example.org',
    };
    const answer = ask('out.shop.svc.cluster.local', [alias as ZoneRecord], 'example.org');
    reply(sent[0], [address('example.org', 60)]);
    expect((await answer)?.answers).toMatchObject([
      { name: 'out.shop.svc.cluster.local', type: 'CNAME', data: 'example.org' },
      { name: 'example.org', type: 'A', data: '203.0.113.5' },
    ]);
  });
});

describe('without a server that answers', () => {
  test('questions fail at once, and one at a time looks whether it is back', async () => {
    const { ask, sent, clock } = setUp({ servers: [A] });
    const first = ask('one.example.org');
    sent[0]?.listener.failed(new Error('unreachable'));
    expect(await first).toBeUndefined();
    expect(await ask('two.example.org')).toBeUndefined();
    expect(sent).toHaveLength(1);
    clock.advance(1000);
    const probe = ask('three.example.org');
    expect(await ask('four.example.org')).toBeUndefined();
    expect(sent).toHaveLength(2);
    reply(sent[1], [address('three.example.org', 60)]);
    expect((await probe)?.rcode).toBe('NOERROR');
    void ask('five.example.org');
    expect(sent).toHaveLength(3);
  });

  test('names that are remembered are answered for a day after they ran out', async () => {
    const { ask, sent, clock } = setUp({ servers: [A] });
    const first = ask('example.org');
    reply(sent[0], [address('example.org', 60)]);
    await first;
    clock.advance(3_600_000);
    const stale = ask('example.org');
    sent[1]?.listener.failed(new Error('unreachable'));
    expect((await stale)?.answers).toMatchObject([{ ttl: 30, data: '203.0.113.5' }]);
    clock.advance(86_400_000);
    const gone = ask('example.org');
    sent[2]?.listener.failed(new Error('unreachable'));
    expect(await gone).toBeUndefined();
  });

  test('a remembered name is answered after 1.8 s while the server is waited for', async () => {
    const { ask, sent, clock } = setUp({ servers: [A] });
    const first = ask('example.org');
    reply(sent[0], [address('example.org', 60)]);
    await first;
    clock.advance(61_000);
    const stale = ask('example.org');
    clock.advance(1800);
    expect((await stale)?.answers).toMatchObject([{ ttl: 30 }]);
    await settled();
    reply(sent[2], [address('example.org', 60, '203.0.113.6')]);
    await settled();
    expect((await ask('example.org'))?.answers).toMatchObject([{ ttl: 60, data: '203.0.113.6' }]);
  });

  test('at all, questions fail at once', async () => {
    const { ask } = setUp({ servers: [] });
    expect(await ask('example.org')).toBeUndefined();
  });
});

test('so many questions are under way at one time, and no more', async () => {
  const { ask, sent } = setUp({ maxInFlight: 3 });
  for (let index = 0; index < 3; index++) void ask(`${index}.example.org`);
  expect(await ask('more.example.org')).toBeUndefined();
  expect(sent).toHaveLength(3);
  reply(sent[0], [address('0.example.org', 60)]);
  await settled();
  void ask('more.example.org');
  expect(sent).toHaveLength(4);
});

test('the cache keeps to its entries and bytes', async () => {
  const { ask, sent } = setUp({ cache: { maxEntries: 2, maxBytes: 100_000 } });
  for (const name of ['a.org', 'b.org', 'c.org', 'b.org', 'a.org']) {
    const before = sent.length;
    const answer = ask(name);
    if (sent.length > before) reply(sent.at(-1), [address(name, 60)]);
    expect((await answer)?.rcode).toBe('NOERROR');
  }
  // b is remembered, a had to go for c.
  expect(sent).toHaveLength(4);
});

test('a server that does not know EDNS is asked without', async () => {
  const { ask, sent } = setUp();
  const answer = ask('example.org');
  expect(sent[0]?.message.readUInt16BE(10)).toBe(1);
  reply(sent[0], [], { rcode: 1 });
  await settled();
  expect(sent[1]?.message.readUInt16BE(10)).toBe(0);
  reply(sent[1], [address('example.org', 60)]);
  expect((await answer)?.rcode).toBe('NOERROR');
});

test('a server that sends our own question back is asked no more', async () => {
  const { forwarder, ask, sent, probes } = setUp();
  const probe = decodeQuery(probes[0]?.message ?? Buffer.alloc(0));
  if (typeof probe === 'string') throw new Error(probe);
  expect(await ask(probe.questions[0]?.name ?? '')).toBeUndefined();
  expect(forwarder.servers).toEqual([B]);
  void ask('example.org');
  expect(sent.map(({ to }) => to)).toEqual([B.address]);
});

function setUp({
  servers = [A, B],
  ...more
}: Partial<ForwarderParts> & { servers?: object[] } = {}) {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  let id = 0;
  const exchange =
    (by: Sent['by']): Exchange =>
    (peer, message, listener) => {
      const one = { by, to: peer.address, message: Buffer.from(message), listener, open: true };
      sent.push(one);
      return () => {
        one.open = false;
      };
    };
  const forwarder = new Forwarder({
    clock,
    randomId: () => {
      id = (id + 7919) & 0xffff;
      return id;
    },
    datagrams: exchange('udp'),
    streams: exchange('tcp'),
    log: silentLogger,
    ...more,
  });
  forwarder.setServers(servers as (typeof A)[]);
  const probes = sent.splice(0);
  const ask = async (name: string, aliases: ZoneRecord[] = [], target = name) => {
    const query = decodeQuery(encodeQuery(9, name, 'A'));
    if (typeof query === 'string') throw new Error(query);
    const question = { name: target.toLowerCase(), type: 'A', class: 'IN' };
    const bytes = await forwarder.resolve(query, question, aliases, 512);
    return bytes && decodeMessage(bytes);
  };
  return { forwarder, ask, sent, probes, clock };
}

type Extra = { rcode?: number; truncated?: boolean; authorities?: ZoneRecord[] };

function reply(to: Sent | undefined, answers: ZoneRecord[], extra: Extra = {}): void {
  to?.listener.received(response(to, answers, extra));
}

function response(to: Sent | undefined, answers: ZoneRecord[], extra: Extra = {}): Buffer {
  return encodeAnswer(to?.message ?? Buffer.alloc(0), answers, extra);
}

function address(name: string, ttl: number, data = '203.0.113.5'): ZoneRecord {
  return { name, type: 'A', ttl, data };
}

function authority(name: string, ttl: number, minimum: number): ZoneRecord {
  const data = { mname: 'a', rname: 'b', serial: 1, refresh: 1, retry: 1, expire: 1, minimum };
  return { name, type: 'SOA', ttl, data };
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
