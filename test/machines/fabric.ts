import { mustRun, type Result, run } from '../e2e/run.ts';

/** The network of a bed: a namespace of its own with one bridge, and no way out of it. The outside of the machines is its address. */
export class Fabric {
  readonly namespace: string;
  readonly address = '192.168.77.1';

  constructor(name: string) {
    this.namespace = name;
  }

  async start(): Promise<void> {
    await mustRun('ip', ['netns', 'add', this.namespace]);
    await mustRun('ip', ['-n', this.namespace, '-batch', '-'], {
      stdin: [
        'link set lo up',
        'link add br0 type bridge',
        `addr add ${this.address}/24 dev br0`,
        'link set br0 up',
      ].join('\n'),
    });
  }

  async stop(): Promise<void> {
    await run('ip', ['netns', 'delete', this.namespace]);
  }

  /** Arguments that run a program in this network. */
  inside(file: string, args: readonly string[]): [string, string[]] {
    return ['nsenter', [`--net=/run/netns/${this.namespace}`, file, ...args]];
  }

  /** Runs a program of this host where it reaches the machines, and nothing else. */
  run(
    file: string,
    args: readonly string[],
    options: Parameters<typeof run>[2] = {},
  ): Promise<Result> {
    return run(...this.inside(file, args), options);
  }

  /** Plugs a machine's cable in, or pulls it. */
  async plug(machine: string, state: 'up' | 'down'): Promise<void> {
    await mustRun('ip', ['-n', this.namespace, 'link', 'set', `vb-${machine}`, state]);
  }
}
