import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Loose, SKERRY } from '../e2e/cluster.ts';
import { Program } from '../e2e/program.ts';
import { mustRun, type Result, run } from '../e2e/run.ts';
import { Device } from './device.ts';

/** Where a device is plugged in. Devices of one segment reach each other directly, others through the router. */
interface Place {
  segment: 1 | 2;
  /** The last part of its address: 192.168.(80 + segment).HOST. */
  host: number;
}

export const PLACES = {
  one: { segment: 1, host: 11 },
  two: { segment: 1, host: 12 },
  three: { segment: 2, host: 13 },
} as const satisfies Record<string, Place>;

export type DeviceName = keyof typeof PLACES;

export const DEVICE_NAMES = Object.keys(PLACES) as DeviceName[];

export function addressOf(name: DeviceName): string {
  const { segment, host } = PLACES[name];
  return `192.168.${80 + segment}.${host}`;
}

/** The router's address in the first segment; the master listens there. */
const MASTER = '192.168.81.1';

/**
 * Three devices and a master over the real link: a router in a namespace of its own joins two segments, has no way out, and is also
 * where the master and clients from outside run. `close()` removes all of it.
 */
export class TestFleet {
  readonly #router = `skerry-fleet-${process.pid}`;
  readonly #folder = mkdtempSync(join(tmpdir(), 'skerry-fleet-'));
  readonly devices = Object.fromEntries(
    DEVICE_NAMES.map((name) => [name, new Device(join(this.#folder, name), name)]),
  ) as Record<DeviceName, Device>;
  readonly #agents = new Map<DeviceName, Program>();
  #master: Program | undefined;

  async open(): Promise<void> {
    await mustRun('ip', ['netns', 'add', this.#router]);
    const segments = [1, 2].flatMap((segment) => [
      `link add seg${segment} type bridge`,
      `addr add 192.168.${80 + segment}.1/24 dev seg${segment}`,
      `link set seg${segment} up`,
    ]);
    await this.#ip(['link set lo up', ...segments]);
    await this.router('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await this.#startMaster();
    for (const name of DEVICE_NAMES) await this.powerOn(name);
    await Promise.all(
      DEVICE_NAMES.map(async (name) => {
        const token = (
          await this.router(SKERRY, 'token', 'create', '--kubeconfig', this.kubeconfig)
        ).trim();
        await this.startAgent(name, '--server', `https://${MASTER}:6443`, '--token', token);
      }),
    );
    await this.kubectl('wait', '--for=condition=Ready', 'node', '--all', '--timeout=60s');
  }

  get kubeconfig(): string {
    return join(this.#folder, 'admin.kubeconfig');
  }

  /** Switches a device on and plugs it in; its agent is not started. */
  async powerOn(name: DeviceName): Promise<void> {
    const device = this.devices[name];
    await device.powerOn();
    const { segment } = PLACES[name];
    // What is left of the cable of a device without power.
    await run('ip', ['-n', this.#router, 'link', 'delete', `to-${name}`]);
    await this.#ip([
      `link add to-${name} type veth peer name eth0 netns ${device.pid}`,
      `link set to-${name} master seg${segment}`,
      `link set to-${name} up`,
    ]);
    await device.must('ip', 'addr', 'add', `${addressOf(name)}/24`, 'dev', 'eth0');
    await device.must('ip', 'link', 'set', 'eth0', 'up');
    await device.must('ip', 'route', 'add', 'default', 'via', `192.168.${80 + segment}.1`);
  }

  async startAgent(name: DeviceName, ...options: string[]): Promise<void> {
    const agent = await this.devices[name].start('agent', '--node-name', name, ...options);
    this.#agents.set(name, agent);
  }

  /** Takes a device's way to the master, or gives it back; devices go on reaching each other. */
  async cutFromMaster(names: readonly DeviceName[]): Promise<void> {
    const rules = names.map(
      (name) => `add rule ip cut input ip saddr ${addressOf(name)} tcp dport 6443 drop`,
    );
    const chain = 'add chain ip cut input { type filter hook input priority 0 ; }';
    await this.router(
      'nft',
      ['add table ip cut', 'flush table ip cut', chain, ...rules].join('\n'),
    );
  }

  /** Runs a program at the router: outside of all devices, with a way to each. Throws when it fails. */
  async router(file: string, ...args: string[]): Promise<string> {
    return await mustRun(...this.#atRouter(file, args));
  }

  /** A program that goes on at the router. */
  routerProgram(file: string, ...args: string[]): Program {
    return new Program(...this.#atRouter(file, args));
  }

  async kubectl(...args: string[]): Promise<string> {
    return await this.router('kubectl', '--kubeconfig', this.kubeconfig, ...args);
  }

  async apply(...objects: object[]): Promise<void> {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const [file, args] = this.#atRouter('kubectl', [
      '--kubeconfig',
      this.kubeconfig,
      'apply',
      '-f',
      '-',
    ]);
    await mustRun(file, args, { stdin: list });
  }

  async get(...args: string[]): Promise<Loose> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json'));
  }

  /** Runs a command in a container of a pod, as the engine of the device has it. */
  async inPod(device: DeviceName, pod: string, script: string): Promise<Result> {
    const pid = await this.pidOf(device, pod);
    // Not podman exec: it takes 130 ms.
    return await this.devices[device].run(
      'nsenter',
      '-t',
      pid,
      '-m',
      '-n',
      '-u',
      '--',
      'sh',
      '-c',
      script,
    );
  }

  /** A program of this repository that goes on in the network of a pod. */
  async nodeInPod(
    device: DeviceName,
    pod: string,
    script: string,
    ...args: string[]
  ): Promise<Program> {
    const file = new URL(script, import.meta.url).pathname;
    const tsx = import.meta.resolve('tsx');
    const node = [process.execPath, '--import', tsx, file, ...args];
    const pid = await this.pidOf(device, pod);
    return this.devices[device].program('nsenter', '-t', pid, '-n', ...node);
  }

  /** The process of a pod's first container, as its device counts. */
  async pidOf(device: DeviceName, pod: string): Promise<string> {
    const id = await this.containerOf(device, pod);
    const pid = await this.devices[device].must('podman', 'inspect', '-f', '{{.State.Pid}}', id);
    return pid.trim();
  }

  async containerOf(device: DeviceName, pod: string): Promise<string> {
    const label = `label=io.kubernetes.pod.name=${pod}`;
    const ids = await this.devices[device].must('podman', 'ps', '-q', '--filter', label);
    const [id] = ids.split('\n').filter((line) => line !== '');
    if (id === undefined) throw new Error(`${device} runs no container of pod ${pod}`);
    return id;
  }

  /** The ends of what the agents said, for whoever looks why a test failed. */
  said(): string {
    return [...this.#agents]
      .map(([name, { output }]) => `--- agent ${name}:\n${output.slice(-3000)}`)
      .join('\n');
  }

  async close(): Promise<void> {
    for (const device of Object.values(this.devices)) await device.remove();
    await this.#master?.stop();
    await run('ip', ['netns', 'delete', this.#router]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #startMaster(): Promise<void> {
    this.#master = this.routerProgram(
      ...[SKERRY, 'master', '--data-dir', this.#folder, '--kubeconfig', this.kubeconfig],
      ...['--listen', '0.0.0.0:6443', '--advertise-address', MASTER],
    );
    await this.#master.line(/^ready: /m);
  }

  async #ip(commands: readonly string[]): Promise<void> {
    await mustRun('ip', ['-n', this.#router, '-batch', '-'], { stdin: commands.join('\n') });
  }

  #atRouter(file: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', [`--net=/run/netns/${this.#router}`, file, ...args]];
  }
}
