import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { JsonObject } from '../../../shared/meta/kube-object.ts';
import { runCommand as run } from '../../host/command.ts';
import type { RoutesAnswer, RoutesCommand } from '../testing/routes-node.ts';
import { vethScript } from '../veth.ts';
import { vxlanLink } from './vxlan.ts';

/**
 * Three machines, each a network namespace: a and b on one segment, c behind a router that knows no pod. Every machine runs the routes of its node,
 * and has a pod as agent/network makes them.
 */
/** Found by the PATH; not a package's command. */
const IP = 'ip';
const UNIQUE = `r${process.pid.toString(36)}`;
const PROGRAM = new URL('../testing/routes-node.ts', import.meta.url).pathname;
const CLUSTER = {
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  dnsAddress: '10.43.0.10',
  clusterDomain: 'cluster.local',
};
const router = `${UNIQUE}-r`;
const namespaces: string[] = [router];
let a: Machine;
let b: Machine;
let c: Machine;

beforeAll(async () => {
  await addNamespace(router);
  await sh(
    router,
    'ip link add seg type bridge; ip addr add 10.201.1.1/24 dev seg; ip link set seg up',
  );
  await sh(
    router,
    'ip link add far type bridge; ip addr add 10.201.2.1/24 dev far; ip link set far up',
  );
  a = await Machine.boot('a', 'seg', '10.201.1.2', '10.42.1.0/24');
  b = await Machine.boot('b', 'seg', '10.201.1.3', '10.42.2.0/24');
  c = await Machine.boot('c', 'far', '10.201.2.4', '10.42.3.0/24');
  for (const machine of [a, b, c]) await machine.learn();
  await Promise.all([a, b, c].map((machine) => machine.addPod()));
});

afterAll(async () => {
  for (const machine of [a, b, c]) machine?.off();
  for (const name of namespaces) await run('ip', ['netns', 'del', name]).catch(() => {});
});

describe('between machines', () => {
  test('a peer on the segment is a gateway, one behind a router is reached in VXLAN frames, and each is told', async () => {
    await settled(a, { b: 'host-gw', c: 'vxlan' });
    await settled(b, { a: 'host-gw', c: 'vxlan' });
    await settled(c, { a: 'vxlan', b: 'vxlan' });
    const routes = await sh(a.name, 'ip route show proto 83');
    expect(routes).toContain('10.42.2.0/24 via 10.201.1.3 dev wan');
    expect(routes).toContain(`10.42.3.0/24 via 10.42.3.1 dev ${a.vxlan}`);
    expect(routes).toContain('10.43.0.0/16 dev lo scope link src 10.201.1.2');
  });

  test('pods reach pods, in packets as large as their link lets through and none cut into fragments', async () => {
    const before = await fragments();
    expect((await a.ask({ do: 'show' })).podMtuBytes).toBe(1450);
    expect(await sh(a.pod, 'cat /sys/class/net/eth0/mtu')).toBe('1450\n');
    for (const from of [a, b, c]) {
      for (const to of [a, b, c]) if (from !== to) await ping(from.pod, to.podIp, 1450 - 28);
    }
    expect(await fragments()).toEqual(before);
  });

  test('a pod that began with a larger link is told the smaller one', async () => {
    await sh(a.name, `ip link set ${a.podLink} mtu 1500`);
    await sh(a.pod, 'ip link set eth0 mtu 1500');
    await ping(a.pod, c.podIp, 1500 - 28);
    expect(await sh(a.pod, `ip route get ${c.podIp}`)).toContain('mtu 1450');
  });

  test('a machine itself reaches pods of the others', async () => {
    await ping(a.name, b.podIp);
    await ping(a.name, c.podIp);
    await ping(c.name, a.podIp);
  });

  test('a machine without a default route reaches ClusterIPs, here as a proxy would translate them', async () => {
    const rules = `table ip t {
      chain out { type nat hook output priority -100; ip daddr 10.43.0.99 dnat to ${a.podIp}; ip daddr 10.43.0.98 dnat to ${c.podIp}; }
      chain post { type nat hook postrouting priority 100; ip saddr != 10.42.0.0/16 oifname "${a.vxlan}" masquerade; }
    }`;
    await sh(a.name, `echo '${rules}' | nft -f -`);
    await ping(a.name, '10.43.0.98');
    await sh(a.name, 'ip route del default; ip route add 10.201.2.0/24 via 10.201.1.1');
    await a.ask({ do: 'beat' });
    await ping(a.name, '10.43.0.99');
    await ping(a.name, '10.43.0.98');
    await sh(a.name, 'nft delete table ip t; ip route del 10.201.2.0/24');
    await sh(a.name, 'ip route add default via 10.201.1.1');
    await a.ask({ do: 'beat' });
  });
});

