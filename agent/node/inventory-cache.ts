import { runCommand } from '../host/command.ts';
import { readTextFile, writeFileDurably } from '../host/files.ts';
import type { Inventory } from './inventory.ts';

/**
 * The inventory that was gathered in this boot, else a new one by the child `command`. It is kept in `file`, so that a restart of the
 * agent starts no child.
 */
export async function loadInventory(
  file: string,
  bootId: string,
  command: readonly string[],
): Promise<Inventory> {
  const saved = await readTextFile(file);
  if (saved !== undefined) {
    const kept = parseKept(saved);
    if (kept?.bootId === bootId) return kept.inventory;
  }
  const [program = process.execPath, ...args] = command;
  const { stdout } = await runCommand(program, args, { timeoutMs: 60_000 });
  const inventory = JSON.parse(stdout) as Inventory;
  await writeFileDurably(file, JSON.stringify({ bootId, inventory }));
  return inventory;
}

/** Undefined for a file that was cut off: it is gathered anew. */
function parseKept(text: string): { bootId: string; inventory: Inventory } | undefined {
  try {
    return JSON.parse(text) as { bootId: string; inventory: Inventory };
  } catch {
    return undefined;
  }
}
