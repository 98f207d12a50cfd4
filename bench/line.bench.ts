import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../agent/host/command.ts';
import { BarePodman, nowMs } from './line/bare-podman.ts';
import { BenchCluster, pause } from './line/bench-cluster.ts';
import {
  findProcesses,
  type Memory,
  memoryOf,
  type Usage,
  usageOf,
} from './line/process-figures.ts';

/**
 * The line of one node: what `skerry up` costs while ten pods run, and how fast it is, beside its budget. As root, after
 * `npm run build` and with the sample image: `npx tsx bench/line.bench.ts [rounds]`. SKERRY names another build's command, IDLE_SECONDS
 * another length of the idle stretch.
 */
const rounds = Number(process.argv[2] ?? 7);
const idleSeconds = Number(process.env['IDLE_SECONDS'] ?? 30);
const SETTLE_MS = 20_000;
const image = 'localhost/skerry-sample:1';
const command = process.env['SKERRY'] ?? new URL('../dist/skerry', import.meta.url).pathname;
const PODS = Array.from({ length: 10 }, (_, index) => `bench-${index}`);
const MB = 1e6;

const dataDir = mkdtempSync(join(tmpdir(), 'skerry-line-'));
const cluster = new BenchCluster({ command, dataDir, port: 16_943 });
const podman = new BarePodman();
const netns = `skerry-line-${process.pid}`;
const rows: { what: string; figure: string; budget: string }[] = [];

try {
  await runCommand('ip', ['netns', 'add', netns]);
  const first = await cluster.start();
  note('first start: node Ready', ms(first.ready), '');
  await tenPods();
  await pause(SETTLE_MS);
  await idle();
  await submitToFirstLine();
  await killed();
} finally {
  await cluster.kill();
  await cluster.purge();
  await runCommand('ip', ['netns', 'delete', netns]);
  podman.close();
  rmSync(dataDir, { recursive: true, force: true });
}
console.table(rows);

async function tenPods(): Promise<void> {
  const begun = performance.now();
  const running = cluster.allRunning(PODS);
  await Promise.all(PODS.map((name) => cluster.createPod(name, image)));
  await running;
  note('10 pods posted → all running', ms(performance.now() - begun), '≤ 1 s');
}

async function idle(): Promise<void> {
  const monitors = findProcesses((line) => line.includes(dataDir) && line.includes('conmon'));
  const files = cluster.fingerprint();
  const load = loadavg()[0] ?? 0;
  const all = () => [cluster.pid, ...monitors].map(usageOf);
  const before = all();
  await pause(idleSeconds * 1000);
  const [own, ...helpers] = all().map((after, index) => since(before[index]!, after));
  const memory = memoryOf(cluster.pid);
  const monitorMemory = monitors.map(memoryOf);
  const sum = (name: keyof Memory) => monitorMemory.reduce((all, one) => all + one[name], 0);
  note('idle, 10 pods: RSS of master and agent', mb(memory.rss), '≤ 170 MB');
  note('idle: private', mb(memory.private), '');
  note('idle: anonymous', mb(memory.anonymous), '');
  note('idle: CPU of a core, children too', percent(own!), '≤ 1 %');
  note('idle: wake-ups of all threads', `${(own!.wakeUps / idleSeconds).toFixed(1)} /s`, '');
  note(`idle: bytes to disk in ${idleSeconds} s`, `${own!.diskBytes}`, '0');
  note('idle: files changed', files === cluster.fingerprint() ? 'none' : 'some', 'none');
  note('idle: bytes written anywhere (sockets too)', `${own!.writtenBytes}`, '');
  note(`${monitors.length} monitors: private`, mb(sum('private')), '');
  const helperCpu = helpers.reduce((all, one) => all + one.cpuMs, 0) / idleSeconds / 10;
  note(`${monitors.length} monitors: CPU`, `${helperCpu.toFixed(2)} %`, '');
  note('load of the machine meanwhile', load.toFixed(1), '');
}

