import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cgroupFolder, detectCgroups } from '../host/cgroup.ts';
import { runCommand } from '../host/command.ts';
import { isAlive } from '../host/proc.ts';
import type { ContainerExit, ContainerSpec, Runtime, RuntimeError } from './runtime.ts';

/** What the suite needs of an engine besides the driver. */
export interface EngineUnderTest {
  /** A driver as a started agent makes it; a second one for the same id is that agent started again. */
  runtime(agentId: string, folder: string): Runtime;
  /** Ends what the driver does in the background, as the death of its process would. */
  forget(runtime: Runtime): Promise<void>;
  /** Normalised name of an image with busybox, `ENV FROM_IMAGE=yes`, `CMD ["echo", "image cmd"]` and /etc/passwd. */
  image: string;
  /** The same with `ENTRYPOINT ["echo", "image entrypoint"]`. */
  imageWithEntrypoint: string;
  /** Lines of stderr are told from those of stdout. */
  tellsStreams: boolean;
  /** Ends a container behind the driver's back. */
  kill(id: string): Promise<void>;
  /** Makes the engine believe in a container whose process or monitor is gone. */
  lose(id: string): Promise<void>;
  /** A container of somebody else. */
  makeForeign(name: string): Promise<void>;
  foreignExists(name: string): Promise<boolean>;
  removeForeign(name: string): Promise<void>;
}

let counter = 0;