describe('what changes', () => {
  test('a new address of a machine is followed, by itself and by its peers', async () => {
    await c.readdress('10.201.2.9');
    expect((await c.ask({ do: 'beat' })).nodeIp).toBe('10.201.2.9');
    await a.readdress('10.201.1.7');
    await a.ask({ do: 'beat' });
    for (const machine of [a, b, c]) await machine.learn();
    await soon(async () => {
      expect(await sh(b.name, 'ip route show proto 83')).toContain('10.42.1.0/24 via 10.201.1.7');
      expect(await sh(a.name, 'ip route show proto 83')).toContain('src 10.201.1.7');
      for (const machine of [a, b]) {
        expect(await sh(machine.name, `bridge fdb show dev ${machine.vxlan}`)).toContain(
          'dst 10.201.2.9',
        );
      }
      expect(await sh(c.name, `bridge fdb show dev ${c.vxlan}`)).toContain('dst 10.201.1.7');
    });
    await ping(a.pod, b.podIp);
    await ping(a.pod, c.podIp);
    await ping(c.pod, b.podIp);
  });

  test('what another hand took away or bent is back after a heartbeat or a look at everything', async () => {
    const whole = await a.kernel();
    const { vxlan } = a;
    await sh(a.name, 'ip route del 10.42.2.0/24');
    await a.ask({ do: 'beat' });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await sh(a.name, `ip neigh del 10.42.3.1 dev ${vxlan}`);
    await a.ask({ do: 'beat' });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await sh(a.name, `ip link del ${vxlan}`);
    await a.ask({ do: 'beat' });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await sh(a.name, `ip link set ${vxlan} mtu 1300; bridge fdb flush dev ${vxlan}`);
    await a.ask({ do: 'resync' });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await sh(a.name, `ip link set ${vxlan} down`);
    await a.ask({ do: 'beat' });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await ping(a.pod, c.podIp);
  });

  test('a peer that is gone leaves nothing, and the link goes with the last that needs it', async () => {
    const whole = await a.kernel();
    const saved = c.document();
    await a.ask({ do: 'save', documents: { 'peers//c': null } });
    await soon(async () => {
      expect(await sh(a.name, 'ip -br link')).not.toContain(a.vxlan);
      expect(await sh(a.name, 'ip route')).not.toContain('10.42.3.0');
    });
    expect((await a.ask({ do: 'show' })).podMtuBytes).toBe(1500);
    await a.ask({ do: 'save', documents: { 'peers//c': saved } });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
    await ping(a.pod, c.podIp);
  });

  test('a peer that the kernel refuses does not keep the others waiting, and is told', async () => {
    const whole = await a.kernel();
    const peer = { podCIDRs: ['10.42.8.0/24'], internalIP: '10.201.1.255', annotations: {} };
    const other = { ...peer, podCIDRs: ['10.42.9.0/24'], internalIP: '10.201.2.20' };
    await a.ask({
      do: 'save',
      documents: {
        'peers//bad': { name: 'bad', ...peer },
        'peers//other': { name: 'other', ...other },
      },
    });
    await soon(async () => {
      const { warnings } = await a.ask({ do: 'show' });
      expect(warnings.join()).toContain('Nexthop has invalid gateway');
      expect(await sh(a.name, 'ip route')).toContain('10.42.9.0/24 via 10.42.9.1');
      expect(await sh(a.name, `bridge fdb show dev ${a.vxlan}`)).toContain('dst 10.201.2.20');
    });
    await a.ask({ do: 'save', documents: { 'peers//bad': null, 'peers//other': null } });
    await soon(async () => expect(await a.kernel()).toEqual(whole));
  });
});

