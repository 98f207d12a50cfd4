import { readFile } from 'node:fs/promises';

/** Changes with every boot of the kernel (random(4)). */
export async function bootId(path = '/proc/sys/kernel/random/boot_id'): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}
