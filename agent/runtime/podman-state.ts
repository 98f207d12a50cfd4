import { formatIsoTime } from '../../shared/meta/time.ts';
import type { ContainerExit, ContainerState } from './runtime.ts';

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
  /** This process is just starting it. */
  starting(): boolean;
  /** It was started once. */
  startNote(): boolean;
  monitorAlive(): boolean;
  /** What the driver noted when it saw the exit, or when the process could not start. */
  exitNote(): Omit<ContainerExit, 'id'> | undefined;
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
  const ended = noted(files.exitNote());
  switch (row.State) {
    case 'created':
    case 'configured':
    case 'initialized':
      if (ended !== undefined) return { ...base, state: 'exited', ...ended };
      if (files.starting()) return { ...base, state: 'created' };
      return { ...base, state: row.StartedAt > 0 || files.startNote() ? 'lost' : 'created' };
    case 'running':
    case 'paused':
    case 'stopping':
      // podman's row may be older than the exit that the driver has seen.
      if (ended !== undefined) return { ...base, state: 'exited', ...ended };
      return files.monitorAlive()
        ? { ...base, state: 'running', pid: row.Pid }
        : { ...base, state: 'lost' };
    case 'exited':
    case 'stopped':
      return {
        ...base,
        state: 'exited',
        exitCode: row.ExitCode,
        ...(row.ExitedAt > 0 ? { finishedAt: timestamp(row.ExitedAt) } : {}),
        ...ended,
      };
    default:
      return { ...base, state: 'lost' };
  }
}

function noted(note: Omit<ContainerExit, 'id'> | undefined) {
  if (note === undefined) return undefined;
  const { exitCode, oomKilled, finishedAtMs } = note;
  return { exitCode, oomKilled, finishedAt: formatIsoTime(finishedAtMs) };
}

function timestamp(seconds: number): string {
  return formatIsoTime(seconds * 1000).replace('.000Z', 'Z');
}
