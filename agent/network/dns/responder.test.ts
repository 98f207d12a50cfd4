import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeQuery } from './packet.ts';
import { Responder } from './responder.ts';
import { Zone } from './zone.ts';

const EDNS_BYTES = 4096;

describe('a query', () => {
  test('for a name that is not there gets the zone authority', () => {
    const response = ask(encodeQuery(1, 'nothing.shop.svc.cluster.local', 'A'));
    expect(response).toMatchObject({
      rcode: 'NXDOMAIN',
      answers: [],
      flag_aa: true,
      flag_ra: true,
    });
    expect(response.authorities).toMatchObject([{ name: 'cluster.local', type: 'SOA', ttl: 5 }]);
  });

  test('for another type of a name gets no error and the zone authority', () => {
    const response = ask(encodeQuery(1, 'web.shop.svc.cluster.local', 'AAAA'));
    expect(response).toMatchObject({ rcode: 'NOERROR', answers: [] });
    expect(response.authorities).toMatchObject([{ type: 'SOA' }]);
  });

  test('is answered with its own letters, id and wish for recursion', () => {
    const query = encodeQuery(4711, 'wEb.Shop.svc.cluster.LOCAL', 'A');
    for (let time = 0; time < 2; time++) {
      const response = ask(query);
      expect(response).toMatchObject({ id: 4711, flag_rd: true });
      expect(response.questions).toMatchObject([{ name: 'wEb.Shop.svc.cluster.LOCAL' }]);
      expect(response.answers).toMatchObject([{ name: 'wEb.Shop.svc.cluster.LOCAL' }]);
    }
  });

  test('with EDNS gets EDNS, one without gets none', () => {
    const name = 'web.shop.svc.cluster.local';
    expect(ask(encodeQuery(1, name, 'A', EDNS_BYTES)).additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0 },
    ]);
    expect(ask(encodeQuery(1, name, 'A')).additionals).toEqual([]);
  });

  test('with another version of EDNS gets the version that is known', () => {
    const query = encodeQuery(1, 'web.shop.svc.cluster.local', 'A', EDNS_BYTES);
    query.writeUInt8(1, query.length - 5);
    expect(ask(query).additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }]);
  });

  test('that does not fit is cut and says so, and fits by TCP', () => {
    const many = ask(encodeQuery(1, 'many.shop.svc.cluster.local', 'A'));
    expect(many.flag_tc).toBe(true);
    expect(many.answers?.length).toBeGreaterThan(10);
    const whole = ask(encodeQuery(1, 'many.shop.svc.cluster.local', 'A'), responder(), 'tcp');
    expect(whole).toMatchObject({ flag_tc: false });
    expect(whole.answers).toHaveLength(60);
  });

  test('for addresses gets them in every order, and all of them each time', () => {
    const one = responder(Math.random);
    const orders = new Set<string>();
    for (let time = 0; time < 100; time++) {
      const { answers = [] } = ask(encodeQuery(time, 'db.shop.svc.cluster.local', 'A'), one);
      const addresses = answers.map((answer) => ('data' in answer ? String(answer.data) : ''));
      expect([...addresses].sort()).toEqual(['10.42.0.3', '10.42.0.4', '10.42.0.5']);
      orders.add(addresses.join());
    }
    expect(orders.size).toBe(6);
  });

  test('follows the records as they change', () => {
    const zone = shopZone();
    const one = responder(() => 0, zone);
    const query = encodeQuery(1, 'web.shop.svc.cluster.local', 'A');
    expect(ask(query, one).answers).toMatchObject([{ data: '10.43.0.7' }]);
    zone.putService({
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.43.0.9' },
    });
    expect(ask(query, one).answers).toMatchObject([{ data: '10.43.0.9' }]);
  });

  test('for an alias within the cluster gets the whole way', () => {
    const { answers } = ask(encodeQuery(1, 'alias.shop.svc.cluster.local', 'A'));
    expect(answers).toMatchObject([
      { type: 'CNAME', data: 'web.shop.svc.cluster.local' },
      { type: 'A', data: '10.43.0.7' },
    ]);
  });

  test('for aliases in a circle, or too many in a row, fails', () => {
    expect(ask(encodeQuery(1, 'loop-1.shop.svc.cluster.local', 'A')).rcode).toBe('SERVFAIL');
    expect(ask(encodeQuery(1, 'chain-0.shop.svc.cluster.local', 'A')).rcode).toBe('SERVFAIL');
    expect(ask(encodeQuery(1, 'chain-15.shop.svc.cluster.local', 'A')).rcode).toBe('NOERROR');
  });

  test.each([
    ['of another operation', 'NOTIMP', (query: Buffer) => query.writeUInt8(0x28, 2)],
    ['without a question', 'FORMERR', (query: Buffer) => query.writeUInt16BE(0, 4)],
    ['of another class', 'REFUSED', (query: Buffer) => query.writeUInt16BE(3, query.length - 2)],
    [
      'for a zone transfer',
      'REFUSED',
      (query: Buffer) => query.writeUInt16BE(252, query.length - 4),
    ],
    ['that promises more than it has', 'FORMERR', (query: Buffer) => query.writeUInt16BE(9, 4)],
    [
      'with a name that points ahead',
      'FORMERR',
      (query: Buffer) => query.writeUInt16BE(0xc00c, 12),
    ],
  ])('%s gets %s', (_what, rcode, change) => {
    const query = encodeQuery(77, 'web.shop.svc.cluster.local', 'A');
    change(query);
    expect(ask(query)).toMatchObject({ id: 77, rcode });
  });

  test('with two questions gets a format error', () => {
    const query = encodeQuery(1, 'web.shop.svc.cluster.local', 'A');
    const two = Buffer.concat([query, query.subarray(12)]);
    two.writeUInt16BE(2, 4);
    expect(ask(two).rcode).toBe('FORMERR');
  });

  test('that is a response, or less than a header, gets nothing', () => {
    const response = encodeQuery(1, 'web.shop.svc.cluster.local', 'A');
    response.writeUInt8(0x80, 2);
    expect(responder().respond(response, 'udp', wait)).toBeUndefined();
    expect(responder().respond(response.subarray(0, 11), 'udp', wait)).toBeUndefined();
  });

  test('for a name of others fails when nobody knows it', async () => {
    const response = await responder().respond(encodeQuery(5, 'example.org', 'A'), 'udp', wait);
    expect(decodeMessage(response ?? Buffer.alloc(0))).toMatchObject({ id: 5, rcode: 'SERVFAIL' });
  });
});