describe('two clusters on one machine', () => {
  test('neither touches the other, and a purge takes what is its own, counted before and after', async () => {
    const own = await a.kernel();
    const other = new RoutesProgram(a.name, {
      agentId: `${UNIQUE}other`,
      clusterId: 'other',
      nodeName: 'a',
      podCidr: '10.52.1.0/24',
    });
    try {
      await other.ask(undefined);
      const far = {
        name: 'far',
        podCIDRs: ['10.52.9.0/24'],
        internalIP: '10.201.2.9',
        annotations: {},
      };
      const near = { ...far, name: 'near', podCIDRs: ['10.52.8.0/24'], internalIP: '10.201.1.9' };
      await other.ask({
        do: 'save',
        documents: {
          'cluster//network': { ...CLUSTER, clusterCidr: '10.52.0.0/16' },
          'peers//far': far,
          'peers//near': near,
        },
      });
      await soon(async () => {
        const { routes, links } = await a.kernel();
        expect([routes.length, links.length]).toEqual([
          own.routes.length + 4,
          own.links.length + 1,
        ]);
      });
      await a.ask({ do: 'resync' });
      expect((await other.ask({ do: 'purge' })).warnings).toEqual([]);
      expect(await a.kernel()).toEqual(own);
    } finally {
      other.end();
    }
  });

  test('after a purge the machine has what it had before its node began', async () => {
    expect(await a.kernel()).not.toEqual(a.before);
    await a.ask({ do: 'purge' });
    await a.ask({ do: 'purge' });
    await sh(a.name, `ip link del ${a.podLink}`);
    expect(await a.kernel()).toEqual(a.readdressed(a.before));
  });
});

/** The routes of one node, in a namespace; a command at a time. */
class RoutesProgram {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  constructor(namespace: string, options: Record<string, string>) {
    const enter = ['netns', 'exec', namespace];
    const program = [process.execPath, '--import', 'tsx', PROGRAM, JSON.stringify(options)];
    this.#process = spawn(IP, [...enter, ...program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#process.stdout === null) throw new Error('the program has no output');
    this.#reader = createInterface(this.#process.stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Without a command: what it says when it has started. */
  async ask(command: RoutesCommand | undefined): Promise<RoutesAnswer> {
    if (command !== undefined) this.#process.stdin?.write(`${JSON.stringify(command)}\n`);
    const { value } = await this.#lines.next();
    return JSON.parse(String(value)) as RoutesAnswer;
  }

  end(): void {
    this.#reader.close();
    this.#process.kill('SIGKILL');
  }
}

interface Kernel {
  routes: string[];
  links: string[];
  addresses: string[];
  neighbours: string[];
  forwarding: string[];
}

class Machine {
  static readonly #all: Machine[] = [];
  readonly node: string;
  readonly name: string;
  readonly pod: string;
  readonly podLink: string;
  readonly podIp: string;
  readonly vxlan: string;
  readonly #gateway: string;
  readonly #podCidr: string;
  readonly #first: string;
  #ip: string;
  #program: RoutesProgram | undefined;
  before: Kernel = { routes: [], links: [], addresses: [], neighbours: [], forwarding: [] };

  private constructor(node: string, ip: string, podCidr: string) {
    this.node = node;
    this.name = `${UNIQUE}-${node}`;
    this.pod = `${UNIQUE}-${node}p`;
    this.podLink = `pod-${node}`;
    this.podIp = podCidr.replace('.0/24', '.2');
    this.vxlan = vxlanLink(`${UNIQUE}${node}`);
    this.#gateway = ip.replace(/\d+$/, '1');
    this.#podCidr = podCidr;
    this.#first = ip;
    this.#ip = ip;
  }

