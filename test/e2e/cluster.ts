import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { ApiClient } from '../../cli/api-client.ts';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { Program } from './program.ts';
import { mustRun, type Result, run } from './run.ts';

/** The built command; made once for each run of the tests (global-setup.ts). */
export const SKERRY = join(process.env['SKERRY_E2E_DIST'] ?? '', 'skerry');
export const SAMPLE = new URL('../../examples/sample.yaml', import.meta.url).pathname;

export type Role = 'up' | 'master' | 'agent';

/** An object as the API gives it: tests read what they need. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads deep into JSON, and fails where it is not as expected
export type Loose = any;

/**
 * One cluster of real processes with a data directory, a port and address ranges of its own. `number` (1 to 60, one for each cluster
 * that lives at the same time) gives the ranges 10.(100+n).0.0/16 for pods and 10.(160+n).0.0/16 for services.
 */
export class Cluster {
  readonly folder = mkdtempSync(join(tmpdir(), 'skerry-e2e-'));
  readonly dataDir = join(this.folder, 'data');
  readonly kubeconfig = join(this.dataDir, 'admin.kubeconfig');
  readonly number: number;
  readonly env: NodeJS.ProcessEnv;
  port = 0;
  #client: ApiClient | undefined;
  #programs = new Map<Role, Program>();

  constructor(number: number, env: NodeJS.ProcessEnv = {}) {
    this.number = number;
    this.env = { ...process.env, ...env };
  }

