import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun, type Result, run } from '../e2e/run.ts';
import type { Fabric } from './fabric.ts';
import { makeCgroup, removeCgroup } from './machine-cgroup.ts';

const LIMIT_MS = 60_000;

interface MachineParts {
  name: string;
  address: string;
  /** Read-only root shared by all machines. */
  base: string;
  /** Where its disk lies: its layer over the base, and what podman stores. */
  folder: string;
  /** Folders of this host that it sees read-only: where it sees them, to where they are. */
  shares: Readonly<Record<string, string>>;
  cgroup: string;
  fabric: Fabric;
}

/** A computer with systemd as process 1, its own disk, cgroups and cable. Off until `boot()`. */
export class Machine {
  readonly name: string;
  readonly address: string;
  readonly #parts: MachineParts;
  #supervisor: { pid: number; ended: Promise<void> } | undefined;
  #init: number | undefined;

  constructor(parts: MachineParts) {
    this.name = parts.name;
    this.address = parts.address;
    this.#parts = parts;
  }

  /** The pid of its process 1 as this host sees it. */
  get init(): number {
    if (this.#init === undefined) throw new Error(`machine ${this.name} is off`);
    return this.#init;
  }

  /** Writes what makes the disk this machine's own. */
  prepare(): void {
    for (const name of ['upper', 'work', 'root', 'containers']) {
      mkdirSync(join(this.#parts.folder, name), { recursive: true });
    }
    const network = [
      ...['[Match]', 'Name=host0', '[Network]', `Address=${this.address}/24`],
      ...[`Gateway=${this.#parts.fabric.address}`, 'LinkLocalAddressing=no', 'IPv6AcceptRA=no', ''],
    ].join('\n');
    this.#write('etc/hostname', `${this.name}\n`);
    this.#write('etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${this.name}\n`);
    this.#write(
      'etc/machine-id',
      `${Buffer.from(this.name.padEnd(16)).toString('hex').slice(0, 32)}\n`,
    );
    this.#write('etc/systemd/network/10-host0.network', network);
  }

  /**
   * Switches it on and waits until systemd has started everything; with the cable out, only until it takes commands. Throws with the
   * console when it does not come up.
   */
  async boot(cable: 'up' | 'down' = 'up'): Promise<void> {
    const { folder, cgroup, fabric } = this.#parts;
    const log = openSync(join(folder, 'console.log'), 'a');
    const joins = makeCgroup(cgroup).map((file) => `echo $$ >${file}`);
    const overlay = `lowerdir=${this.#parts.base},upperdir=${folder}/upper,workdir=${folder}/work`;
    const script = [
      'set -e',
      ...joins,
      `mount -t overlay overlay -o ${overlay} ${folder}/root`,
      `exec systemd-nspawn ${this.#nspawnOptions().join(' ')}`,
    ].join('\n');
    const [file, args] = fabric.inside('setpriv', [
      // It ends with the tests, however they end; and process 1 of the machine with it.
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-c', script],
    ]);
    const child = spawn(file, args, { stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#supervisor = { pid: child.pid ?? -1, ended };
    let over = false;
    void ended.then(() => {
      over = true;
    });
    const deadline = Date.now() + LIMIT_MS;
    let said = '';
    while (!over && Date.now() < deadline) {
      if (this.#init === undefined) {
        this.#init = initBelow(child.pid ?? -1);
        // Before its programs are up.
        if (this.#init !== undefined && cable === 'down') await this.cutNetwork();
      }
      if (this.#init !== undefined) {
        const answer = await this.run('systemctl is-system-running');
        said = `${answer.stdout}${answer.stderr}`.trim();
        if (/^(running|degraded)$/.test(said)) return;
        if (cable === 'down' && said === 'starting') return;
      }
      await sleep(20);
    }
    const consoleLog = readFileSync(join(folder, 'console.log'), 'utf8').slice(-3000);
    throw new Error(`machine ${this.name} did not come up (${said}); its console:\n${consoleLog}`);
  }

  /** Runs a line of shell in it as root; a non-zero exit is an answer. */
  run(command: string, options: { stdin?: string; timeoutMs?: number } = {}): Promise<Result> {
    const env = {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      HOME: '/root',
      LANG: 'C.UTF-8',
    };
    const enter = ['-t', String(this.init), '-m', '-u', '-i', '-n', '-p', '-C'];
    return run('nsenter', [...enter, 'sh', '-c', command], { ...options, env });
  }

  /** Its standard output; throws with everything that it said when it fails. */
  async must(
    command: string,
    options: { stdin?: string; timeoutMs?: number } = {},
  ): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, options);
    if (code !== 0) {
      throw new Error(`${this.name}: ${command}\nended with ${code}: ${stderr}${stdout}`);
    }
    return stdout;
  }

  /** As soon as the line of shell succeeds; asks ten times a second. Throws with its last answer. */
  async until(command: string, limitMs = LIMIT_MS): Promise<string> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const { code, stdout, stderr } = await this.run(command);
      if (code === 0) return stdout;
      if (Date.now() > deadline) {
        throw new Error(`${this.name}: ${command}\nnot within ${limitMs} ms: ${stderr}${stdout}`);
      }
      await sleep(100);
    }
  }

  /** Copies a file of this host into it. */
  async copyIn(from: string, to: string): Promise<void> {
    await this.must(`mkdir -p ${dirname(to)}`);
    const path = join('/proc', String(this.init), 'root', to);
    await mustRun('cp', ['--dereference', '--preserve=mode', from, path]);
  }

  /** `systemctl reboot`: services are stopped in order. */
  async reboot(cable: 'up' | 'down' = 'up'): Promise<void> {
    await this.run('systemctl reboot');
    await this.#gone();
    await this.boot(cable);
  }

  /** Pulls the plug: nothing in it gets to say another word. */
  async powerOff(): Promise<void> {
    if (this.#supervisor === undefined) return;
    const pid = this.#init ?? this.#supervisor.pid;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    await this.#gone();
  }

  async cutNetwork(): Promise<void> {
    await this.#parts.fabric.plug(this.name, 'down');
  }

  /** Until it has its address again: that goes with the cable, and comes a moment after it. */
  async mendNetwork(): Promise<void> {
    await this.#parts.fabric.plug(this.name, 'up');
    await this.until(`ip -o -4 address show dev host0 | grep -qF ' ${this.address}/'`);
  }

  async #gone(): Promise<void> {
    await this.#supervisor?.ended;
    this.#supervisor = undefined;
    this.#init = undefined;
    removeCgroup(this.#parts.cgroup);
  }

  #nspawnOptions(): string[] {
    const { folder, shares } = this.#parts;
    return [
      ...['--quiet', '--boot', '--register=no', '--keep-unit', '--console=read-only'],
      ...[`--directory=${folder}/root`, `--machine=${this.name}`, '--network-bridge=br0'],
      // What containers inside a machine need of the kernel.
      ...['--capability=all', `--system-call-filter='@keyring bpf add_key keyctl'`],
      // podman's overlay cannot lie on an overlay.
      `--bind=${folder}/containers:/var/lib/containers`,
      ...Object.entries(shares).map(([inside, outside]) => `--bind-ro=${outside}:${inside}`),
    ];
  }

  #write(path: string, text: string): void {
    const file = join(this.#parts.folder, 'upper', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** The pid of the machine's process 1: the child of the supervisor that has a pid namespace of its own. */
function initBelow(supervisor: number): number | undefined {
  for (const pid of childrenOf(supervisor)) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      if (/^Name:\tsystemd$/m.test(status) && /^NSpid:\t\d+\t1$/m.test(status)) return pid;
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}
