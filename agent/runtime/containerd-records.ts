import {
  listFolder,
  makeFolder,
  readSmallFile,
  removeFile,
  replaceSmallFile,
} from '../host/small-files.ts';

/** What the driver itself must know of a container: `ctr` lists neither labels nor times nor exits in one call. */
export interface ContainerRecord {
  id: string;
  name: string;
  labels: Record<string, string>;
  image: string;
  imageId: string;
  logPath: string;
  cgroupsPath: string;
  createdAt: string;
  /** The boot in which its root was mounted. */
  bootId: string;
  /** `creating` is what a crash in the middle of create() leaves. */
  phase: 'creating' | 'created' | 'started' | 'exited';
  startedAt?: string;
  pid?: number;
  exitCode?: number;
  oomKilled?: boolean;
  finishedAt?: string;
}

/** One JSON file for each container, written before what it describes happens, and kept in memory. */
export class ContainerRecords {
  readonly #folder: string;
  #records: Map<string, ContainerRecord> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  all(): ContainerRecord[] {
    return [...this.#loaded().values()];
  }

  get(id: string): ContainerRecord | undefined {
    return this.#loaded().get(id);
  }

  put(record: ContainerRecord): void {
    this.#loaded().set(record.id, record);
    replaceSmallFile(this.#file(record.id), JSON.stringify(record));
  }

  remove(id: string): void {
    this.#loaded().delete(id);
    removeFile(this.#file(id));
  }

  #loaded(): Map<string, ContainerRecord> {
    if (this.#records !== undefined) return this.#records;
    makeFolder(this.#folder);
    this.#records = new Map();
    for (const name of listFolder(this.#folder)) {
      if (!name.endsWith('.json')) continue;
      const text = readSmallFile(`${this.#folder}/${name}`);
      if (text === undefined || text === '') continue;
      const record = JSON.parse(text) as ContainerRecord;
      this.#records.set(record.id, record);
    }
    return this.#records;
  }

  #file(id: string): string {
    return `${this.#folder}/${id}.json`;
  }
}
