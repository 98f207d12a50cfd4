import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ZoneRecord } from './records.ts';
import type { DnsService, DnsSlice } from './service-names.ts';
import { Zone } from './zone.ts';

const CIDRS = ['10.42.0.0/16', '10.43.0.0/16'];

describe('a service with a cluster IP', () => {
  const zone = zoneWith([
    service('web', { clusterIP: '10.43.0.7', ports: [{ name: 'http', port: 80 }, { port: 81 }] }),
  ]);

  test('answers with it', () => {
    expect(ask(zone, 'web.shop.svc.cluster.local', 'A')).toEqual(['10.43.0.7']);
  });

  test('has no data of other types', () => {
    expect(ask(zone, 'web.shop.svc.cluster.local', 'AAAA')).toBe('no-data');
    expect(ask(zone, 'web.shop.svc.cluster.local', 'MX')).toBe('no-data');
  });

  test('answers SRV for its named ports, with the address beside', () => {
    const found = zone.lookup('_http._tcp.web.shop.svc.cluster.local', 'SRV');
    expect(found).toMatchObject({
      records: [{ data: { port: 80, weight: 100, target: 'web.shop.svc.cluster.local' } }],
      additionals: [{ name: 'web.shop.svc.cluster.local', type: 'A', data: '10.43.0.7' }],
    });
    expect(ask(zone, '_http._udp.web.shop.svc.cluster.local', 'SRV')).toBe('no-name');
  });

  test('answers PTR for it', () => {
    expect(ask(zone, '7.0.43.10.in-addr.arpa', 'PTR')).toEqual(['web.shop.svc.cluster.local']);
    expect(ask(zone, '7.0.43.10.in-addr.arpa', 'A')).toBe('no-data');
  });

  test('has names in between that exist without data', () => {
    expect(ask(zone, '_tcp.web.shop.svc.cluster.local', 'A')).toBe('no-data');
    expect(ask(zone, 'shop.svc.cluster.local', 'A')).toBe('no-data');
    expect(ask(zone, 'svc.cluster.local', 'A')).toBe('no-data');
  });

  test('is gone with all its names when it is removed', () => {
    const own = zoneWith([service('web', { clusterIP: '10.43.0.7' })]);
    own.removeService('shop', 'web');
    expect(ask(own, 'web.shop.svc.cluster.local', 'A')).toBe('no-name');
    expect(ask(own, 'shop.svc.cluster.local', 'A')).toBe('no-name');
    expect(ask(own, '7.0.43.10.in-addr.arpa', 'PTR')).toBe('no-name');
  });
});

describe('a headless service', () => {
  const endpoints = [
    { addresses: ['10.42.0.3'], conditions: { ready: true }, hostname: 'db-0' },
    { addresses: ['10.42.1.4'], conditions: { ready: true } },
    { addresses: ['10.42.1.5'], conditions: { ready: false } },
  ];

  test('answers with its ready endpoints', () => {
    const zone = zoneWith([headless()], [slice('db', endpoints)]);
    expect(ask(zone, 'db.shop.svc.cluster.local', 'A')).toEqual(['10.42.0.3', '10.42.1.4']);
  });

  test('answers with all endpoints when it publishes those that are not ready', () => {
    const zone = zoneWith([headless({ publishNotReadyAddresses: true })], [slice('db', endpoints)]);
    expect(ask(zone, 'db.shop.svc.cluster.local', 'A')).toHaveLength(3);
  });

  test('has a name for each endpoint: its hostname or its address', () => {
    const zone = zoneWith([headless()], [slice('db', endpoints)]);
    expect(ask(zone, 'db-0.db.shop.svc.cluster.local', 'A')).toEqual(['10.42.0.3']);
    expect(ask(zone, '10-42-1-4.db.shop.svc.cluster.local', 'A')).toEqual(['10.42.1.4']);
    expect(ask(zone, '10-42-1-5.db.shop.svc.cluster.local', 'A')).toBe('no-name');
  });

  test('answers SRV for each endpoint and port, and PTR for each endpoint', () => {
    const zone = zoneWith([headless()], [slice('db', endpoints)]);
    const found = zone.lookup('_sql._tcp.db.shop.svc.cluster.local', 'SRV');
    expect(found).toMatchObject({
      records: [
        { data: { port: 5432, weight: 50, target: 'db-0.db.shop.svc.cluster.local' } },
        { data: { port: 5432, weight: 50, target: '10-42-1-4.db.shop.svc.cluster.local' } },
      ],
      additionals: [{ data: '10.42.0.3' }, { data: '10.42.1.4' }],
    });
    expect(ask(zone, '3.0.42.10.in-addr.arpa', 'PTR')).toEqual(['db-0.db.shop.svc.cluster.local']);
  });

  test('without a ready endpoint is no name', () => {
    const zone = zoneWith([headless()], [slice('db', endpoints.slice(2))]);
    expect(ask(zone, 'db.shop.svc.cluster.local', 'A')).toBe('no-name');
  });

  test('has the addresses of all its slices, each once', () => {
    const zone = zoneWith(
      [headless()],
      [slice('db', endpoints, 'db-1'), slice('db', endpoints.slice(0, 1), 'db-2')],
    );
    expect(ask(zone, 'db.shop.svc.cluster.local', 'A')).toHaveLength(2);
    zone.removeSlice('shop', 'db-1');
    expect(ask(zone, 'db.shop.svc.cluster.local', 'A')).toEqual(['10.42.0.3']);
  });
});

