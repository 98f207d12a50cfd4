import type { JsonObject } from '../shared/meta/kube-object.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { TABLE_TYPE, type Table } from './object-output.ts';

/** A cluster in a few numbers. */
export interface ClusterStatus {
  server: string;
  reachable: boolean;
  /** Why it is not reachable, or what of its health checks fails. */
  problem?: string;
  version?: string;
  nodes?: { total: number; ready: number; notReady: { name: string; status: string }[] };
  pods?: PodCounts;
  /** RFC 3339. */
  clientCertificateEnds?: string;
}

export interface PodCounts {
  total: number;
  running: number;
  completed: number;
  others: { namespace: string; name: string; status: string }[];
}

/** Throws what the client throws when the master is away. */
export async function askClusterStatus(client: ApiClient): Promise<ClusterStatus> {
  const [version, problem, nodes, pods] = await Promise.all([
    client.json('GET', '/version'),
    healthProblem(client),
    client.json('GET', '/api/v1/nodes', { accept: TABLE_TYPE }),
    client.json('GET', '/api/v1/pods', { accept: TABLE_TYPE }),
  ]);
  const ends = client.certificateEndsMs;
  return {
    server: client.server,
    reachable: true,
    ...(problem !== undefined && { problem }),
    version: String((version as { gitVersion?: string }).gitVersion),
    nodes: countNodes(statusesIn(nodes)),
    pods: countPods(statusesIn(pods)),
    ...(ends !== undefined && { clientCertificateEnds: new Date(ends).toISOString() }),
  };
}

interface NamedStatus {
  namespace: string;
  name: string;
  status: string;
}

/** `Ready,SchedulingDisabled` is ready too. */
export function countNodes(nodes: readonly NamedStatus[]): NonNullable<ClusterStatus['nodes']> {
  const notReady = nodes.filter(({ status }) => status.split(',')[0] !== 'Ready');
  return {
    total: nodes.length,
    ready: nodes.length - notReady.length,
    notReady: notReady.map(({ name, status }) => ({ name, status })),
  };
}

export function countPods(pods: readonly NamedStatus[]): PodCounts {
  const withStatus = (...wanted: string[]) =>
    pods.filter(({ status }) => wanted.includes(status)).length;
  return {
    total: pods.length,
    running: withStatus('Running'),
    completed: withStatus('Completed', 'Succeeded'),
    others: pods.filter(({ status }) => !['Running', 'Completed', 'Succeeded'].includes(status)),
  };
}

function statusesIn(answer: JsonObject): NamedStatus[] {
  const { columnDefinitions, rows } = answer as unknown as Table;
  const at = columnDefinitions.findIndex(({ name }) => name === 'Status');
  return rows.map(({ cells, object: { metadata } }) => ({
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    status: String(cells[at]),
  }));
}

async function healthProblem(client: ApiClient): Promise<string | undefined> {
  try {
    for await (const _text of client.text('/readyz')) break;
    return undefined;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const failed = error.message.split('\n').filter((line) => line.startsWith('[-]'));
    return failed.map((line) => line.slice(3)).join('; ') || error.message;
  }
}
