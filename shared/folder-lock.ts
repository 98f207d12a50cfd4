/**
 * How a program holds its data directory. Node has no flock(2). In the folder, where nobody else may write, each program that wants it listens
 * on a Unix socket (unix(7)) of its own, and then looks for others: who finds one that answers gives way. Of two that start at once each
 * listens before it looks, so that both may give way and never both stay. The kernel ends a socket however its process ends; the name
 * that is left answers nothing and is removed by the next.
 */

/** The name of a program's socket: its process, and chance, for process ids come back. */
export function lockName(pid: number, random: string): string {
  return `lock-${pid}-${random}`;
}

/** The process that a name in the folder tells of; undefined where it is no lock. */
export function pidOfLock(name: string): number | undefined {
  const pid = /^lock-(\d+)-[0-9a-f]+$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

/** Whether connecting failed because nobody listens: every other error may come from one that does. */
export function isAbandoned({ code }: { code?: string | undefined }): boolean {
  return code === 'ECONNREFUSED' || code === 'ENOENT';
}
