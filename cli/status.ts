import type { JsonObject } from '../shared/meta/kube-object.ts';
import { formatTime, humanDuration } from '../shared/meta/time.ts';
import { ApiClient, Unreachable } from './api-client.ts';
import { askClusterStatus, type ClusterStatus, type PodCounts } from './cluster-status.ts';
import { declareCommand, KUBECONFIG_OPTION } from './command.ts';
import { type DeviceStatus, deviceStatus } from './device-status.ts';
import { DATA_OUTPUT_OPTION, paintStatus, printData, readDataOutput } from './object-output.ts';
import {
  DEVICE_OPTIONS,
  DeviceClosed,
  type DeviceView,
  dataDirOf,
  viewDevice,
  viewOnly,
} from './on-this-device.ts';
import { parseOptions } from './options.ts';
import { Paint } from './paint.ts';
import { withClient } from './with-client.ts';

const OPTIONS = {
  ...DATA_OUTPUT_OPTION,
  ...DEVICE_OPTIONS,
  ...KUBECONFIG_OPTION,
} as const;

/** What there is to be said; a part that this machine has nothing to do with is absent. */
interface Status {
  well: boolean;
  cluster?: ClusterStatus;
  device?: DeviceStatus;
}

export const status = declareCommand({
  synopsis: ['status [--local] [-o json|yaml]'],
  about: `Shows how the cluster does: its master, nodes and pods, and when certificates end; and on a device how the device does, from its own
disk, also while its master is away.`,
  options: OPTIONS,
  examples: [
    ['sudo skerry status', ''],
    ['sudo skerry status --local', 'of this device alone, without asking the master'],
    ['skerry status -o json | jq .cluster.nodes.ready', ''],
  ],
  exitCodes: `0 all is well; 1 the master is away or says that it is not healthy, a node is not ready, this device's agent does not run, is not
linked or not served, or a certificate has ended; 2 wrong call`,
  async run(args) {
    const { values } = parseOptions(args, OPTIONS, { max: 0 });
    const output = readDataOutput(values.output);
    const dataDir = dataDirOf(values);
    const view =
      values.local === true
        ? await viewOnly(dataDir)
        : await deviceView(dataDir, values.kubeconfig);
    const nowMs = Date.now();
    const device = view && deviceStatus(view, dataDir, nowMs);
    const isMastersPart = device === undefined || ApiClient.hasKubeconfig(values.kubeconfig);
    const cluster =
      values.local === true || !isMastersPart ? undefined : await clusterStatus(values.kubeconfig);
    const found: Status = {
      well: isWell(cluster, device, nowMs),
      ...(cluster && { cluster }),
      ...(device && { device }),
    };
    process.stdout.write(
      output === undefined
        ? printStatus(found, nowMs, new Paint(process.stdout))
        : printData(JSON.parse(JSON.stringify(found)) as JsonObject, output),
    );
    return found.well ? 0 : 1;
  },
});