  get server(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get agentId(): string {
    return readFileSync(join(this.dataDir, 'agent/id'), 'utf8').trim();
  }

  program(role: Role): Program {
    const found = this.#programs.get(role);
    if (found === undefined) throw new Error(`skerry ${role} was not started`);
    return found;
  }

  /** Starts `skerry up` (or another role) and waits for its `ready:` line. */
  async start(role: Role = 'up', ...options: string[]): Promise<Program> {
    const started = await this.launch(role, ...options);
    await started.line(/^ready: /m);
    return started;
  }

  /** Starts it and waits for nothing. */
  async launch(role: Role = 'up', ...options: string[]): Promise<Program> {
    const own = role === 'agent' ? [] : await this.#masterOptions();
    const args = [role, '--data-dir', this.dataDir, ...own, ...options];
    const program = new Program(SKERRY, args, this.env);
    this.#programs.set(role, program);
    return program;
  }

  /** A join token of this cluster. */
  async token(...options: string[]): Promise<string> {
    const args = ['token', 'create', '--kubeconfig', this.kubeconfig, ...options];
    return (await mustRun(SKERRY, args)).trim();
  }

  /** The newest kubectl of the machine, or `binary`; a non-zero exit is an answer. */
  kubectl(args: readonly string[], stdin = '', binary = newestKubectl()): Promise<Result> {
    return run(binary, args, { stdin, env: this.#kubectlEnv(binary) });
  }

  /** kubectl's standard output; throws when it fails. */
  async must(args: readonly string[], stdin = '', binary = newestKubectl()): Promise<string> {
    return await mustRun(binary, args, { stdin, env: this.#kubectlEnv(binary) });
  }

  /** A kubectl that goes on, such as `logs -f`. */
  kubectlProgram(args: readonly string[]): Program {
    return new Program(newestKubectl(), args, this.#kubectlEnv(newestKubectl()));
  }

  get api(): ApiClient {
    this.#client ??= ApiClient.open(this.kubeconfig);
    return this.#client;
  }

  async get(path: string): Promise<Loose> {
    return await this.api.json('GET', path);
  }

  /** The pods of a namespace. */
  async pods(namespace = 'default', query = ''): Promise<Loose[]> {
    return (await this.get(`/api/v1/namespaces/${namespace}/pods${query}`)).items;
  }

  /** The object `path` as soon as `isSo` holds for it, by watch. Throws with the object as it was last when that takes too long. */
  async until(path: string, isSo: (object: Loose) => boolean, limitMs = 60_000): Promise<Loose> {
    const at = path.lastIndexOf('/');
    const query = `watch=true&fieldSelector=metadata.name%3D${path.slice(at + 1)}`;
    const abort = AbortSignal.timeout(limitMs);
    let last: JsonObject | undefined;
    try {
      for await (const { type, object } of this.api.watch(`${path.slice(0, at)}?${query}`, abort)) {
        last = object;
        if (isSo(type === 'DELETED' ? undefined : object)) return object;
      }
    } catch (error) {
      if (!abort.aborted) throw error;
    }
    throw new Error(
      `${path} did not come to be as awaited (${isSo}); it is ${JSON.stringify(last)}\n${this.#said()}`,
    );
  }

  /** The pod `name` in the namespace `default` as soon as `isSo` holds. */
  async pod(name: string, isSo: (pod: Loose) => boolean, limitMs?: number): Promise<Loose> {
    return await this.until(
      `/api/v1/namespaces/default/pods/${name}`,
      (pod) => pod !== undefined && isSo(pod),
      limitMs,
    );
  }

  /** Its first container is ready. */
  async running(name: string): Promise<Loose> {
    return await this.pod(name, (pod) => pod.status.containerStatuses?.[0]?.ready === true);
  }

  /** The ids of the containers of its agent that run, as podman knows them, sorted. */
  async runningContainers(): Promise<string[]> {
    const format = ['--format', '{{.ID}} {{.Names}}', '--no-trunc'];
    return (await mustRun('podman', ['ps', ...format]))
      .split('\n')
      .filter((line) => line.includes(` skerry-${this.agentId}`))
      .map((line) => line.split(' ')[0] ?? '')
      .sort();
  }

  /** Ends its programs and removes everything of it. */
  async purge(): Promise<Result> {
    this.forget();
    const result = await run(SKERRY, ['down', '--purge', '--data-dir', this.dataDir], {
      env: this.env,
    });
    for (const program of this.#programs.values()) {
      if (program.exit === undefined) await program.stop('SIGKILL');
    }
    rmSync(this.folder, { recursive: true, force: true });
    return result;
  }

  /** Its connections to the API end; the next request makes new ones. */
  forget(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  #kubectlEnv(binary: string): NodeJS.ProcessEnv {
    // Versions keep their discovery apart.
    const home = join(this.folder, `home${binary.replaceAll(/[^0-9a-z]/g, '-')}`);
    return { ...process.env, HOME: home, KUBECONFIG: this.kubeconfig };
  }

  async #masterOptions(): Promise<string[]> {
    if (this.port === 0) this.port = await freePort();
    return [
      ...['--listen', `127.0.0.1:${this.port}`],
      ...['--cluster-cidr', `10.${100 + this.number}.0.0/16`],
      ...['--service-cidr', `10.${160 + this.number}.0.0/16`],
    ];
  }

  #said(): string {
    return [...this.#programs]
      .map(([role, { output }]) => `--- skerry ${role}:\n${output.slice(-3000)}`)
      .join('\n');
  }
}

/** Every kubectl of the machine by its minor version, oldest first. */
export function kubectls(): { version: string; path: string }[] {
  const debian = { version: '1.20', path: '/opt/kubectl-1.20/usr/bin/kubectl' };
  const found = existsSync(debian.path) ? [debian] : [];
  const beside = dirname(realpathSync(kubectlOnPath()));
  for (const name of readdirSync(beside)) {
    const version = /^kubectl\.(1\.\d+)$/.exec(name)?.[1];
    if (version !== undefined) found.push({ version, path: join(beside, name) });
  }
  return found.sort((left, right) => minor(left.version) - minor(right.version));
}

function minor(version: string): number {
  return Number(version.split('.')[1]);
}

/** The newest kubectl beside the one on PATH, else that. */
function newestKubectl(): string {
  const newest = kubectls().at(-1);
  return newest !== undefined && newest.version !== '1.20' ? newest.path : kubectlOnPath();
}

function kubectlOnPath(): string {
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'kubectl'))
    .find(existsSync);
  if (found === undefined)
    throw new Error('there is no kubectl on PATH: ./install.sh test installs one');
  return found;
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
