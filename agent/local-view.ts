import { X509Certificate } from 'node:crypto';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { agentFolders } from './folders.ts';
import { readTextFile } from './host/files.ts';
import { defaultRouteAddress } from './host/kernel-routes.ts';
import { hasConnectionTo } from './host/listening-sockets.ts';
import { watchWrites } from './host/log-files.ts';
import { readLiveFigures, readMachineFacts } from './host/machine.ts';
import { machineName } from './host/machine-name.ts';
import { fileExists, modifiedAtMs } from './host/small-files.ts';
import { brokerUrl, type Enrolment, readSavedEnrolment } from './link/enrolment.ts';
import { readObstacle } from './link/obstacle-note.ts';
import { type LocalObjects, localObjects } from './local-objects.ts';
import type { ContainerRuns } from './pods/collaborators.ts';
import { type PodRecord, runsOfContainer } from './pods/pod-record.ts';
import { readSavedState, type SavedState } from './state/saved-state.ts';
import { LogFolders } from './streams/log-folders.ts';
import { LogStreamHandler } from './streams/logs.ts';

/** What a device is and was told, as its own disk says. */
export interface LocalDevice {
  /** Undefined until it has joined. */
  enrolment:
    | { nodeName: string; server: string; certificateEndsMs: number; certificateOf: string }
    | undefined;
  /** Why what it was given when it joined cannot be read, one sentence; undefined where it can. No agent starts with that. */
  damage: string | undefined;
  /** What keeps the running agent from its master, one sentence; undefined where nothing does, or none runs. */
  obstacle: string | undefined;
  /** When the saved state last changed. */
  savedAtMs: number | undefined;
  objects: LocalObjects;
}

/** Whether an agent keeps its state under this data directory. */
export function isDevice(dataDir: string): boolean {
  return fileExists(`${stateFolder(dataDir)}/state.log`);
}

/**
 * Reads what the agent of `dataDir` saved, while it runs or not, and looks at the machine; nothing is written. Throws where it may not be
 * read.
 */
export async function readLocalDevice(dataDir: string, agentRuns: boolean): Promise<LocalDevice> {
  const folder = stateFolder(dataDir);
  const [saved, { enrolment, damage }, facts, figures] = await Promise.all([
    readSavedState(folder),
    savedEnrolment(dataDir),
    readMachineFacts(folder),
    readLiveFigures(folder),
  ]);
  return {
    enrolment: enrolment && {
      nodeName: enrolment.nodeName,
      server: enrolment.server,
      certificateEndsMs: Date.parse(new X509Certificate(enrolment.certificate).validTo),
      certificateOf: new X509Certificate(enrolment.certificate).subject.replaceAll('\n', ', '),
    },
    damage,
    obstacle: agentRuns ? await obstacleOf(dataDir) : undefined,
    savedAtMs: modifiedAtMs(`${folder}/state.log`),
    objects: localObjects(saved, {
      nodeName: enrolment?.nodeName,
      hostName: machineName(),
      architecture: process.arch,
      facts,
      figures,
      address: defaultRouteAddress(),
      agentRuns,
      nowMs: Date.now(),
    }),
  };
}

/** Whether the agent in the process `pid` has its connection to the master now. */
export async function isLinked(dataDir: string, pid: number): Promise<boolean> {
  const { enrolment } = await savedEnrolment(dataDir);
  if (enrolment === undefined) return false;
  const { port, protocol } = new URL(brokerUrl(enrolment));
  return hasConnectionTo(pid, Number(port) || (protocol === 'mqtts:' ? 8883 : 443));
}

/**
 * The log of a container from the device's own files, as `kubectl logs` gives it; `request` is that of agent/streams/logs.ts. With
 * `follow` it goes on until the container ends or `signal` aborts. Throws StreamRefused in the kubelet's words.
 */
export async function writeLocalLog(
  dataDir: string,
  request: JsonObject,
  write: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const runs = new SavedRuns(stateFolder(dataDir));
  await runs.load();
  const folders = new LogFolders(agentFolders(dataDir).logs);
  const handler = new LogStreamHandler({ folders, runs, nowMs: Date.now });
  await handler.serve(request, { write }, signal);
}

/** The runs of containers as the saved records tell them; each change of the file is looked at. */
class SavedRuns implements ContainerRuns {
  readonly #folder: string;
  #records: SavedState['records'] = new Map();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async load(): Promise<void> {
    this.#records = (await readSavedState(this.#folder)).records;
  }

  look(podUid: string, container: string): ReturnType<ContainerRuns['look']> {
    const record = this.#records.get(podUid) as unknown as PodRecord | undefined;
    return record && runsOfContainer(record, container);
  }

  subscribe(_podUid: string, changed: () => void): () => void {
    return watchWrites(this.#folder, () => {
      void this.load().then(changed, changed);
    });
  }
}

async function obstacleOf(dataDir: string): Promise<string | undefined> {
  const folders = agentFolders(dataDir);
  const id = await readTextFile(`${folders.state}/id`);
  return id === undefined ? undefined : readObstacle(folders.run(id.trim()));
}

interface SavedEnrolment {
  enrolment?: Enrolment;
  damage?: string;
}

async function savedEnrolment(dataDir: string): Promise<SavedEnrolment> {
  const path = `${agentFolders(dataDir).state}/enrolment.json`;
  const text = await readTextFile(path);
  if (text === undefined) return {};
  try {
    return { enrolment: readSavedEnrolment(text, path) };
  } catch (error) {
    return { damage: (error as Error).message };
  }
}

/** Where agent/main.ts opens its DiskState. */
function stateFolder(dataDir: string): string {
  return `${agentFolders(dataDir).state}/state`;
}
