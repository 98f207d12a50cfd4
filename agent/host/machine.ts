import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, release } from 'node:os';

/** Live figures of the machine, for node/pressure.ts. */
export interface LiveFigures {
  memoryAvailableBytes: number;
  storageAvailableShare: number;
  inodesFreeShare: number;
  /** Threads that run, and how many the kernel allows. */
  threads: number;
  threadsMax: number;
}

/** Figures of this machine that change at most at a boot; all from /proc, /etc and statfs, no process is started. */
export interface MachineFacts {
  cpus: number;
  memoryBytes: number;
  storageBytes: number;
  kernelVersion: string;
  /** PRETTY_NAME of os-release(5). */
  osImage: string;
  machineId: string;
  bootId: string;
  systemUuid: string;
}

/** `dataDir` is where the agent keeps its state: its file system is the one that counts. */
export async function readMachineFacts(dataDir: string): Promise<MachineFacts> {
  const [meminfo, osRelease, machineId, bootId, productUuid, serial, storage] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    readOr('/etc/os-release', ''),
    readOr('/etc/machine-id', ''),
    readOr('/proc/sys/kernel/random/boot_id', ''),
    readOr('/sys/class/dmi/id/product_uuid', ''),
    // A Raspberry Pi has no DMI table; its serial number takes that place.
    readOr('/sys/firmware/devicetree/base/serial-number', ''),
    statfs(dataDir),
  ]);
  return {
    cpus: availableParallelism(),
    memoryBytes: 1024 * Number(/^MemTotal:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0),
    storageBytes: storage.blocks * storage.bsize,
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
    machineId: machineId.trim(),
    bootId: bootId.trim(),
    systemUuid: productUuid.trim() || serial.replaceAll('\0', '').trim() || machineId.trim(),
  };
}

/** What changes from moment to moment; 0.1 ms. */
export async function readLiveFigures(dataDir: string): Promise<LiveFigures> {
  const [meminfo, loadavg, threadsMax, storage] = await Promise.all([
    readFile('/proc/meminfo', 'utf8'),
    readFile('/proc/loadavg', 'utf8'),
    readFile('/proc/sys/kernel/threads-max', 'utf8'),
    statfs(dataDir),
  ]);
  return {
    memoryAvailableBytes: 1024 * Number(/^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1] ?? 0),
    storageAvailableShare: storage.blocks === 0 ? 1 : storage.bavail / storage.blocks,
    // Some file systems (btrfs) count no inodes.
    inodesFreeShare: storage.files === 0 ? 1 : storage.ffree / storage.files,
    threads: Number(/\d+\/(\d+)/.exec(loadavg)?.[1] ?? 0),
    threadsMax: Number(threadsMax),
  };
}

async function readOr(path: string, otherwise: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => otherwise);
}
