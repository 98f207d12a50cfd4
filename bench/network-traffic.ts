import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { CommandError, runCommand } from '../agent/host/command.ts';
import type { NodePlan } from '../agent/network/service-proxy/proxy-plan.ts';
import { NetworkLab } from '../test/service-proxy/network-lab.ts';
import { serviceOf } from '../test/service-proxy/service-of.ts';

const ROUNDS = 3;
const SECONDS = 2;
const CONNECTIONS = 32;
/**
 * A port of the server for each way: the server would take a connection that came through a service address for an old one that came
 * straight (the same ports in TIME_WAIT, with other timestamps), and the client would ask again after a second.
 */
const HTTP = { bare: 7999, direct: 8000, nftables: 8001, userspace: 8002 } as const;
const IPERF = 5201;
const POD = '10.42.0.3';
const VIP = '10.43.0.7';
const NODE: NodePlan = {
  nodeIp: '192.0.2.1',
  podCidr: '10.42.0.0/24',
  clusterCidr: '10.42.0.0/16',
  hostPorts: [],
};
function nginxConfiguration(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const listen = Object.values(HTTP)
    .map((port) => `listen ${port} backlog=4096;`)
    .join(' ');
  return `
    daemon off; master_process off; pid ${folder}/pid; error_log /dev/null crit;
    events { worker_connections 4096; }
    http {
      access_log off; keepalive_requests 1000000000;
      ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
      server { ${listen}  location / { return 200 'ok'; } }
    }`;
}

const WAYS = ['bare', 'direct', 'nftables', 'userspace'] as const;
type Way = (typeof WAYS)[number];

/** One number of one way in one round. */
interface Measure {
  name: string;
  unit: string;
  /** What is asked of a pod by the other pod. */
  take(lab: NetworkLab, address: string, httpPort: number): Promise<number>;
}

const MEASURES: readonly Measure[] = [
  {
    name: `requests/s, ${CONNECTIONS} connections kept`,
    unit: '1/s',
    take: wrk,
  },
  {
    name: 'new connections/s, 8 at a time',
    unit: '1/s',
    take: async (lab, address, port) =>
      numberIn(/Requests per second:\s+([\d.]+)/, await ab(lab, address, port, 8)),
  },
  {
    name: 'a request with its connection, one at a time',
    unit: 'ms, mean',
    take: async (lab, address, port) =>
      numberIn(/Time per request:\s+([\d.]+) \[ms\] \(mean\)/, await ab(lab, address, port, 1)),
  },
  { name: 'one stream', unit: 'Gbit/s', take: iperf },
];

/**
 * Pod to pod on one node: straight where there are no rules at all (bare), straight on a node of a cluster, where the rules make the
 * kernel track every connection (direct), through a cluster IP in the kernel, and through one of the userspace backend. They take turns
 * in rounds; medians. Neither who asks nor who answers is a Node process, so only the last way is limited by one.
 */
export async function measureTraffic(): Promise<Record<string, string>[]> {
  const missing = await missingTools(['wrk', 'ab', 'iperf3', 'nginx']);
  if (missing.length > 0) {
    return [
      {
        'pod to pod': `not measured: ${missing.join(', ')} not installed (apt install wrk apache2-utils iperf3 nginx-light)`,
      },
    ];
  }
  const lab = new NetworkLab(`bench${process.pid}`);
  const servers: ChildProcess[] = [];
  const folder = await mkdtemp(`${tmpdir()}/skerry-bench-`);
  try {
    await lab.start();
    await writeFile(`${folder}/nginx.conf`, nginxConfiguration(folder));
    servers.push(inPod(lab, 'nginx', ['-e', '/dev/null', '-c', `${folder}/nginx.conf`]));
    servers.push(inPod(lab, 'iperf3', ['-s', '-p', String(IPERF)]));
    await listening(lab);
    const taken = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const way of WAYS) {
        const address = way === 'bare' || way === 'direct' ? POD : VIP;
        const backend = backendOf(lab, way);
        await backend?.apply([serviceTo(HTTP[way]), serviceTo(IPERF)], NODE);
        for (const measure of MEASURES) {
          const key = `${measure.name} ${way}`;
          taken.set(key, [...(taken.get(key) ?? []), await measure.take(lab, address, HTTP[way])]);
        }
        await backend?.purge();
        await backend?.kill();
      }
    }
    return MEASURES.map((measure) =>
      row(measure, (way) => median(taken.get(`${measure.name} ${way}`) ?? [])),
    );
  } finally {
    for (const server of servers) server.kill('SIGKILL');
    await lab.stop();
    await rm(folder, { recursive: true });
  }
}

function row({ name, unit }: Measure, of: (way: Way) => number): Record<string, string> {
  const text = (value: number) =>
    value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(3);
  return {
    'pod to pod': `${name} (${unit})`,
    bare: text(of('bare')),
    direct: text(of('direct')),
    nftables: text(of('nftables')),
    'nftables / bare': (of('nftables') / of('bare')).toFixed(3),
    'nftables / direct': (of('nftables') / of('direct')).toFixed(3),
    userspace: text(of('userspace')),
    'userspace / direct': (of('userspace') / of('direct')).toFixed(3),
  };
}

function backendOf(lab: NetworkLab, way: Way) {
  if (way === 'bare') return undefined;
  return lab.backend(way === 'direct' ? 'nftables' : way);
}

function serviceTo(port: number) {
  const endpoints = [{ address: POD, port }];
  return serviceOf([], {
    key: `default/to-${port}`,
    port: { port, cluster: endpoints, local: endpoints, externalIps: [], nodePort: undefined },
  });
}

async function wrk(lab: NetworkLab, address: string, port: number): Promise<number> {
  const args = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, `http://${address}:${port}/`];
  return numberIn(/Requests\/sec:\s+([\d.]+)/, await lab.in('pod-a', 'wrk', args));
}

function ab(lab: NetworkLab, address: string, port: number, atOnce: number): Promise<string> {
  const args = ['-q', '-d', '-c', String(atOnce), '-t', String(SECONDS), '-n', '20000'];
  return lab.in('pod-a', 'ab', [...args, `http://${address}:${port}/`]);
}

async function iperf(lab: NetworkLab, address: string): Promise<number> {
  const args = ['-c', address, '-p', String(IPERF), '-t', String(SECONDS), '-J'];
  const text = await lab.in('pod-a', 'iperf3', args);
  return numberIn(/"sum_received":[\s\S]*?"bits_per_second":\s*([\d.e+]+)/, text) / 1e9;
}

function inPod(lab: NetworkLab, file: string, args: readonly string[]): ChildProcess {
  const command = ['netns', 'exec', lab.namespace('pod-b'), file, ...args];
  return spawn('ip', command, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Both servers hold their ports. */
async function listening(lab: NetworkLab): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const text = await lab.in('pod-b', 'ss', ['-Hltn']);
    if (text.includes(`:${HTTP.userspace} `) && text.includes(`:${IPERF} `)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the servers of the bench did not start');
}

function numberIn(pattern: RegExp, text: string): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined)
    throw new Error(`no ${pattern} in ${JSON.stringify(text.slice(0, 500))}`);
  return Number(found);
}

function median(values: number[]): number {
  return [...values].sort((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

async function missingTools(files: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const file of files) {
    try {
      await runCommand(file, ['--help'], { allowFailure: true });
    } catch (error) {
      if (error instanceof CommandError && error.failure === 'missing') missing.push(file);
      else throw error;
    }
  }
  return missing;
}