/** Interleaved, so that a noisy machine is noisy for each. */
async function submitToFirstLine(): Promise<void> {
  const times = {
    apply: [] as number[],
    applied: [] as number[],
    post: [] as number[],
    postHost: [] as number[],
    none: [] as number[],
    ns: [] as number[],
    host: [] as number[],
  };
  for (let round = 0; round < rounds; round += 1) {
    times.none.push(await podman.firstLine(image, 'none'));
    times.ns.push(await podman.firstLine(image, `ns:/run/netns/${netns}`));
    times.host.push(await podman.firstLine(image, 'host'));
    times.post.push(await fromPod(`post-${round}`, (name) => cluster.createPod(name, image)));
    times.postHost.push(
      await fromPod(`host-${round}`, (name) => cluster.createPod(name, image, true)),
    );
    times.apply.push(
      await fromPod(`apply-${round}`, async (name) => {
        const begun = performance.now();
        await cluster.applyPod(name, image);
        times.applied.push(performance.now() - begun);
      }),
    );
  }
  const apply = median(times.apply);
  const [post, postHost] = [median(times.post), median(times.postHost)];
  const [none, ns, host] = [median(times.none), median(times.ns), median(times.host)];
  note('podman run --network none → first line', ms(none), '');
  note('podman run --network ns:PATH → first line', ms(ns), '');
  note('podman run --network host → first line', ms(host), '');
  note('POST → first line, own network', ms(post), '');
  note('  over podman run, ns:PATH', ratio(post, ns), '≤ 1.3');
  note('  over podman run, none', ratio(post, none), '');
  note('POST → first line, host network', ms(postHost), '');
  note('  over podman run, host', ratio(postHost, host), '≤ 1.1');
  note('kubectl apply: the command itself', ms(median(times.applied)), '');
  note('kubectl apply → first line, own network', ms(apply), '');
  note('  over podman run, ns:PATH', ratio(apply, ns), '');
}

async function fromPod(name: string, submit: (name: string) => Promise<void>): Promise<number> {
  const begunMs = nowMs();
  await submit(name);
  const at = await cluster.firstLineMs(name);
  await cluster.deletePod(name);
  await pause(300);
  return at - begunMs;
}

/** Five times killed in the middle and started again; the first write that is accepted counts. */
async function killed(): Promise<void> {
  const writes: number[] = [];
  const known: number[] = [];
  const ready: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    await cluster.kill();
    const begun = performance.now();
    const starting = cluster.start();
    await firstWrite(`bench-${round}`);
    writes.push(performance.now() - begun);
    const times = await starting;
    known.push(times.podsKnown);
    ready.push(times.ready);
    await pause(1000);
  }
  note('killed → writes accepted', ms(median(writes)), '≤ 0.5 s');
  note('killed → all pods known', ms(median(known)), '≤ 1 s');
  note('killed → node Ready', ms(median(ready)), '');
}

async function firstWrite(name: string): Promise<void> {
  for (;;) {
    try {
      await cluster.api.json('POST', '/api/v1/namespaces/default/configmaps', {
        body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
      });
      return;
    } catch {
      await pause(5);
    }
  }
}

function since(before: Usage, after: Usage): Usage {
  return {
    cpuMs: after.cpuMs - before.cpuMs,
    diskBytes: after.diskBytes - before.diskBytes,
    writtenBytes: after.writtenBytes - before.writtenBytes,
    wakeUps: after.wakeUps - before.wakeUps,
  };
}

function note(what: string, figure: string, budget: string): void {
  rows.push({ what, figure, budget });
  console.log(`${what}: ${figure}${budget === '' ? '' : ` (budget ${budget})`}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function ms(value: number): string {
  return `${value.toFixed(0)} ms`;
}

function mb(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`;
}

function percent({ cpuMs }: Usage): string {
  return `${(cpuMs / idleSeconds / 10).toFixed(2)} %`;
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(2)} ×`;
}