/** Every driver passes this suite against its real engine. Needs root. */
export function describeRuntime(name: string, start: () => Promise<EngineUnderTest>): void {
  describe(name, () => {
    let engine: EngineUnderTest;
    let runtime: Runtime;
    let agentId: string;
    let folder: string;
    let pins: Pins;
    let exits: Exits;

    beforeAll(async () => {
      engine = await start();
    });
    beforeEach(async () => {
      counter += 1;
      agentId = `contract${process.pid}x${counter}`;
      folder = mkdtempSync(join(tmpdir(), 'skerry-contract-'));
      pins = await pinNamespaces(join(folder, 'pins'));
      runtime = engine.runtime(agentId, folder);
      exits = await watchExits(runtime);
    });
    afterEach(async () => {
      exits.stop();
      await runtime.purge();
      await engine.forget(runtime);
      await pins.release();
      rmSync(folder, { recursive: true, force: true });
    });
    function spec(script: string | undefined, changes: Partial<ContainerSpec> = {}): ContainerSpec {
      counter += 1;
      return {
        name: `skerry-${agentId}-pod-main-${counter}`,
        labels: {
          'io.kubernetes.pod.name': 'web',
          'io.kubernetes.pod.namespace': 'default',
          'io.kubernetes.pod.uid': 'pod',
          'io.kubernetes.container.name': 'main',
        },
        image: engine.image,
        ...(script === undefined ? {} : { command: ['sh', '-c', script] }),
        env: [],
        mounts: [],
        namespaces: pins.namespaces,
        hostname: 'web-host',
        cgroupParent: `/skerry-${agentId}/podpod`,
        limits: { cpuShares: 102, oomScoreAdj: 900 },
        logPath: join(folder, `${counter}.log`),
        stdin: false,
        tty: false,
        security: {
          privileged: false,
          readOnlyRootFilesystem: false,
          addCapabilities: [],
          dropCapabilities: [],
          allowPrivilegeEscalation: true,
          supplementalGroups: [],
        },
        ...changes,
      };
    }

    function secured(script: string, security: Partial<ContainerSpec['security']>): ContainerSpec {
      const made = spec(script);
      return { ...made, security: { ...made.security, ...security } };
    }

    async function run(made: ContainerSpec): Promise<string> {
      const id = await runtime.create(made);
      await runtime.start(id);
      return id;
    }

    /** Runs to the end; the log's lines without time and stream. */
    async function outputOf(made: ContainerSpec): Promise<string[]> {
      const exit = await exits.of(await run(made));
      expect(exit.exitCode).toBe(0);
      return (await logLines(made)).map((line) => line.text);
    }

    function stateOf(id: string) {
      return runtime.list().then((states) => states.find((state) => state.id === id));
    }

    it('says what it is', async () => {
      const info = await runtime.info();
      expect(info.name).toBe(runtime.name);
      expect(info.version).toMatch(new RegExp(`^${runtime.name}://\\d+\\.\\d+`));
      expect(info.ociRuntime).not.toBe('');
    });

    it.each([0, 7])('a process that exits with %i is seen at once and listed so', async (code) => {
      const id = await run(spec(`exit ${code}`));
      expect(await exits.of(id)).toMatchObject({ id, exitCode: code, oomKilled: false });
      await eventually(async () =>
        expect(await stateOf(id)).toMatchObject({ state: 'exited', exitCode: code }),
      );
      const state = await stateOf(id);
      expect(state?.oomKilled).toBe(false);
      expect(Date.parse(state?.startedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
      expect(Date.parse(state?.finishedAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
    });

    it('a container is created, then running with a pid, then gone', async () => {
      const made = spec('exec sleep 1000');
      const id = await runtime.create(made);
      expect(await stateOf(id)).toMatchObject({
        id,
        name: made.name,
        state: 'created',
        image: made.image,
        labels: expect.objectContaining(made.labels),
      });
      await runtime.start(id);
      const running = await stateOf(id);
      expect(running?.state).toBe('running');
      expect(readFileSync(`/proc/${running?.pid}/cmdline`, 'utf8')).toContain('1000');
      await runtime.remove(id);
      expect(await stateOf(id)).toBeUndefined();
      await runtime.remove(id);
    });

    it('a log that is renamed and reopened while it is written loses no line', async () => {
      const made = spec(
        'i=0; while [ $i -lt 20000 ]; do echo $i; i=$((i + 1)); [ $((i % 500)) -gt 0 ] || sleep 0.05; done; sleep 1',
      );
      const id = await run(made);
      const files: string[] = [];
      for (let rotation = 1; rotation <= 5; rotation++) {
        await eventually(async () => expect(readIfThere(made.logPath)).not.toBe(''));
        files.push(`${made.logPath}.${rotation}`);
        renameSync(made.logPath, `${made.logPath}.${rotation}`);
        await runtime.reopenLog?.(id);
      }
      await exits.of(id);
      await runtime.list();
      const text = [...files, made.logPath].map((file) => readFileSync(file, 'utf8')).join('');
      const numbers = [...text.matchAll(/^\S+ std\S+ [FP] (\d+)$/gm)].map(([, n]) => Number(n));
      expect(numbers).toHaveLength(20_000);
      expect(numbers.every((number, index) => number === index)).toBe(true);
    });

    it('KILL is 137, TERM reaches a process that waits for it', async () => {
      const stubborn = await run(spec('trap "" TERM; while :; do sleep 1; done'));
      await runtime.signal(stubborn, 'TERM');
      await runtime.signal(stubborn, 'KILL');
      expect((await exits.of(stubborn)).exitCode).toBe(137);
      const polite = spec('trap "exit 33" TERM; echo ready; while :; do sleep 0.05; done');
      const id = await run(polite);
      await eventually(async () => expect((await logLines(polite)).length).toBe(1));
      await runtime.signal(id, 'TERM');
      expect((await exits.of(id)).exitCode).toBe(33);
      await runtime.signal(id, 'KILL');
    });

    it('output is in CRI format, with long lines in parts', async () => {
      const made = spec(
        'echo one; echo two >&2; head -c 20000 /dev/zero | tr "\\0" x; echo; printf end',
      );
      await exits.of(await run(made));
      const lines = await logLines(made);
      for (const line of lines) {
        expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}(Z|[+-]\d\d:\d\d)$/);
      }
      expect(lines.filter(({ text }) => text === 'one')).toMatchObject([{ stream: 'stdout' }]);
      const stderr = lines.filter(({ text }) => text === 'two');
      expect(stderr).toMatchObject([
        { stream: engine.tellsStreams ? 'stderr' : 'stdout', tag: 'F' },
      ]);
      const long = lines.filter(({ text }) => /^x+$/.test(text));
      expect(long.map(({ text }) => text).join('')).toHaveLength(20_000);
      expect(long[0]?.tag).toBe('P');
      expect(lines.at(-1)).toMatchObject({ tag: 'P', text: 'end' });
    });

    it('without command and args the image decides', async () => {
      expect(await outputOf(spec(undefined))).toEqual(['image cmd']);
    });

    it('args replace CMD and keep ENTRYPOINT', async () => {
      const made = spec(undefined, { image: engine.imageWithEntrypoint, args: ['a', 'b c'] });
      expect(await outputOf(made)).toEqual(['image entrypoint a b c']);
    });

    it('command replaces ENTRYPOINT and drops CMD', async () => {
      const made = spec(undefined, {
        image: engine.imageWithEntrypoint,
        command: ['echo', 'mine'],
      });
      expect(await outputOf(made)).toEqual(['mine']);
    });

    it('the environment is the spec over the image, and nothing of the engine', async () => {
      const env = [
        { name: 'PATH', value: '/bin:/other' },
        { name: 'HOME', value: '/home/x' },
        { name: 'TWICE', value: 'first' },
        { name: 'TWICE', value: 'second' },
        { name: 'with.dot', value: 'a=b' },
        { name: 'LINES', value: 'one\ntwo' },
        { name: 'EMPTY', value: '' },
      ];
      const lines = await outputOf(spec(undefined, { command: ['env'], env }));
      expect(lines.sort()).toEqual(
        [
          'EMPTY=',
          'FROM_IMAGE=yes',
          'HOME=/home/x',
          'HOSTNAME=web-host',
          'LINES=one',
          'PATH=/bin:/other',
          'TWICE=second',
          'two',
          'with.dot=a=b',
        ].sort(),
      );
    });

    it('workingDir is where the process starts', async () => {
      expect(await outputOf(spec('pwd', { workingDir: '/etc' }))).toEqual(['/etc']);
    });

    it('limits are those of the cgroup files', async () => {
      const limits = {
        memoryBytes: 64 * 1024 * 1024,
        cpuShares: 512,
        cpuQuotaMicroseconds: 25_000,
        oomScoreAdj: 500,
        pids: 40,
      };
      const id = await run(spec('exec sleep 1000', { limits }));
      const pid = (await stateOf(id))?.pid ?? 0;
      expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('500');
      const read = cgroupReader(pid);
      expect(read.path).toContain(`/skerry-${agentId}/podpod/`);
      expect(read.memory).toBe(String(limits.memoryBytes));
      expect(read.cpu).toBe('25000 100000');
      expect(read.pids).toBe('40');
      expect(read.weight).toBe(read.unified ? '20' : '512');
    });

    it('mounts are read-only or not, and names with odd characters work', async () => {
      const source = join(folder, 'with space, and comma');
      mkdirSync(source);
      writeFileSync(join(source, 'file'), 'content\n');
      const made = spec(
        'cat /ro/file; touch /ro/x 2>/dev/null || echo refused; echo new > /rw/new',
        {
          mounts: [
            { source, target: '/ro', readOnly: true },
            { source, target: '/rw', readOnly: false },
          ],
        },
      );
      expect(await outputOf(made)).toEqual(['content', 'refused']);
      expect(readFileSync(join(source, 'new'), 'utf8')).toBe('new\n');
    });

    it('user and groups are the spec’s', async () => {
      const made = secured('id -u; id -g; id -G', {
        user: '1000:3000',
        supplementalGroups: [44, 45],
      });
      const [uid, gid, groups = ''] = await outputOf(made);
      expect([uid, gid]).toEqual(['1000', '3000']);
      expect(groups.split(' ')).toEqual(expect.arrayContaining(['3000', '44', '45']));
    });

    it('a user by name is looked up in the image', async () => {
      expect(await outputOf(secured('id -u; id -g', { user: 'nobody' }))).toEqual([
        '65534',
        '65534',
      ]);
    });

    it('capabilities are Kubernetes’ own set, plus what is added, less what is dropped', async () => {
      const caps = 'grep -E "CapEff|CapBnd" /proc/1/status | tr -d "\\t"';
      expect(await outputOf(spec(caps))).toEqual([
        'CapEff:00000000a80425fb',
        'CapBnd:00000000a80425fb',
      ]);
      const changed = { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] };
      expect(await outputOf(secured(caps, changed))).toEqual([
        'CapEff:0000000000001000',
        'CapBnd:0000000000001000',
      ]);
      const user = await outputOf(secured(caps, { user: '1000' }));
      expect(user[0]).toBe('CapEff:0000000000000000');
    });

    it('privileged has every capability and the devices; no escalation is no new privileges', async () => {
      const lines = await outputOf(
        secured('grep CapEff /proc/1/status | tr -d "\\t"; ls -d /dev/kmsg', { privileged: true }),
      );
      const own = readFileSync('/proc/self/status', 'utf8').match(/CapEff:\s+(\S+)/)?.[1];
      expect(lines).toEqual([`CapEff:${own}`, '/dev/kmsg']);
      const script = 'grep NoNewPrivs /proc/1/status | tr -d "\\t"';
      expect(await outputOf(secured(script, { allowPrivilegeEscalation: false }))).toEqual([
        'NoNewPrivs:1',
      ]);
    });

    it('a read-only root filesystem has no writable corners', async () => {
      const script =
        'for f in /x /tmp/x /run/x; do touch $f 2>/dev/null && echo wrote $f; done; echo done';
      expect(await outputOf(secured(script, { readOnlyRootFilesystem: true }))).toEqual(['done']);
    });

    it('containers of a pod share its network, IPC and UTS namespaces', async () => {
      const script = 'hostname; for n in net ipc uts; do readlink /proc/self/ns/$n; done';
      const [first, second] = [spec(script), spec(script)];
      const outputs = await Promise.all([outputOf(first), outputOf(second)]);
      expect(outputs[0]).toEqual(outputs[1]);
      expect(outputs[0]).toEqual(['web-host', ...pins.inodes]);
    });

    it('OOMKilled is told and listed, also when only a child was killed', async () => {
      const limits = { memoryBytes: 16 * 1024 * 1024, cpuShares: 102, oomScoreAdj: 900 };
      const whole = await run(spec('exec tail /dev/zero', { limits }));
      expect(await exits.of(whole)).toMatchObject({ exitCode: 137, oomKilled: true });
      const child = await run(spec('tail /dev/zero; exit 3', { limits }));
      expect(await exits.of(child)).toMatchObject({ exitCode: 3, oomKilled: true });
      await eventually(async () => {
        expect(await stateOf(whole)).toMatchObject({ state: 'exited', oomKilled: true });
        expect(await stateOf(child)).toMatchObject({ state: 'exited', oomKilled: true });
      });
    });

    it('an image that is not there is ErrImageNeverPull, and leaves nothing', async () => {
      const image = 'localhost/skerry-no-such-image:1';
      expect(await runtime.imageConfig(image)).toBeUndefined();
      const error = await failure(runtime.create(spec('true', { image })));
      expect(error).toMatchObject({
        reason: 'ErrImageNeverPull',
        message: `Container image "${image}" is not present with pull policy of Never`,
      });
      expect(await runtime.list()).toEqual([]);
    });

    it('an image that cannot be pulled is ErrImagePull with the engine’s words', async () => {
      const error = await failure(runtime.pullImage('127.0.0.1:1/skerry/none:1'));
      expect(error.reason).toBe('ErrImagePull');
      expect(error.message).toMatch(/127\.0\.0\.1:1.*connection refused/);
    });

    it('the image’s configuration and name are known', async () => {
      expect(await runtime.imageConfig(engine.image)).toMatchObject({
        imageId: expect.stringMatching(/sha256:[0-9a-f]{64}$/),
        cmd: ['echo', 'image cmd'],
        env: expect.arrayContaining(['FROM_IMAGE=yes']),
      });
      const images = await runtime.listImages();
      const own = images.find(({ names }) => names.includes(engine.image));
      expect(own?.sizeBytes).toBeGreaterThan(100_000);
    });

    it('a command that does not exist is RunContainerError, and shown as exited with 128', async () => {
      const made = spec(undefined, { command: ['/no/such/command'] });
      const id = await runtime.create(made);
      const error = await failure(runtime.start(id));
      expect(error.reason).toBe('RunContainerError');
      expect(error.message).toContain('/no/such/command');
      const state = await stateOf(id);
      expect(state?.state).toBe('exited');
      expect([127, 128]).toContain(state?.exitCode);
      await runtime.remove(id);
      expect(await runtime.list()).toEqual([]);
    });

    it('a kill by somebody else is seen', async () => {
      const id = await run(spec('exec sleep 1000'));
      await engine.kill(id);
      expect(await exits.of(id)).toMatchObject({ exitCode: 137, oomKilled: false });
    });

    it('many exits at once are all told, each once', async () => {
      const ids = await Promise.all(
        [1, 2, 3, 4].map((code) => run(spec(`sleep 0.3; exit ${code}`))),
      );
      const told = await Promise.all(ids.map((id) => exits.of(id)));
      expect(told.map(({ exitCode }) => exitCode)).toEqual([1, 2, 3, 4]);
      expect(exits.all).toHaveLength(4);
    });

    it('a started-again agent finds what runs, hears its end, and its log goes on', async () => {
      const made = spec(
        'echo before; until [ -e /flag/go ]; do sleep 0.05; done; echo after; exit 5',
        {
          mounts: [{ source: folder, target: '/flag', readOnly: true }],
        },
      );
      const id = await run(made);
      await eventually(async () => expect((await logLines(made)).length).toBe(1));
      const before = await stateOf(id);
      exits.stop();
      await engine.forget(runtime);
      runtime = engine.runtime(agentId, folder);
      exits = await watchExits(runtime);
      expect(await stateOf(id)).toMatchObject({
        state: 'running',
        pid: before?.pid,
        startedAt: before?.startedAt,
      });
      writeFileSync(join(folder, 'go'), '');
      expect(await exits.of(id)).toMatchObject({ exitCode: 5 });
      await eventually(async () =>
        expect((await logLines(made)).map(({ text }) => text)).toEqual(['before', 'after']),
      );
    });

    it('what ended while the agent was away is listed with its code', async () => {
      const made = spec('until [ -e /flag/go ]; do sleep 0.05; done; echo last words; exit 6', {
        mounts: [{ source: folder, target: '/flag', readOnly: true }],
      });
      const id = await run(made);
      const pid = (await stateOf(id))?.pid;
      exits.stop();
      await engine.forget(runtime);
      writeFileSync(join(folder, 'go'), '');
      await eventually(async () => expect(isAlive(pid ?? 0)).toBe(false));
      runtime = engine.runtime(agentId, folder);
      exits = await watchExits(runtime);
      await eventually(async () =>
        expect(await stateOf(id)).toMatchObject({ state: 'exited', exitCode: 6, oomKilled: false }),
      );
      await eventually(async () =>
        expect((await logLines(made)).map(({ text }) => text)).toEqual(['last words']),
      );
    });

    it('a command beside the first process has its environment, its output and its code', async () => {
      const id = await run(
        spec('exec sleep 1000', { env: [{ name: 'WHO', value: 'me' }], workingDir: '/bin' }),
      );
      const script = 'echo $WHO in $(pwd) on $(hostname); echo and >&2; exit 3';
      const result = await runtime.exec(id, ['sh', '-c', script]);
      expect(result).toEqual({ exitCode: 3, output: 'me in /bin on web-host\nand\n' });
      expect(await runtime.exec(id, ['true'])).toEqual({ exitCode: 0, output: '' });
    });

    it('a command that cannot run is told from one that fails', async () => {
      const id = await run(spec('exec sleep 1000'));
      const missing = await failure(runtime.exec(id, ['no-such-program']));
      expect(missing.reason).toBe('ExecError');
      expect(missing.message).toMatch(/no-such-program/);
      expect(await runtime.exec(id, ['sh', '-c', 'exit 255'])).toMatchObject({ exitCode: 255 });
      await runtime.signal(id, 'KILL');
      await exits.of(id);
      expect((await failure(runtime.exec(id, ['true']))).reason).toBe('ExecError');
    });

    it('a command over its time is killed, whatever it does about TERM', async () => {
      const id = await run(spec('exec sleep 1000'));
      const deaf = ['sh', '-c', 'trap "" TERM; echo $$ > /deaf; while :; do sleep 0.1; done'];
      const error = await failure(runtime.exec(id, deaf, { timeoutMs: 1000 }));
      expect(error.reason).toBe('ExecTimeout');
      await eventually(async () => {
        const alive = await runtime.exec(id, ['sh', '-c', 'kill -0 $(cat /deaf)']);
        expect(alive.exitCode).toBe(1);
      });
      expect((await stateOf(id))?.state).toBe('running');
    });

    it('what the engine only believes in is lost, and can be removed', async () => {
      const id = await run(spec('exec sleep 1000'));
      await engine.lose(id);
      await eventually(async () => expect((await stateOf(id))?.state).toBe('lost'));
      await runtime.remove(id);
      expect(await stateOf(id)).toBeUndefined();
    });

    it('purge takes everything of this agent in any state and nothing else', async () => {
      const other = engine.runtime(`${agentId}other`, folder);
      const foreign = `skerry-foreign-${agentId}`;
      try {
        await engine.makeForeign(foreign);
        const cgroupParent = `/skerry-${agentId}other/podpod`;
        const kept = await other.create(spec('exec sleep 1000', { cgroupParent }));
        await other.start(kept);
        await runtime.create(spec('true'));
        const running = await run(spec('exec sleep 1000'));
        await exits.of(await run(spec('exit 1')));
        const pid = (await stateOf(running))?.pid;
        await engine.lose(await run(spec('exec sleep 1000')));
        await runtime.purge();
        expect(await runtime.list()).toEqual([]);
        expect(isAlive(pid ?? 0)).toBe(false);
        expect(await other.list()).toMatchObject([{ id: kept, state: 'running' }]);
        expect(await engine.foreignExists(foreign)).toBe(true);
        const memory = cgroupFolder(detectCgroups(), 'memory', `/skerry-${agentId}`) ?? '';
        expect(() => readFileSync(join(memory, 'cgroup.procs'))).toThrow();
      } finally {
        await engine.removeForeign(foreign);
        await other.purge();
        await engine.forget(other);
      }
    });
  });
}

interface Exits {
  all: ContainerExit[];
  of(id: string): Promise<ContainerExit>;
  stop(): void;
}

async function watchExits(runtime: Runtime): Promise<Exits> {
  const all: ContainerExit[] = [];
  const waiting = new Map<string, (exit: ContainerExit) => void>();
  const stop = await runtime.watch((exit) => {
    all.push(exit);
    waiting.get(exit.id)?.(exit);
  });
  return {
    all,
    stop,
    of: (id) =>
      new Promise((resolve) => {
        const known = all.find((exit) => exit.id === id);
        if (known === undefined) waiting.set(id, resolve);
        else resolve(known);
      }),
  };
}

interface LogLine {
  time: string;
  stream: string;
  tag: string;
  text: string;
}

/** Of the last bytes that are there by now; a log may trail its container's exit by a moment. */
async function logLines({ logPath }: ContainerSpec): Promise<LogLine[]> {
  let text = '';
  let before: string | undefined;
  while (before !== text) {
    before = text;
    await new Promise((resolve) => setTimeout(resolve, 60));
    text = readIfThere(logPath);
  }
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [time = '', stream = '', tag = '', ...words] = line.split(' ');
    return { time, stream, tag, text: words.join(' ') };
  });
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function failure(promise: Promise<unknown>): Promise<RuntimeError> {
  return promise.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: RuntimeError) => error,
  );
}

