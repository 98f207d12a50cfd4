import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../shared/meta/kube-object.ts';
import type { ContainerState } from '../../shared/schema/kubernetes-types.ts';
import { LogFile } from '../host/log-files.ts';
import type { ContainerRuns } from '../pods/collaborators.ts';
import { pod } from '../pods/testing/pod-bench.ts';
import { LogFolders } from './log-folders.ts';
import { tailStart } from './log-tail.ts';
import { LogStreamHandler } from './logs.ts';

let root: string;
let folders: LogFolders;
let folder: string;
let runs: FakeRuns;
let handler: LogStreamHandler;

class FakeRuns implements ContainerRuns {
  state: ContainerState = { running: {} };
  lastState: ContainerState = {};
  attempt: number | undefined = 0;
  previousAttempt: number | undefined;
  readonly #listeners = new Set<() => void>();

  look(_uid: string, name: string) {
    if (name !== 'web') return undefined;
    const { state, lastState, attempt, previousAttempt } = this;
    const status = { name, image: '', imageID: '', ready: true, restartCount: 0, state, lastState };
    return { status, attempt, previousAttempt };
  }

  subscribe(_uid: string, changed: () => void) {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  end(): void {
    this.state = { terminated: { exitCode: 0 } };
    for (const changed of this.#listeners) changed();
  }
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-logs-'));
  folders = new LogFolders(root);
  folder = join(root, 'default_p_uid-p', 'web');
  mkdirSync(folder, { recursive: true });
  runs = new FakeRuns();
  handler = new LogStreamHandler({
    folders,
    runs,
    nowMs: () => Date.parse('2026-01-01T00:01:00Z'),
  });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function line(text: string, second = 0, tag = 'F'): string {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}.5+00:00`;
  return `${time} stdout ${tag} ${text}\n`;
}

class Reader {
  text = '';
  readonly abort = new AbortController();
  readonly done: Promise<void>;

  constructor(request: JsonObject) {
    this.done = handler.serve(
      { namespace: 'default', pod: 'p', uid: 'uid-p', container: 'web', ...request },
      {
        write: async (chunk) => {
          this.text += Buffer.from(chunk).toString();
        },
      },
      this.abort.signal,
    );
  }
}

async function logs(request: JsonObject = {}): Promise<string> {
  const reader = new Reader(request);
  await reader.done;
  return reader.text;
}

describe('the log of a container', () => {
  it('is the text of its lines, parts joined', async () => {
    writeFileSync(
      join(folder, '0.log'),
      line('one') + line('tw', 1, 'P') + line('o', 1) + line('') + line('ü'),
    );
    expect(await logs()).toBe('one\ntwo\n\nü\n');
  });

  it('has timestamps with nine digits when asked, once for a line of several parts', async () => {
    writeFileSync(join(folder, '0.log'), line('a', 1, 'P') + line('b', 1) + line('c', 2));
    expect(await logs({ timestamps: true })).toBe(
      '2026-01-01T00:00:01.500000000Z ab\n2026-01-01T00:00:02.500000000Z c\n',
    );
  });

  it('begins with the last lines, over rotated files', async () => {
    writeFileSync(join(folder, '0.log.2'), line('a') + line('b'));
    writeFileSync(join(folder, '0.log.1'), line('c') + line('d', 0, 'P') + line('e'));
    writeFileSync(join(folder, '0.log'), line('f'));
    expect(await logs({ tailLines: 3 })).toBe('c\nde\nf\n');
    expect(await logs({ tailLines: 4 })).toBe('b\nc\nde\nf\n');
    expect(await logs({ tailLines: 9 })).toBe('a\nb\nc\nde\nf\n');
    expect(await logs({ tailLines: 0 })).toBe('');
    expect(await logs()).toBe('a\nb\nc\nde\nf\n');
  });

  it('begins at a time, or some seconds ago', async () => {
    writeFileSync(join(folder, '0.log'), line('a', 10) + line('b', 20) + line('c', 30));
    expect(await logs({ sinceTime: '2026-01-01T00:00:20Z' })).toBe('b\nc\n');
    expect(await logs({ sinceSeconds: 30 })).toBe('c\n');
  });

  it('ends at the limit of bytes', async () => {
    writeFileSync(join(folder, '0.log'), line('abcdef') + line('ghi'));
    expect(await logs({ limitBytes: 9 })).toBe('abcdef\ngh');
  });

  it('is that of the run before when asked for', async () => {
    writeFileSync(join(folder, '0.log'), line('old'));
    writeFileSync(join(folder, '1.log'), line('new'));
    runs.attempt = 1;
    runs.previousAttempt = 0;
    expect(await logs()).toBe('new\n');
    expect(await logs({ previous: true })).toBe('old\n');
    runs.state = { waiting: { reason: 'CrashLoopBackOff' } };
    runs.lastState = { terminated: { exitCode: 1 } };
    expect(await logs({ previous: true })).toBe('new\n');
    expect(await logs()).toBe('new\n');
  });

  it('is refused with the reason where there is none', async () => {
    await expect(logs({ previous: true })).rejects.toMatchObject({
      reason: 'BadRequest',
      message: 'previous terminated container "web" in pod "p" not found',
    });
    await expect(logs({ container: 'no' })).rejects.toMatchObject({ reason: 'NotFound' });
    runs.attempt = undefined;
    runs.state = { waiting: { reason: 'ContainerCreating' } };
    await expect(logs()).rejects.toMatchObject({
      reason: 'BadRequest',
      message: 'container "web" in pod "p" is waiting to start: ContainerCreating',
    });
    runs.state = { waiting: { reason: 'ImagePullBackOff' } };
    await expect(logs()).rejects.toThrow('trying and failing to pull image');
  });

  it('is followed through new lines and a rotation until the container ends', async () => {
    const path = join(folder, '0.log');
    writeFileSync(path, line('a') + line('b'));
    const reader = new Reader({ follow: true, tailLines: 1 });
    await vi.waitFor(() => expect(reader.text).toBe('b\n'));
    appendFileSync(path, line('c'));
    await vi.waitFor(() => expect(reader.text).toBe('b\nc\n'));
    appendFileSync(path, line('d'));
    renameSync(path, `${path}.1`);
    writeFileSync(path, line('e'));
    await vi.waitFor(() => expect(reader.text).toBe('b\nc\nd\ne\n'));
    appendFileSync(path, line('last'));
    runs.end();
    await reader.done;
    expect(reader.text).toBe('b\nc\nd\ne\nlast\n');
    expect(runs.listeners).toBe(0);
  });

  it('is followed over several rotations at once, without a line lost or repeated', async () => {
    const path = join(folder, '0.log');
    const own = new LogFolders(root, () => async () => writeFileSync(path, ''));
    let next = 0;
    const expected = () => Array.from({ length: next }, (_, index) => `l${index}\n`).join('');
    const write = () => appendFileSync(path, line(`l${next++}`));
    write();
    const reader = new Reader({ follow: true });
    await vi.waitFor(() => expect(reader.text).toBe('l0\n'));
    for (let round = 0; round < 30; round++) {
      for (let rotation = 0; rotation <= round % 3; rotation++) {
        write();
        await own.bound(5, 4);
        write();
      }
      await vi.waitFor(() => expect(reader.text).toBe(expected()));
    }
    runs.end();
    await reader.done;
    expect(reader.text).toBe(expected());
  });

  it('is followed from the moment that its file appears', async () => {
    const reader = new Reader({ follow: true });
    await vi.waitFor(() => expect(runs.listeners).toBe(1));
    writeFileSync(join(folder, '0.log'), line('a'));
    await vi.waitFor(() => expect(reader.text).toBe('a\n'));
    reader.abort.abort();
    await reader.done;
    expect(runs.listeners).toBe(0);
  });

  it('goes on after its file was cut short in place', async () => {
    const path = join(folder, '0.log');
    writeFileSync(path, line('a') + line('b'));
    const reader = new Reader({ follow: true });
    await vi.waitFor(() => expect(reader.text).toBe('a\nb\n'));
    writeFileSync(path, line('c'));
    await vi.waitFor(() => expect(reader.text).toBe('a\nb\nc\n'));
    runs.end();
    await reader.done;
  });
});

describe('the tail of a file', () => {
  it('is found whatever the lengths of lines and their parts', async () => {
    const part = fc.tuple(fc.nat(70_000), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), fc.nat(8), async (parts, wanted) => {
        const path = join(root, 'tail.log');
        const written = parts.map(([length, isPart], index) =>
          line('x'.repeat(length), index % 60, isPart && index < parts.length - 1 ? 'P' : 'F'),
        );
        writeFileSync(path, written.join(''));
        const whole: string[] = [];
        let isOpen = false;
        for (const one of written) {
          if (isOpen) whole.push((whole.pop() ?? '') + one);
          else whole.push(one);
          isOpen = one.includes(' P ');
        }
        const file = await LogFile.open(path);
        const { offset } = await tailStart(file as LogFile, wanted);
        await file?.close();
        const expected = wanted === 0 ? '' : whole.slice(-wanted).join('');
        expect(written.join('').length - offset).toBe(expected.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('LogFolders', () => {
  it('bounds a log to its files, each of a size, and whoever reads sees the newest lines', async () => {
    const path = join(folder, '0.log');
    writeFileSync(path, '');
    for (let i = 0; i < 8; i++) {
      appendFileSync(path, line(`l${i}`) + line('x'));
      await folders.bound(50, 3);
      await folders.bound(50, 3);
    }
    const owner = { namespace: 'default', name: 'p', uid: 'uid-p' };
    expect(await folders.files(owner, 'web', 0)).toEqual([`${path}.2`, `${path}.1`, path]);
    expect(await logs()).toBe('l6\nx\nl7\nx\n');
  });

  it('renames the log of a running container and has it opened anew, also when that failed the last time', async () => {
    const path = join(folder, '0.log');
    let reopened = 0;
    let isBroken = true;
    let runs = true;
    const own = new LogFolders(root, (uid, name, attempt) => {
      expect([uid, name, attempt]).toEqual(['uid-p', 'web', 0]);
      if (!runs) return undefined;
      return async () => {
        if (isBroken) throw new Error('the agent ends here');
        reopened++;
        writeFileSync(path, '');
      };
    });
    writeFileSync(path, line('a'));
    writeFileSync(`${path}.raw`, line('not a log'));
    await expect(own.bound(5, 3)).rejects.toThrow('the agent ends here');
    appendFileSync(`${path}.1`, line('b'));
    isBroken = false;
    await own.bound(5, 3);
    appendFileSync(path, line('c'));
    await own.bound(5, 3);
    expect(reopened).toBe(2);
    appendFileSync(path, line('d'));
    expect(await logs()).toBe('a\nb\nc\nd\n');
    runs = false;
    await own.bound(5, 3);
    expect(await logs()).toBe('a\nb\nc\nd\n');
  });

  it('knows its pods, gives the end of a log, and removes one attempt or all', async () => {
    writeFileSync(
      join(folder, '0.log'),
      Array.from({ length: 100 }, (_, i) => line(`l${i}`)).join(''),
    );
    writeFileSync(join(folder, '0.log.1'), '');
    writeFileSync(join(folder, '10.log'), '');
    const one = pod('p');
    expect((await folders.tail(one, 'web', 0)).split('\n').slice(0, 1)).toEqual(['l20']);
    expect(await folders.list()).toEqual(['uid-p']);
    await folders.removeAttempt('uid-p', 'web', 0);
    expect(
      await folders.files({ namespace: 'default', name: 'p', uid: 'uid-p' }, 'web', 0),
    ).toHaveLength(1);
    expect(await folders.tail(one, 'web', 0)).toBe('');
    await folders.remove('uid-p');
    expect(await folders.list()).toEqual([]);
  });
});
