import { readFile, writeFile } from 'node:fs/promises';

/** Lets the host pass packets between pods and other links. Written only when it differs. Throws when /proc/sys is read-only. */
export async function enableForwarding(): Promise<void> {
  const path = '/proc/sys/net/ipv4/ip_forward';
  if ((await readFile(path, 'utf8')).trim() !== '1') await writeFile(path, '1');
}