test('an external name is an alias, unless it looks like an address', () => {
  const zone = zoneWith([
    service('out', { type: 'ExternalName', externalName: 'Www.Example.org.' }),
    service('bad', { type: 'ExternalName', externalName: '192.0.2.1' }),
  ]);
  expect(zone.lookup('out.shop.svc.cluster.local', 'A')).toMatchObject({
    kind: 'alias',
    target: 'www.example.org',
  });
  expect(ask(zone, 'out.shop.svc.cluster.local', 'CNAME')).toEqual(['www.example.org']);
  expect(ask(zone, 'bad.shop.svc.cluster.local', 'A')).toBe('no-name');
});

test('pods have names by their address', () => {
  const zone = zoneWith([]);
  expect(ask(zone, '10-42-0-3.shop.pod.cluster.local', 'A')).toEqual(['10.42.0.3']);
  expect(ask(zone, '10-42-0-3.shop.pod.cluster.local', 'AAAA')).toBe('no-data');
  expect(ask(zone, '10-42-0-333.shop.pod.cluster.local', 'A')).toBe('no-name');
  expect(ask(zone, 'x.10-42-0-3.shop.pod.cluster.local', 'A')).toBe('no-name');
});

test('the zone says its version, its server and its authority', () => {
  const zone = zoneWith([]);
  expect(ask(zone, 'dns-version.cluster.local', 'TXT')).toEqual(['1.1.0']);
  expect(ask(zone, 'cluster.local', 'NS')).toEqual(['ns.dns.cluster.local']);
  expect(ask(zone, 'ns.dns.cluster.local', 'A')).toEqual(['10.43.0.10']);
  expect(zone.lookup('nothing.cluster.local', 'A')).toMatchObject({
    kind: 'no-name',
    authority: { name: 'cluster.local', type: 'SOA', data: { minimum: 5 } },
  });
});

test('names of others are foreign, reverse names of the cluster are not', () => {
  const zone = zoneWith([]);
  expect(ask(zone, 'example.org', 'A')).toBe('foreign');
  expect(ask(zone, 'notcluster.local', 'A')).toBe('foreign');
  expect(ask(zone, '1.2.0.192.in-addr.arpa', 'PTR')).toBe('foreign');
  expect(zone.lookup('9.9.42.10.in-addr.arpa', 'PTR')).toMatchObject({
    kind: 'no-name',
    authority: { name: '42.10.in-addr.arpa' },
  });
});

test('endpoints that flap behind a cluster IP change no record', () => {
  const zone = zoneWith([service('web', { clusterIP: '10.43.0.7' })]);
  const { serial } = zone;
  zone.putSlice(slice('web', [{ addresses: ['10.42.0.3'], conditions: { ready: true } }]));
  expect(zone.serial).toBe(serial);
});

