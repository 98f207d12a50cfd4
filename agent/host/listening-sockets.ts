import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A socket that takes connections or datagrams; `address` as text, `0.0.0.0` and `::` for every address. */
export interface ListeningSocket {
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
  inode: number;
}

/** Every listening TCP socket and every unconnected UDP socket of this network namespace. */
export function listeningSockets(): ListeningSocket[] {
  return (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((table) =>
    parseSockets(read(`/proc/net/${table}`), table.startsWith('tcp') ? 'tcp' : 'udp'),
  );
}

/** Whether the process has a TCP connection to that port of another; its own sockets are seen by it and by root. */
export function hasConnectionTo(pid: number, port: number): boolean {
  const own = new Set(
    list(`/proc/${pid}/fd`).map((name) => inodeOf(link(`/proc/${pid}/fd/${name}`))),
  );
  return ['tcp', 'tcp6'].some((table) =>
    read(`/proc/${pid}/net/${table}`)
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some(
        ([, , remote = '', state, , , , , , inode]) =>
          state === ESTABLISHED &&
          Number.parseInt(remote.split(':')[1] ?? '', 16) === port &&
          own.has(Number(inode)),
      ),
  );
}

/** TCP_ESTABLISHED. */
const ESTABLISHED = '01';

/** TCP_LISTEN, and what an unconnected UDP socket shows (TCP_CLOSE): net/tcp_states.h. */
const STATES = { tcp: '0A', udp: '07' } as const;

/** `text` is that of /proc/net/{tcp,tcp6,udp,udp6} (proc(5)). */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === STATES[protocol])
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':');
      return {
        protocol,
        address: addressOf(address),
        port: Number.parseInt(port, 16),
        inode: Number(fields[9]),
      };
    });
}

/** The command line of each process that holds one of these sockets, by inode; those of others are seen by root alone. */
export function holdersOf(inodes: ReadonlySet<number>): Map<number, string> {
  const holders = new Map<number, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const inode = inodeOf(link(`/proc/${pid}/fd/${descriptor}`));
      if (inode === undefined || !inodes.has(inode)) continue;
      holders.set(inode, read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim());
    }
  }
  return holders;
}

/** The names of all processes, as `ps -e -o comm`. */
export function processNames(): Set<string> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Set(pids.map((pid) => read(`/proc/${pid}/comm`).trim()).filter((name) => name !== ''));
}

/** Words of 32 bits in the machine's byte order, as hexadecimal; what is IPv4 inside IPv6 is IPv4. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? [];
  const octets = words.flatMap((word) => (word.match(/../g) ?? []).reverse());
  const numbers = octets.map((octet) => Number.parseInt(octet, 16));
  if (numbers.length === 4) return numbers.join('.');
  if (numbers.every((octet) => octet === 0)) return '::';
  const isMapped = numbers.slice(0, 10).every((octet) => octet === 0) && numbers[10] === 0xff;
  if (isMapped) return numbers.slice(12).join('.');
  return octets.join('').toLowerCase().match(/.{4}/g)?.join(':') ?? '';
}

/** `socket:[12345]`, as a descriptor of a socket links to. */
function inodeOf(target: string): number | undefined {
  const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
  return inode === undefined ? undefined : Number(inode);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