  static async boot(node: string, bridge: string, ip: string, podCidr: string): Promise<Machine> {
    const machine = new Machine(node, ip, podCidr);
    Machine.#all.push(machine);
    await addNamespace(machine.name);
    await sh(router, `ip link add to-${node} type veth peer name wan netns ${machine.name}`);
    await sh(router, `ip link set to-${node} master ${bridge} up`);
    await sh(machine.name, `ip addr add ${ip}/24 dev wan; ip link set wan up`);
    await sh(machine.name, `ip route add default via ${machine.#gateway}`);
    machine.before = await machine.kernel();
    machine.#program = new RoutesProgram(machine.name, {
      agentId: `${UNIQUE}${node}`,
      clusterId: 'one',
      nodeName: node,
      podCidr,
    });
    await machine.#program.ask(undefined);
    return machine;
  }

  document(): JsonObject {
    return { name: this.node, podCIDRs: [this.#podCidr], internalIP: this.#ip, annotations: {} };
  }

  /** Its saved state has what the others say now. */
  async learn(): Promise<void> {
    const peers = Machine.#all.filter((machine) => machine !== this);
    const documents = peers.map((peer) => [`peers//${peer.node}`, peer.document()] as const);
    await this.ask({
      do: 'save',
      documents: { 'cluster//network': CLUSTER, ...Object.fromEntries(documents) },
    });
  }

  async ask(command: RoutesCommand): Promise<RoutesAnswer> {
    if (this.#program === undefined) throw new Error('the machine is off');
    return await this.#program.ask(command);
  }

  async addPod(): Promise<void> {
    await soon(async () => expect((await this.ask({ do: 'show' })).podMtuBytes).toBe(1450));
    await addNamespace(this.pod);
    const { inside, outside } = vethScript({
      link: this.podLink,
      address: this.podIp,
      hostname: this.node,
      hostNamespacePid: this.#program?.pid ?? 0,
      mtuBytes: (await this.ask({ do: 'show' })).podMtuBytes,
    });
    await run('ip', ['netns', 'exec', this.pod, 'unshare', '-u', 'sh', '-ec', inside]);
    await sh(this.name, outside);
  }

  async readdress(ip: string): Promise<void> {
    await sh(this.name, `ip addr del ${this.#ip}/24 dev wan; ip addr add ${ip}/24 dev wan`);
    await sh(this.name, `ip route replace default via ${this.#gateway}`);
    this.#ip = ip;
  }

  async kernel(): Promise<Kernel> {
    const lines = async (command: string) =>
      (await sh(this.name, command))
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .sort();
    return {
      routes: await lines('ip -4 route show table all'),
      links: await lines("ip -o link | sed 's/^[0-9]*: //; s/@.*mtu/ mtu/'"),
      addresses: await lines("ip -4 -o addr | sed 's/^[0-9]*: //'"),
      neighbours: await lines('ip neigh show nud permanent'),
      forwarding: await lines('bridge fdb show | grep dst || true'),
    };
  }

  /** What it was, with the address that it has now. */
  readdressed(kernel: Kernel): Kernel {
    return JSON.parse(
      JSON.stringify(kernel).replaceAll(new RegExp(`${this.#first}\\b`, 'g'), this.#ip),
    ) as Kernel;
  }

  off(): void {
    this.#program?.end();
  }
}

async function addNamespace(name: string): Promise<void> {
  if (name !== router) namespaces.push(name);
  await run('ip', ['netns', 'add', name]);
  await sh(name, 'ip link set lo up; echo 1 >/proc/sys/net/ipv4/ip_forward');
}

async function sh(namespace: string, script: string): Promise<string> {
  const { stdout } = await run('ip', ['netns', 'exec', namespace, 'sh', '-ec', script]);
  return stdout;
}

async function soon<Result>(look: () => Promise<Result>): Promise<Result> {
  return await vi.waitFor(look, { timeout: 10_000, interval: 100 });
}

/** Some of the first packets may wait for neighbours to be found. */
async function ping(namespace: string, address: string, bytes = 56): Promise<void> {
  await soon(() => sh(namespace, `busybox ping -c 1 -W 1 -s ${bytes} ${address}`));
}

async function settled(machine: Machine, modes: Record<string, string>): Promise<void> {
  const wanted = Object.fromEntries(
    Object.entries(modes).map(([peer, mode]) => [`network.skerry.dev/peer-${peer}`, mode]),
  );
  await soon(async () => {
    const { annotations, warnings } = await machine.ask({ do: 'show' });
    expect({ annotations, warnings }).toEqual({ annotations: wanted, warnings: [] });
  });
}

/** Packets that any machine or pod cut into fragments. */
async function fragments(): Promise<string[]> {
  const count = (name: string) => sh(name, "awk '/^Ip: [0-9]/ {print $19}' /proc/net/snmp");
  return await Promise.all([a, b, c].flatMap(({ name, pod }) => [count(name), count(pod)]));
}
