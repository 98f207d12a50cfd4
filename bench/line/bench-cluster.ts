import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runCommand } from '../../agent/host/command.ts';
import { ApiClient } from '../../cli/api-client.ts';

const PODS = '/api/v1/namespaces/default/pods';

/** What a start took, in milliseconds from the spawn of the process. */
export interface StartTimes {
  /** Saved pods and their containers are known again. */
  podsKnown: number;
  /** The API answers and the node is Ready. */
  ready: number;
}

/** A cluster of one node from a build, with a data directory, a port and address ranges of its own. */
export class BenchCluster {
  readonly #command: string;
  readonly #dataDir: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #api: ApiClient | undefined;

  constructor(parts: { command: string; dataDir: string; port: number }) {
    this.#command = parts.command;
    this.#dataDir = parts.dataDir;
    this.#port = parts.port;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  get kubeconfig(): string {
    return join(this.#dataDir, 'admin.kubeconfig');
  }

  get api(): ApiClient {
    this.#api ??= ApiClient.open(this.kubeconfig);
    return this.#api;
  }

  async start(): Promise<StartTimes> {
    const begun = performance.now();
    const child = spawn(
      this.#command,
      [
        'up',
        `--data-dir=${this.#dataDir}`,
        `--listen=127.0.0.1:${this.#port}`,
        '--runtime=podman',
        `--node-name=bench-${this.#port}`,
        '--cluster-cidr=10.232.0.0/16',
        '--service-cidr=10.233.0.0/16',
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    this.#api?.close();
    this.#api = undefined;
    const said = (stream: NodeJS.ReadableStream, wanted: string) =>
      new Promise<number>((resolve, reject) => {
        const lines: string[] = [];
        createInterface({ input: stream }).on('line', (line) => {
          if (lines.length < 50) lines.push(line);
          if (line.includes(wanted)) resolve(performance.now() - begun);
        });
        child.once('exit', () => reject(new Error(`skerry up ended:\n${lines.join('\n')}`)));
      });
    const [podsKnown, ready] = await Promise.all([
      said(child.stderr, 'pods read from the machine'),
      said(child.stdout, 'ready: '),
    ]);
    return { podsKnown, ready };
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async purge(): Promise<void> {
    this.#api?.close();
    await runCommand(this.#command, ['down', `--data-dir=${this.#dataDir}`, '--purge']);
  }

  async createPod(name: string, image: string, hostNetwork = false): Promise<void> {
    await this.api.json('POST', PODS, { body: podManifest(name, image, hostNetwork) });
  }

  async applyPod(name: string, image: string): Promise<void> {
    await runCommand('kubectl', ['apply', '-f', '-'], {
      env: { KUBECONFIG: this.kubeconfig },
      input: JSON.stringify(podManifest(name, image, false)),
    });
  }

  /** Resolves when nothing of it is left in the API, so that a later pod has the machine to itself. */
  async deletePod(name: string): Promise<void> {
    await this.api.json('DELETE', `${PODS}/${name}`);
    while ((await this.#phases()).has(name)) await pause(50);
  }

  /** Resolves when the API shows all of these as Running. */
  async allRunning(names: readonly string[]): Promise<void> {
    const stop = new AbortController();
    const missing = new Set(names);
    try {
      for await (const { object } of this.api.watch(`${PODS}?watch=true`, stop.signal)) {
        const pod = object as { metadata: { name: string }; status?: { phase?: string } };
        if (pod.status?.phase === 'Running') missing.delete(pod.metadata.name);
        if (missing.size === 0) return;
      }
    } finally {
      stop.abort();
    }
  }

  /** Wall-clock milliseconds at which the pod's container printed its first line, by its log's own stamp. */
  async firstLineMs(pod: string): Promise<number> {
    const logs = join(this.#dataDir, 'agent/logs');
    for (;;) {
      const folder = readdirSync(logs).find((name) => name.startsWith(`default_${pod}_`));
      const at = folder && firstStampMs(join(logs, folder, 'main', '0.log'));
      if (at !== undefined && at !== '') return at;
      await pause(10);
    }
  }

  async #phases(): Promise<Map<string, string>> {
    const list = await this.api.json('GET', PODS);
    const pods = list['items'] as unknown as {
      metadata: { name: string };
      status: { phase: string };
    }[];
    return new Map(pods.map(({ metadata, status }) => [metadata.name, status.phase]));
  }

  /** Changes of any file under the data directory show here: names, sizes and times. */
  fingerprint(): string {
    return readdirSync(this.#dataDir, { recursive: true, encoding: 'utf8' })
      .map((name) => {
        const found = statSync(join(this.#dataDir, name), { throwIfNoEntry: false });
        return `${name} ${found?.size} ${found?.mtimeMs}`;
      })
      .sort()
      .join('\n');
  }
}

/** Of the first line in CRI format; undefined while there is none. */
export function firstStampMs(file: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  const [, second, fraction, zone] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) /.exec(text) ?? [];
  if (second === undefined) return undefined;
  return Date.parse(`${second}${zone}`) + Number(fraction ?? 0) * 1000;
}

export const FIRST_LINE = ['sh', '-c', 'echo first; exec sleep 100000'];

function podManifest(name: string, image: string, hostNetwork: boolean) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      hostNetwork,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'main', image, command: FIRST_LINE, imagePullPolicy: 'IfNotPresent' }],
    },
  };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