test('whatever comes in, at most one response goes out, and none that is too long', async () => {
  const one = responder(Math.random);
  const valid = encodeQuery(1, 'many.shop.svc.cluster.local', 'A', 1232);
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    // A query with some bytes changed, cut or added.
    fc
      .tuple(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(valid.length),
        fc.uint8Array({ maxLength: 20 }),
      )
      .map(([changes, length, tail]) => {
        const changed = Buffer.from(valid);
        for (const [index, byte] of changes) changed[index] = byte;
        return Buffer.concat([changed.subarray(0, length), tail]);
      }),
  );
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom('udp' as const, 'tcp' as const), async (input, by) => {
      const query = Buffer.from(input);
      const response = await one.respond(query, by, wait);
      if (response === undefined) return;
      expect(response.length).toBeLessThanOrEqual(by === 'udp' ? 1232 : 65_535);
      expect(response.readUInt16BE(0)).toBe(query.readUInt16BE(0));
      expect(response.readUInt8(2) & 0x80).toBe(0x80);
      decodeMessage(response);
    }),
    { numRuns: 500 },
  );
});

function wait(): () => void {
  return () => {};
}

function ask(query: Buffer, one = responder(), transport: 'udp' | 'tcp' = 'udp') {
  const response = one.respond(query, transport, wait);
  if (!(response instanceof Buffer)) throw new Error('there is no response');
  return decodeMessage(response);
}

function responder(random = () => 0, zone = shopZone()): Responder {
  return new Responder({
    zone: () => zone,
    upstreams: { resolve: async () => undefined },
    random,
  });
}

function shopZone(): Zone {
  const zone = new Zone({ domain: 'cluster.local', address: '10.43.0.10', cidrs: [] });
  const put = (name: string, spec: Parameters<Zone['putService']>[0]['spec']) =>
    zone.putService({ metadata: { name, namespace: 'shop' }, spec });
  const alias = (name: string, to: string) =>
    put(name, { type: 'ExternalName', externalName: `${to}.shop.svc.cluster.local` });
  put('web', { clusterIP: '10.43.0.7' });
  alias('alias', 'web');
  alias('loop-1', 'loop-2');
  alias('loop-2', 'loop-1');
  for (let index = 0; index < 20; index++) alias(`chain-${index}`, `chain-${index + 1}`);
  put('chain-20', { clusterIP: '10.43.0.20' });
  for (const [name, count] of [
    ['db', 3],
    ['many', 60],
  ] as const) {
    put(name, { clusterIP: 'None' });
    zone.putSlice({
      metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      endpoints: Array.from({ length: count }, (_, index) => ({
        addresses: [`10.42.0.${index + 3}`],
      })),
    });
  }
  return zone;
}