function cgroupReader(pid: number) {
  const layout = detectCgroups();
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const unified = layout.mode === 'unified';
  const path =
    lines.find((line) => (unified ? /^0::/ : /:memory:/).test(line))?.split(':')[2] ?? '';
  const read = (controller: string, file: string): string =>
    readFileSync(join(cgroupFolder(layout, controller, path) ?? '', file), 'utf8').trim();
  return {
    path,
    unified,
    memory: read('memory', unified ? 'memory.max' : 'memory.limit_in_bytes'),
    pids: read('pids', 'pids.max'),
    cpu: unified
      ? read('cpu', 'cpu.max')
      : `${read('cpu', 'cpu.cfs_quota_us')} ${read('cpu', 'cpu.cfs_period_us')}`,
    weight: read('cpu', unified ? 'cpu.weight' : 'cpu.shares'),
  };
}

interface Pins {
  namespaces: ContainerSpec['namespaces'];
  inodes: string[];
  release(): Promise<void>;
}

/** As the agent's own sandbox does: namespaces held by files on a private mount. */
async function pinNamespaces(folder: string): Promise<Pins> {
  mkdirSync(folder);
  await runCommand('mount', ['--bind', folder, folder]);
  await runCommand('mount', ['--make-private', folder]);
  const namespaces = {
    network: join(folder, 'net'),
    ipc: join(folder, 'ipc'),
    uts: join(folder, 'uts'),
  };
  for (const file of Object.values(namespaces)) writeFileSync(file, '');
  const { stdout } = await runCommand('unshare', [
    `--net=${namespaces.network}`,
    `--ipc=${namespaces.ipc}`,
    `--uts=${namespaces.uts}`,
    'sh',
    '-c',
    'hostname web-host; ip link set lo up; readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts',
  ]);
  return {
    namespaces,
    inodes: stdout.trim().split('\n'),
    async release() {
      for (const file of Object.values(namespaces)) await runCommand('umount', ['--lazy', file]);
      await runCommand('umount', ['--lazy', folder]);
    },
  };
}
