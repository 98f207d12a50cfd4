import type { ContainerState } from './runtime.ts';

/** The part of one entry of `podman ps --all --format json` that is read here. Times are seconds since 1970, far below 0 for never. */
export interface PodmanPsEntry {
  Id: string;
  Names: string[];
  Labels: Record<string, string> | null;
  State: string;
  Pid: number;
  ExitCode: number;
  Created: number;
  StartedAt: number;
  ExitedAt: number;
  Image: string;
  ImageID: string;
}

/** What the container's files say; asked only where it matters. */
export interface ContainerFiles {
  monitorAlive(): boolean;
  oomMark(): boolean;
  /** JSON that start() left when the process could not start. */
  startError(): string | undefined;
}

/**
 * podman's row as the agent sees it. After a reboot podman shows what ran as created although it was once started; and it shows a
 * container as running for ever when its monitor was killed. Both are lost.
 */
export function containerState(row: PodmanPsEntry, files: ContainerFiles): ContainerState {
  const base = {
    id: row.Id,
    name: row.Names[0] ?? row.Id,
    labels: row.Labels ?? {},
    createdAt: timestamp(row.Created),
    ...(row.StartedAt > 0 ? { startedAt: timestamp(row.StartedAt) } : {}),
    image: row.Image,
    imageId: `sha256:${row.ImageID}`,
  };
  switch (row.State) {
    case 'created':
    case 'configured':
      return { ...base, ...notStarted(row, files) };
    case 'running':
    case 'paused':
    case 'stopping':
      return files.monitorAlive()
        ? { ...base, state: 'running', pid: row.Pid }
        : { ...base, state: 'lost' };
    case 'exited':
    case 'stopped':
      return {
        ...base,
        state: 'exited',
        exitCode: row.ExitCode,
        oomKilled: files.oomMark(),
        ...(row.ExitedAt > 0 ? { finishedAt: timestamp(row.ExitedAt) } : {}),
      };
    default:
      return { ...base, state: 'lost' };
  }
}

function notStarted(
  row: PodmanPsEntry,
  files: ContainerFiles,
): Pick<ContainerState, 'state' | 'exitCode' | 'finishedAt' | 'oomKilled'> {
  const mark = files.startError();
  if (mark !== undefined) {
    const { exitCode, finishedAt } = JSON.parse(mark) as { exitCode: number; finishedAt: string };
    return { state: 'exited', exitCode, finishedAt, oomKilled: false };
  }
  return { state: row.StartedAt > 0 ? 'lost' : 'created' };
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
