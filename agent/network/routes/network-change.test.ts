import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { KernelNetwork } from './kernel-network.ts';
import { networkChange } from './network-change.ts';
import type { RoutePlan } from './peer-plan.ts';

type Wanted = Parameters<typeof networkChange>[0];
type Present = Parameters<typeof networkChange>[1];

const OWN = { vxlanLink: 'sv0', podLinkPrefix: 'sk0', routeMetric: 5 };

describe('networkChange', () => {
  test('leads from any state to any other, and from there nowhere', () => {
    fc.assert(
      fc.property(presents, wanteds, (present, wanted) => {
        const kernel = new Kernel(present);
        kernel.run(networkChange(wanted, present, OWN));
        expect(networkChange(wanted, kernel.read(), OWN)).toEqual({ ip: [], bridge: [] });
        expect(kernel.read()).toEqual(new Kernel(asPresent(wanted)).read());
      }),
    );
  });

  test('a route that changes is replaced, never deleted first', () => {
    const before = [route('10.42.1.0/24', 'eth0', '192.168.1.20')];
    const after = [route('10.42.1.0/24', 'eth0', '192.168.1.21')];
    const change = networkChange({ ...NOTHING, routes: after }, { ...EMPTY, routes: before }, OWN);
    expect(change.ip).toEqual([
      'route replace 10.42.1.0/24 via 192.168.1.21 dev eth0 proto 83 metric 5',
    ]);
  });

  test('a link of another network or kind is made anew', () => {
    const present = { ...asPresent({ ...NOTHING, vxlan: VXLAN }), routes: [] };
    const foreign = { ...present.vxlan, vni: Number.NaN } as NonNullable<KernelNetwork['vxlan']>;
    const change = networkChange({ ...NOTHING, vxlan: VXLAN }, { ...present, vxlan: foreign }, OWN);
    expect(change.ip.slice(0, 2)).toEqual([
      'link delete sv0',
      'link add sv0 address 0a:00:00:00:00:01 mtu 1450 type vxlan id 7 dstport 8500 nolearning',
    ]);
  });
});

const VXLAN = {
  vni: 7,
  port: 8500,
  mac: '0a:00:00:00:00:01',
  mtuBytes: 1450,
  address: '10.42.0.1',
};
const EMPTY: Present = { vxlan: undefined, routes: [], neighbours: [], forwarding: [] };
const NOTHING: Wanted = {
  vxlan: undefined,
  routes: [],
  neighbours: new Map(),
  forwarding: new Map(),
};

function route(destination: string, device: string, via: string): RoutePlan {
  return { destination, device, via, isOnLink: device === 'sv0' };
}

const number = fc.integer({ min: 0, max: 4 });
const mac = number.map((last) => `0a:00:00:00:01:0${last}`);
const remote = number.map((last) => `172.16.0.${last}`);
const gateway = number.map((third) => `10.42.${third}.1`);
const vxlan = fc.record({
  vni: fc.constantFrom(7, 8),
  port: fc.constant(8500),
  mac: fc.constantFrom('0a:00:00:00:00:01', '0a:00:00:00:00:02'),
  mtuBytes: fc.constantFrom(1450, 1350),
  address: fc.constantFrom('10.42.0.1', '10.42.9.1', undefined),
});
/** Only a machine with the link has anything on it. */
const wanteds: fc.Arbitrary<Wanted> = fc.option(vxlan, { nil: undefined }).chain((link) => {
  const onLink = link === undefined ? 0 : 4;
  return fc.record({
    vxlan: fc.constant(link),
    routes: fc.uniqueArray(
      fc
        .tuple(number, fc.constantFrom('eth0', ...(link ? ['sv0'] : [])), gateway)
        .map(([third, device, via]) => route(`10.42.${third}.0/24`, device, via)),
      { selector: ({ destination }) => destination },
    ),
    neighbours: fc
      .array(fc.tuple(gateway, mac), { maxLength: onLink })
      .map((rows) => new Map(rows)),
    forwarding: fc.array(fc.tuple(mac, remote), { maxLength: onLink }).map((rows) => new Map(rows)),
  });
});
const presents: fc.Arbitrary<Present> = fc
  .tuple(wanteds, fc.array(fc.tuple(mac, remote), { maxLength: 3 }), fc.boolean(), fc.boolean())
  .map(([wanted, more, isUp, isLearning]) => {
    const present = asPresent(wanted);
    if (present.vxlan === undefined) return present;
    const forwarding = new Map([...present.forwarding, ...more].map((row) => [row.join(), row]));
    return {
      ...present,
      vxlan: { ...present.vxlan, isUp, isLearning },
      // The kernel drops the routes of a link that goes down.
      routes: present.routes.filter(({ device }) => isUp || device !== 'sv0'),
      forwarding: [...forwarding.values()],
    };
  });

