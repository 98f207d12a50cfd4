import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds; memory in bytes. */
export interface Memory {
  rss: number;
  /** What would be freed if the process ended: Private_Clean and Private_Dirty. */
  private: number;
  anonymous: number;
}

/** What a process has used since it began, waited-for children included. */
export interface Usage {
  cpuMs: number;
  /** Bytes that went to a disk, less those taken back before they got there. */
  diskBytes: number;
  /** Bytes handed to write(2), sockets and pipes too. */
  writtenBytes: number;
  wakeUps: number;
}

/** USER_HZ of every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Of /proc/PID/smaps_rollup. */
export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (name: string) =>
    Number(text.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0) * 1024;
  return {
    rss: bytes('Rss'),
    private: bytes('Private_Clean') + bytes('Private_Dirty'),
    anonymous: bytes('Anonymous'),
  };
}

/** Of /proc/PID/stat, /proc/PID/io and the threads' context switches. */
export function usageOf(pid: number): Usage {
  // utime, stime, cutime and cstime are the fields 14 to 17; the name in front of them may hold spaces.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const io = readFileSync(`/proc/${pid}/io`, 'utf8');
  const bytes = (name: string) => Number(io.match(new RegExp(`^${name}: (\\d+)`, 'm'))?.[1] ?? 0);
  return {
    cpuMs: fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * MS_PER_TICK, 0),
    diskBytes: bytes('write_bytes') - bytes('cancelled_write_bytes'),
    writtenBytes: bytes('wchar'),
    wakeUps: wakeUpsOf(pid),
  };
}

/** The processes for which `matches` holds, by their command lines. */
export function findProcesses(matches: (commandLine: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => matches(readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')));
}

function wakeUpsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const status = readOrEmpty(`/proc/${pid}/task/${thread}/status`);
    return sum + Number(status.match(/^voluntary_ctxt_switches:\s+(\d+)/m)?.[1] ?? 0);
  }, 0);
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // A process that ended meanwhile.
    return '';
  }
}
