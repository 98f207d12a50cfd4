import { readFileSync } from 'node:fs';

export interface ProcessLimits {
  openFilesHard: number;
  processesHard: number;
}

const CAP_SYS_RESOURCE = 24n;

/** This process's hard limits; `Infinity` for unlimited. */
export function processLimits(): ProcessLimits {
  return parseProcessLimits(readFileSync('/proc/self/limits', 'utf8'));
}

/** `text` is that of /proc/<pid>/limits. */
export function parseProcessLimits(text: string): ProcessLimits {
  const hard = (name: string): number => {
    const value = text.match(new RegExp(`^${name}\\s+\\S+\\s+(\\S+)`, 'm'))?.[1];
    return value === undefined || value === 'unlimited' ? Number.POSITIVE_INFINITY : Number(value);
  };
  return { openFilesHard: hard('Max open files'), processesHard: hard('Max processes') };
}

/** No pid is higher than this; podman takes it for its limit of processes. */
export function highestPid(): number {
  return Number(readFileSync('/proc/sys/kernel/pid_max', 'utf8'));
}

/** As Node names it: x64, arm64, arm. */
export function processorArchitecture(): string {
  return process.arch;
}

/** Changes with every boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Whether this process may raise limits above its own hard ones. */
export function mayRaiseLimits(): boolean {
  return ((effectiveCapabilities() >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

/** The mask of this process's effective capabilities. */
export function effectiveCapabilities(): bigint {
  const mask = readFileSync('/proc/self/status', 'utf8').match(/^CapEff:\s+([0-9a-f]+)/m)?.[1];
  return BigInt(`0x${mask ?? '0'}`);
}

/** Whether the process lives and `word` is in its command line or cgroup: a pid alone may have been given to another. */
export function processIs(pid: number, word: string): boolean {
  return (
    readProc(pid, 'cmdline')?.includes(word) === true ||
    readProc(pid, 'cgroup')?.includes(word) === true
  );
}

/** False once the process is gone or only waits to be reaped. */
export function isAlive(pid: number): boolean {
  const state = readProc(pid, 'stat')?.match(/^\d+ \(.*\) (\S)/s)?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Sends a signal; false when there is no such process. */
export function sendSignal(pid: number, signal: string): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
