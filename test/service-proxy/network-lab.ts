import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { runCommand } from '../../agent/host/command.ts';
import type { NodePlan, ServicePlan } from '../../agent/network/service-proxy/proxy-plan.ts';
import type { BackendRequest } from './backend-child.ts';

/**
 * A node, three pods on it and a client outside, each a network namespace of its own:
 * client 192.0.2.2 — 192.0.2.1 node — pods 10.42.0.2 … 10.42.0.4. Each pod answers on TCP and UDP 8080 with `<its name> <who asks>`.
 */
export class NetworkLab {
  readonly #prefix: string;
  readonly #children: ChildProcess[] = [];
  readonly #agentId: string;

  constructor(id: string) {
    this.#prefix = `svclab-${id}`;
    this.#agentId = id;
  }

  async start(): Promise<void> {
    for (const name of ['node', 'client', ...PODS]) {
      await runCommand('ip', ['netns', 'add', this.namespace(name)]);
      await this.ip(name, ['link set lo up']);
    }
    await this.in('node', 'sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
    // The way back to the client is the node's default route: a redirect would use up the kernel's allowance of ICMP to it.
    await this.in('node', 'sysctl', ['-qw', 'net.ipv4.conf.all.send_redirects=0']);
    await this.in('node', 'sysctl', ['-qw', 'net.ipv4.conf.default.send_redirects=0']);
    await this.ip('node', [
      `link add out type veth peer name eth0 netns ${this.namespace('client')}`,
      'addr add 192.0.2.1/24 dev out',
      'link set out up',
    ]);
    await this.ip('client', [
      'addr add 192.0.2.2/24 dev eth0',
      'link set eth0 up',
      'route add default via 192.0.2.1',
    ]);
    await this.ip('node', ['route add default via 192.0.2.2']);
    for (const [index, pod] of PODS.entries()) {
      const address = `10.42.0.${index + 2}`;
      await this.ip('node', [
        `link add ${pod} address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns ${this.namespace(pod)}`,
        `link set ${pod} up`,
      ]);
      await this.ip(pod, [
        `addr add ${address}/32 dev eth0`,
        'link set eth0 up',
        'neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
        'route add 169.254.1.1 dev eth0 scope link',
        'route add default via 169.254.1.1 dev eth0',
      ]);
      await this.ip('node', [`route add ${address}/32 dev ${pod} scope link`]);
      await this.#serve(pod);
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const name of ['node', 'client', ...PODS]) {
      await runCommand('ip', ['netns', 'del', this.namespace(name)], { allowFailure: true });
    }
  }

  namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  async in(name: string, file: string, args: readonly string[], input?: string): Promise<string> {
    const result = await runCommand('ip', ['netns', 'exec', this.namespace(name), file, ...args], {
      allowFailure: true,
      ...(input !== undefined && { input }),
    });
    return result.stdout;
  }

  async ip(name: string, lines: readonly string[]): Promise<void> {
    await runCommand('ip', ['-n', this.namespace(name), '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
    });
  }

  async #serve(pod: string): Promise<void> {
    const child = spawn(
      'ip',
      ['netns', 'exec', this.namespace(pod), process.execPath, '-e', SERVER, pod],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#children.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
  }

  /** What each of `count` requests was answered: `<pod> <who asks>`, or the error's code. All UDP requests come from one port. */
  async ask(
    from: string,
    to: { address: string; port: number; udp?: boolean; count?: number },
  ): Promise<string[]> {
    const { address, port, udp = false, count = 1 } = to;
    const script = udp ? UDP_CLIENT : TCP_CLIENT;
    const text = await this.in(from, process.execPath, [
      '-e',
      script,
      address,
      `${port}`,
      `${count}`,
    ]);
    return JSON.parse(text) as string[];
  }

  /** A backend inside the node's namespace. */
  backend(kind: 'nftables' | 'userspace', agentId = this.#agentId): RemoteBackend {
    const child = spawn(
      'ip',
      [
        ...['netns', 'exec', this.namespace('node'), process.execPath, '--import', 'tsx'],
        ...[new URL('backend-child.ts', import.meta.url).pathname, kind, agentId],
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    this.#children.push(child);
    return new RemoteBackend(child);
  }
}

const PODS = ['pod-a', 'pod-b', 'pod-c'];

export class RemoteBackend {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout === null) throw new Error('the child has no output');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** Answers what was warned of since the last time. */
  async apply(services: ServicePlan[], node: NodePlan): Promise<string[]> {
    return (await this.#call({ op: 'apply', services, node })) as string[];
  }

  async verify(): Promise<boolean> {
    return (await this.#call({ op: 'verify' })) === true;
  }

  async purge(): Promise<void> {
    await this.#call({ op: 'purge' });
  }

  /** The end of the process, as of an agent that is killed. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #call(request: BackendRequest): Promise<unknown> {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value } = await this.#lines.next();
    const { result, error } = JSON.parse(value) as { result?: unknown; error?: string };
    if (error !== undefined) throw new Error(error);
    return result;
  }
}

const SERVER = `
const name = process.argv[1];
require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.end(name + ' ' + socket.remoteAddress);
}).listen(8080, '0.0.0.0', () => {
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (bytes, from) => udp.send(name + ' ' + from.address, from.port, from.address));
  udp.bind(8080, () => console.log('ready'));
});`;

const TCP_CLIENT = `
const [, host, port, count] = process.argv;
const ask = () => new Promise((resolve) => {
  const socket = require('node:net').connect({ host, port: Number(port), timeout: 1000 });
  let text = '';
  socket.on('data', (bytes) => { text += bytes; });
  socket.on('end', () => resolve(text));
  socket.on('timeout', () => { resolve('ETIMEDOUT'); socket.destroy(); });
  socket.on('error', (error) => resolve(error.code));
});
(async () => {
  const answers = [];
  for (let n = 0; n < Number(count); n++) answers.push(await ask());
  console.log(JSON.stringify(answers));
})();`;

const UDP_CLIENT = `
const [, host, port, count] = process.argv;
const socket = require('node:dgram').createSocket('udp4');
const ask = () => new Promise((resolve) => {
  const timer = setTimeout(() => resolve('ETIMEDOUT'), 1000);
  const end = (text) => { clearTimeout(timer); resolve(text); };
  socket.removeAllListeners();
  socket.once('message', (bytes) => end(String(bytes)));
  socket.once('error', (error) => end(error.code));
  socket.send('x');
});
socket.bind(45454, () => socket.connect(Number(port), host, async () => {
  const answers = [];
  for (let n = 0; n < Number(count); n++) answers.push(await ask());
  console.log(JSON.stringify(answers));
  process.exit(0);
}));`;
