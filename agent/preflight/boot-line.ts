/** Where the firmware of a Raspberry Pi takes the kernel's command line from; the first one that exists. */
export const BOOT_LINE_FILES = ['/boot/firmware/cmdline.txt', '/boot/cmdline.txt'] as const;

/** Since bookworm a note in place of the file says that it has moved; with the boot partition not mounted it is all there is. */
export function isBootLine(text: string): boolean {
  return !/^\s*DO NOT EDIT/.test(text);
}

/** What a Raspberry Pi's kernel wants to hear: it is built to start without the memory controller. */
const MEMORY_WORDS = ['cgroup_enable=memory', 'cgroup_memory=1'] as const;

/** The words that are missing in a kernel command line. */
export function missingMemoryWords(text: string): string[] {
  const words = new Set(text.split(/\s+/));
  return MEMORY_WORDS.filter((word) => !words.has(word));
}

/**
 * The content of cmdline.txt with the words that turn the memory controller on. The firmware reads one line, so they go to the end of
 * the first one that holds anything; `cgroup_disable=memory` goes.
 */
export function withMemoryWords(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  const kept = (lines[Math.max(first, 0)] ?? '')
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'cgroup_disable=memory');
  const line = [...kept, ...missingMemoryWords(kept.join(' '))].join(' ');
  return first < 0
    ? `${line}\n`
    : [...lines.slice(0, first), line, ...lines.slice(first + 1)].join('\n');
}
