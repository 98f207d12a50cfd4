import type { JsonObject } from '../../shared/meta/kube-object.ts';
import { parseTime } from '../../shared/meta/time.ts';
import type { ContainerRuns } from '../pods/collaborators.ts';
import { CriOutput } from './cri-log.ts';
import type { LogFolders } from './log-folders.ts';
import { findTail, followLog, readLog } from './log-reader.ts';
import { type StreamHandler, StreamRefused, type StreamSink } from './stream.ts';

interface LogQuery {
  namespace: string;
  pod: string;
  uid: string;
  container: string;
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  sinceSeconds: number | undefined;
  sinceTime: string | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
}

/** Serves `kubectl logs`: the request is the body that the API makes of PodLogOptions. */
export class LogStreamHandler implements StreamHandler {
  readonly kind = 'logs';
  readonly #folders: LogFolders;
  readonly #runs: ContainerRuns;
  readonly #nowMs: () => number;

  constructor(parts: { folders: LogFolders; runs: ContainerRuns; nowMs: () => number }) {
    this.#folders = parts.folders;
    this.#runs = parts.runs;
    this.#nowMs = parts.nowMs;
  }

  async serve(request: JsonObject, sink: StreamSink, signal: AbortSignal): Promise<void> {
    const query = logQuery(request);
    const attempt = this.#attempt(query);
    const owner = { namespace: query.namespace, name: query.pod, uid: query.uid };
    const source = {
      files: await this.#folders.files(owner, query.container, attempt),
      output: new CriOutput({
        timestamps: query.timestamps,
        ...this.#since(query),
        ...(query.limitBytes === undefined ? {} : { limitBytes: query.limitBytes }),
      }),
      sink,
      signal,
    };
    const start =
      query.tailLines === undefined
        ? { index: 0, offset: 0 }
        : await findTail(source.files, query.tailLines);
    if (!query.follow || query.previous) {
      await readLog(source, start);
      return;
    }
    await followLog(source, start, {
      isRunning: () => this.#isRunning(query, attempt),
      subscribe: (changed) => this.#runs.subscribe(query.uid, changed),
    });
  }

  /** Which run's log is meant. Throws StreamRefused in the kubelet's words. */
  #attempt({ uid, pod, container, previous }: LogQuery): number {
    const found = this.#runs.look(uid, container);
    if (found === undefined) {
      throw new StreamRefused(
        'NotFound',
        `container "${container}" in pod "${pod}" is not available`,
      );
    }
    const { status, attempt, previousAttempt } = found;
    const waiting = status.state?.waiting;
    const attempted = waiting === undefined || status.lastState?.terminated !== undefined;
    if (previous) {
      // A container that waits for its restart: the run before is the newest there is.
      const wanted = waiting === undefined ? previousAttempt : attempted ? attempt : undefined;
      if (wanted !== undefined) return wanted;
      throw new StreamRefused(
        'BadRequest',
        `previous terminated container "${container}" in pod "${pod}" not found`,
      );
    }
    if (attempted && attempt !== undefined) return attempt;
    throw new StreamRefused(
      'BadRequest',
      `container "${container}" in pod "${pod}" is waiting to start: ${waitingText(waiting?.reason)}`,
    );
  }

  #isRunning({ uid, container }: LogQuery, attempt: number): boolean {
    const found = this.#runs.look(uid, container);
    return found?.attempt === attempt && found.status.state?.running !== undefined;
  }

  #since({ sinceSeconds, sinceTime }: LogQuery): { sinceMs?: number } {
    if (sinceSeconds !== undefined) return { sinceMs: this.#nowMs() - sinceSeconds * 1000 };
    const sinceMs = parseTime(sinceTime);
    return sinceMs === undefined ? {} : { sinceMs };
  }
}

/** As the kubelet words it when an image is the reason. */
function waitingText(reason: string | undefined): string {
  if (reason === 'ErrImagePull') return "image can't be pulled";
  if (reason === 'ImagePullBackOff') return 'trying and failing to pull image';
  return reason ?? 'ContainerCreating';
}

/** Throws StreamRefused for a request that names no container. */
function logQuery(request: JsonObject): LogQuery {
  const text = (name: string) => {
    const value = request[name];
    return typeof value === 'string' ? value : undefined;
  };
  const number = (name: string) => {
    const value = request[name];
    return typeof value === 'number' && value >= 0 ? value : undefined;
  };
  const uid = text('uid');
  const container = text('container');
  if (uid === undefined || container === undefined || /[/\0]/.test(container)) {
    throw new StreamRefused('BadRequest', 'a log request names a pod uid and a container');
  }
  return {
    namespace: text('namespace') ?? '',
    pod: text('pod') ?? '',
    uid,
    container,
    follow: request['follow'] === true,
    previous: request['previous'] === true,
    timestamps: request['timestamps'] === true,
    sinceSeconds: number('sinceSeconds'),
    sinceTime: text('sinceTime'),
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
  };
}
