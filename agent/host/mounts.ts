import { readFileSync } from 'node:fs';

/** The mount points of this process's mount namespace (proc(5), mountinfo), octal escapes undone. */
export function mountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((path) =>
      path.replaceAll(/\\(\d{3})/g, (_escape, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      ),
    );
}

export function isMountPoint(path: string): boolean {
  return mountPoints().includes(path);
}