/** A user who may ask the master need not be root to hear of the cluster. Throws DeviceClosed when there is nothing else to say. */
async function deviceView(
  dataDir: string,
  kubeconfig: string | undefined,
): Promise<DeviceView | undefined> {
  try {
    return await viewDevice(dataDir);
  } catch (error) {
    if (!(error instanceof DeviceClosed) || !ApiClient.hasKubeconfig(kubeconfig)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

/** A master that is away is an answer. Throws CommandFailure when nothing says where it is. */
async function clusterStatus(kubeconfig: string | undefined): Promise<ClusterStatus> {
  try {
    return await withClient(kubeconfig, askClusterStatus);
  } catch (error) {
    if (!(error instanceof Unreachable) || !ApiClient.hasKubeconfig(kubeconfig)) throw error;
    const { server } = ApiClient.open(kubeconfig);
    return { server, reachable: false, problem: error.message };
  }
}

/** Whether there is nothing for anybody to do; the exit code follows it. */
export function isWell(
  cluster: ClusterStatus | undefined,
  device: DeviceStatus | undefined,
  nowMs: number,
): boolean {
  const ends = [cluster?.clientCertificateEnds, device?.certificateEnds];
  return (
    cluster?.problem === undefined &&
    (cluster?.nodes?.notReady ?? []).length === 0 &&
    (device === undefined ||
      (device.agentRuns && device.linked && device.obstacle === undefined)) &&
    ends.every((end) => end === undefined || Date.parse(end) > nowMs)
  );
}

/** Lines for people; one section for the cluster, one for this device. */
export function printStatus({ cluster, device }: Status, nowMs: number, paint: Paint): string {
  const sections = [
    cluster && clusterLines(cluster, nowMs, paint),
    device && deviceLines(device, nowMs, paint),
  ];
  return sections.flatMap((section) => section ?? []).join('\n');
}

function clusterLines(cluster: ClusterStatus, nowMs: number, paint: Paint): string {
  const { server, reachable, problem, version, nodes, pods, clientCertificateEnds } = cluster;
  const state = reachable ? paint.yellow('not healthy') : paint.red('away');
  return section(`cluster ${server}`, [
    ['master', problem === undefined ? paint.green('healthy') : `${state}: ${problem}`],
    ['version', version],
    ['nodes', nodes && nodesText(nodes, paint)],
    ['pods', pods && podsText(pods, paint)],
    ['certificate', clientCertificateEnds && endText(clientCertificateEnds, nowMs, paint)],
  ]);
}

function deviceLines(device: DeviceStatus, nowMs: number, paint: Paint): string {
  const { node, agentRuns, agentPid, pods, certificateEnds, savedAt } = device;
  const title =
    node === undefined ? 'this device (it has not joined)' : `this device, node ${node}`;
  return section(title, [
    [
      'agent',
      agentRuns ? `${paint.green('runs')} (process ${agentPid})` : paint.red('does not run'),
    ],
    ['link', linkText(device, paint)],
    ['pods', podsText(pods, paint) + seenText(device)],
    ['certificate', certificateEnds && endText(certificateEnds, nowMs, paint)],
    ['state', savedAt && `saved ${humanDuration(nowMs - Date.parse(savedAt))} ago`],
  ]);
}

function linkText(
  { server, agentRuns, linked, obstacle }: DeviceStatus,
  paint: Paint,
): string | undefined {
  if (server === undefined) {
    const why = obstacle ?? 'waits to join; the log of its agent says why';
    return agentRuns || obstacle !== undefined ? paint.yellow(why) : undefined;
  }
  if (linked) {
    const up = `${paint.green('up')}, to ${server}`;
    return obstacle === undefined ? up : `${up}, ${paint.red('but')} ${obstacle}`;
  }
  const why = obstacle === undefined ? '' : `: ${obstacle}`;
  const goesOn = agentRuns ? '; pods go on as they were last told' : '';
  return `${paint.red('down')}: no connection to ${server}${why}${goesOn}`;
}

function nodesText(nodes: NonNullable<ClusterStatus['nodes']>, paint: Paint): string {
  const all = `${nodes.ready} of ${nodes.total} ready`;
  const others = nodes.notReady.map(({ name, status }) => `${name} ${paint.red(status)}`);
  return [all, ...others].join(', ');
}

/** Of those that do not run this many are named. */
const NAMED_PODS = 5;

function podsText({ total, running, completed, others }: PodCounts, paint: Paint): string {
  const counts = [`${running} of ${total} running`, completed > 0 ? `${completed} completed` : ''];
  const named = others
    .slice(0, NAMED_PODS)
    .map(({ namespace, name, status: word }) => `${namespace}/${name} ${paintStatus(word, paint)}`);
  const more = others.length > NAMED_PODS ? [`and ${others.length - NAMED_PODS} more`] : [];
  return [...counts.filter((count) => count !== ''), ...named, ...more].join(', ');
}

/** What the agent does not watch may have stopped since. */
function seenText({ agentRuns, pods }: DeviceStatus): string {
  return agentRuns || pods.total === 0 ? '' : ', when the agent last saw them';
}

const SOON_MS = 14 * 24 * 3600 * 1000;

function endText(end: string, nowMs: number, paint: Paint): string {
  const leftMs = Date.parse(end) - nowMs;
  const day = formatTime(Date.parse(end));
  if (leftMs <= 0) return paint.red(`ended ${day}`);
  const text = `ends ${day}, in ${humanDuration(leftMs)}`;
  return leftMs < SOON_MS ? paint.yellow(text) : text;
}

function section(title: string, rows: readonly (readonly [string, string | undefined])[]): string {
  const lines = rows.flatMap(([name, text]) =>
    text === undefined || text === '' ? [] : [`  ${name.padEnd(12)} ${text}\n`],
  );
  return `${title}\n${lines.join('')}`;
}
