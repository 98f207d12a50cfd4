import { ageOf, formatTime } from '../shared/meta/time.ts';
import { ApiClient, Unreachable } from './api-client.ts';
import { asFailure, CommandFailure } from './command-failure.ts';
import { installedOptions } from './installed-options.ts';
import { findLockHolder } from './lock-holder.ts';
import { MasterObjects } from './master-objects.ts';
import type { ObjectSource } from './object-source.ts';
import { withClient } from './with-client.ts';

/** Loaded only where it is needed: with a master that answers, a command has no use for what agents know. */
const loadLocalView = () => import('../agent/local-view.ts');

type LocalView = Awaited<ReturnType<typeof loadLocalView>>;
export type LocalDevice = Awaited<ReturnType<LocalView['readLocalDevice']>>;

export const DEVICE_OPTIONS = {
  local: { type: 'boolean', description: 'ask this device itself, not the master' },
  'data-dir': {
    type: 'string',
    value: 'DIR',
    description: "where this device's agent keeps its state (/var/lib/skerry)",
  },
} as const;

export interface DeviceValues {
  local?: boolean | undefined;
  'data-dir'?: string | undefined;
  kubeconfig?: string | undefined;
}

/** What a device knows is for root. */
export class DeviceClosed extends CommandFailure {}

/** What a device knows of itself without its master. */
export interface DeviceView {
  device: LocalDevice;
  /** The process of its agent, undefined when it does not run. */
  agentPid: number | undefined;
  linked: boolean;
}

/**
 * Asks the master; where it is away, or no kubeconfig says where it is, and this machine runs an agent, asks the device itself, with a
 * line on standard error that says so. A --kubeconfig that was named means the master and nobody else.
 */
export async function askMasterOrDevice(
  values: DeviceValues,
  askMaster: (client: ApiClient) => Promise<void>,
  askDevice: (view: DeviceView, dataDir: string) => Promise<void>,
): Promise<void> {
  const dataDir = dataDirOf(values);
  const view = await viewInPlace(values, dataDir, askMaster);
  if (view === undefined) return;
  process.stderr.write(`${provenance(view, Date.now())}\n`);
  await askDevice(view, dataDir);
}

/** The same for commands that show objects. */
export async function withObjects(
  values: DeviceValues,
  work: (source: ObjectSource) => Promise<void>,
): Promise<void> {
  await askMasterOrDevice(
    values,
    (client) => work(new MasterObjects(client)),
    async ({ device: { objects, enrolment } }) => {
      const { DeviceObjects } = await import('./device-objects.ts');
      const known = { objects: { ...objects }, nodeName: enrolment?.nodeName };
      await work(new DeviceObjects(known, Date.now()));
    },
  );
}

/** The device's own view, where it has to answer; undefined when the master has answered. */
async function viewInPlace(
  values: DeviceValues,
  dataDir: string,
  askMaster: (client: ApiClient) => Promise<void>,
): Promise<DeviceView | undefined> {
  if (values.local === true) return await viewOnly(dataDir);
  const isMasterKnown = ApiClient.hasKubeconfig(values.kubeconfig);
  const alone = isMasterKnown ? undefined : await viewDevice(dataDir);
  if (alone !== undefined) return alone;
  try {
    await withClient(values.kubeconfig, askMaster);
    return undefined;
  } catch (error) {
    if (!(error instanceof Unreachable) || values.kubeconfig !== undefined) throw error;
    const view = isMasterKnown ? await openView(dataDir) : undefined;
    if (view === undefined) throw error;
    process.stderr.write(`${error.message}\n`);
    return view;
  }
}

/** For --local: nobody else is asked. Throws CommandFailure when there is no agent, or only root may know. */
export async function viewOnly(dataDir: string): Promise<DeviceView> {
  const view = await viewDevice(dataDir);
  if (view !== undefined) return view;
  throw new CommandFailure(`no agent keeps its state in ${dataDir}: name another with --data-dir`);
}

/** Undefined when this machine runs no agent. Throws DeviceClosed where only root may know. */
export async function viewDevice(dataDir: string): Promise<DeviceView | undefined> {
  const { isDevice, isLinked, readLocalDevice } = await loadLocalView();
  try {
    if (!isDevice(dataDir)) return undefined;
    const holder = await findLockHolder(`${dataDir}/agent`);
    holder?.release();
    const agentPid = holder?.pid;
    const device = await readLocalDevice(dataDir, agentPid !== undefined);
    const linked = agentPid !== undefined && (await isLinked(dataDir, agentPid));
    return { device, agentPid, linked };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw asFailure(error as Error);
    throw new DeviceClosed(
      `what this device knows by itself (${dataDir}/agent) is for root alone: run it again with sudo`,
    );
  }
}

export function dataDirOf(values: DeviceValues): string {
  return values['data-dir'] ?? installedDataDir() ?? '/var/lib/skerry';
}

/** A file that is wrong, or for root alone, is no reason not to look where the state usually is. */
function installedDataDir(): string | undefined {
  try {
    return installedOptions('agent')['dataDir']?.text;
  } catch (error) {
    if (error instanceof CommandFailure) return undefined;
    throw error;
  }
}

export async function writeLocalLog(
  ...args: Parameters<LocalView['writeLocalLog']>
): Promise<void> {
  const { writeLocalLog: write } = await loadLocalView();
  await write(...args);
}

/** As viewDevice; a user who may not look is told to look as root, rather than that there is nothing. */
async function openView(dataDir: string): Promise<DeviceView | undefined> {
  try {
    return await viewDevice(dataDir);
  } catch (error) {
    if (!(error instanceof DeviceClosed)) throw error;
    process.stderr.write(`${error.message}\n`);
    return undefined;
  }
}

function provenance({ device, agentPid }: DeviceView, nowMs: number): string {
  const { enrolment, savedAtMs } = device;
  const who = enrolment === undefined ? 'this device' : `this device (node ${enrolment.nodeName})`;
  const when =
    savedAtMs === undefined
      ? ''
      : `, which it last changed ${ageOf(formatTime(savedAtMs), nowMs)} ago`;
  const agent = agentPid === undefined ? '; its agent does not run' : '';
  return `from the saved state of ${who} itself${when}${agent}:`;
}