test('changes in any order end in the same answers', () => {
  const names = ['a', 'b'];
  const change = fc.oneof(
    fc.record({
      kind: fc.constant('service' as const),
      name: fc.constantFrom(...names),
      spec: fc.constantFrom<DnsService['spec'] | undefined>(
        undefined,
        { clusterIP: 'None' },
        { clusterIP: '10.43.0.7', ports: [{ name: 'http', port: 80 }] },
        { clusterIP: '10.43.0.8' },
        { type: 'ExternalName', externalName: 'example.org' },
      ),
    }),
    fc.record({
      kind: fc.constant('slice' as const),
      name: fc.constantFrom('s1', 's2', 's3'),
      owner: fc.constantFrom(undefined, ...names),
      endpoints: fc.array(
        fc.record({
          addresses: fc.constantFrom<string[]>(['10.42.0.3'], ['10.42.0.4'], ['10.42.0.5']),
          conditions: fc.record({ ready: fc.boolean() }),
          hostname: fc.constantFrom('', 'h1', 'h2'),
        }),
        { maxLength: 4 },
      ),
    }),
  );
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
      const zone = zoneWith([]);
      const last = new Map<string, () => void>();
      const fresh = zoneWith([]);
      for (const one of changes) {
        const apply = (to: Zone) => {
          if (one.kind === 'service') {
            if (one.spec === undefined) to.removeService('shop', one.name);
            else to.putService(service(one.name, one.spec));
          } else if (one.owner === undefined) to.removeSlice('shop', one.name);
          else to.putSlice(slice(one.owner, one.endpoints, one.name));
        };
        apply(zone);
        last.set(`${one.kind}/${one.name}`, () => apply(fresh));
      }
      for (const key of [...last.keys()].sort().reverse()) last.get(key)?.();
      expect(everything(zone)).toEqual(everything(fresh));
      for (const name of names) zone.removeService('shop', name);
      for (const name of ['s1', 's2', 's3']) zone.removeSlice('shop', name);
      expect(everything(zone)).toEqual(everything(zoneWith([])));
    }),
  );
});

/** What the zone says to every question of the property test. */
function everything(zone: Zone) {
  const names = [
    'shop.svc.cluster.local',
    ...['a', 'b'].flatMap((name) =>
      ['', 'h1.', 'h2.', '10-42-0-3.', '10-42-0-4.', '_tcp.', '_http._tcp.'].map(
        (sub) => `${sub}${name}.shop.svc.cluster.local`,
      ),
    ),
    ...['3.0.42', '4.0.42', '5.0.42', '7.0.43', '8.0.43'].map((ip) => `${ip}.10.in-addr.arpa`),
  ];
  return names.flatMap((name) =>
    ['A', 'SRV', 'PTR', 'CNAME'].map((type) => `${name} ${type} ${ask(zone, name, type)}`),
  );
}

function ask(zone: Zone, name: string, type: string): string[] | string {
  const found = zone.lookup(name, type);
  if (found.kind === 'alias') return `alias ${found.target}`;
  return found.kind === 'records' ? found.records.map(text) : found.kind;
}

function text({ type, data }: ZoneRecord): string {
  return type === 'SRV' || type === 'SOA' ? JSON.stringify(data) : data;
}

function zoneWith(services: DnsService[], slices: DnsSlice[] = []): Zone {
  const zone = new Zone({ domain: 'cluster.local', address: '10.43.0.10', cidrs: CIDRS });
  for (const one of services) zone.putService(one);
  for (const one of slices) zone.putSlice(one);
  return zone;
}

function service(name: string, spec: DnsService['spec']): DnsService {
  return { metadata: { name, namespace: 'shop' }, spec };
}

function headless(spec: DnsService['spec'] = {}): DnsService {
  return service('db', { clusterIP: 'None', ...spec });
}

function slice(owner: string, endpoints: DnsSlice['endpoints'] & object, name = `${owner}-x`) {
  return {
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': owner } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }],
  };
}