function asPresent(wanted: Wanted): Present {
  const link = wanted.vxlan;
  return {
    vxlan: link && {
      vni: link.vni,
      port: link.port,
      isLearning: false,
      mac: link.mac,
      mtuBytes: link.mtuBytes,
      isUp: true,
      addresses: link.address === undefined ? [] : [`${link.address}/32`],
    },
    routes: [...wanted.routes],
    neighbours: [...wanted.neighbours],
    forwarding: [...wanted.forwarding],
  };
}

/** Just enough of ip(8) and bridge(8) for the lines of a change; what the real ones would refuse throws. */
class Kernel {
  #vxlan: KernelNetwork['vxlan'];
  readonly #routes: Map<string, RoutePlan>;
  #neighbours: Map<string, string>;
  #forwarding: [string, string][];

  constructor(present: Present) {
    this.#vxlan = present.vxlan && { ...present.vxlan };
    this.#routes = new Map(present.routes.map((row) => [row.destination, row]));
    this.#neighbours = new Map(present.neighbours);
    this.#forwarding = [...present.forwarding];
  }

  read(): Present {
    return {
      vxlan: this.#vxlan,
      routes: [...this.#routes.values()].sort((left, right) =>
        left.destination < right.destination ? -1 : 1,
      ),
      neighbours: [...this.#neighbours].sort(),
      forwarding: [...this.#forwarding].sort(),
    };
  }

  run(change: { ip: string[]; bridge: string[] }): void {
    for (const line of [...change.ip, ...change.bridge]) this.#obey(line.split(' '));
  }

  #obey(words: string[]): void {
    const [object, verb, subject = ''] = words;
    const after = (word: string) => words[words.indexOf(word) + 1] ?? '';
    switch (`${object} ${verb}`) {
      case 'link delete':
        this.#link();
        this.#vxlan = undefined;
        this.#neighbours.clear();
        this.#forwarding = [];
        for (const [key, { device }] of this.#routes)
          if (device === 'sv0') this.#routes.delete(key);
        return;
      case 'link add':
        if (this.#vxlan !== undefined) throw new Error('File exists');
        this.#vxlan = {
          vni: Number(after('id')),
          port: Number(after('dstport')),
          isLearning: !words.includes('nolearning'),
          mac: after('address'),
          mtuBytes: Number(after('mtu')),
          isUp: false,
          addresses: [],
        };
        return;
      case 'link set':
        if (words.includes('up')) this.#link().isUp = true;
        if (words.includes('mtu')) this.#link().mtuBytes = Number(after('mtu'));
        if (words.includes('address')) this.#link().mac = after('address');
        return;
      case 'addr add':
        this.#link().addresses.push(subject);
        return;
      case 'addr del':
        this.#link().addresses = this.#link().addresses.filter((address) => address !== subject);
        return;
      case 'neigh replace':
        this.#link();
        this.#neighbours.set(subject, after('lladdr'));
        return;
      case 'neigh del':
        if (!this.#neighbours.delete(subject)) throw new Error('No such file or directory');
        return;
      case 'route replace':
        if (after('dev') === 'sv0' && !this.#link().isUp) throw new Error('Network is down');
        this.#routes.set(subject, route(subject, after('dev'), after('via')));
        return;
      case 'route del':
        if (!this.#routes.delete(subject)) throw new Error('No such process');
        return;
      case 'fdb replace':
        this.#link();
        this.#forwarding = this.#forwarding.filter(([address]) => address !== subject);
        this.#forwarding.push([subject, after('dst')]);
        return;
      case 'fdb del': {
        const left = this.#forwarding.filter((row) => row.join() !== `${subject},${after('dst')}`);
        if (left.length === this.#forwarding.length) throw new Error('No such file or directory');
        this.#forwarding = left;
        return;
      }
      default:
        throw new Error(`unknown: ${words.join(' ')}`);
    }
  }

  #link(): NonNullable<KernelNetwork['vxlan']> {
    if (this.#vxlan === undefined) throw new Error('Cannot find device');
    return this.#vxlan;
  }
}
