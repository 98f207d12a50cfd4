import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { mustRun, type Result, run } from './run.ts';

/** install.sh with its files under a folder (--root) and with --dry-run: what needs neither systemd nor a fresh machine. */
const repository = new URL('../..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'skerry-install-script-'));
const made = join(folder, 'release');
const key = join(folder, 'key.pem');
const publicKey = join(folder, 'key.pub');
const otherKey = join(folder, 'other.pub');
const token = `abcdef.0123456789abcdef.${'0'.repeat(64)}`;
const joining = ['--server', 'https://192.0.2.1:6443', '--token', token];
/** An image of a disk, with what it has before. */
let root = '';
let bare: string[] = [];
let count = 0;

async function release(out: string, ...args: string[]): Promise<void> {
  const script = join(repository, '.ci/release.ts');
  const dist = process.env['SKERRY_E2E_DIST'] ?? '';
  const options = ['--arch', machine(), '--without-node', '--dist', dist, '--out', out, ...args];
  await mustRun(process.execPath, ['--import', 'tsx', script, ...options], { cwd: repository });
}

function machine(): string {
  return process.arch === 'arm64' ? 'arm64' : 'x64';
}

const archive = () =>
  join(made, readdirSync(made).find((name) => name.endsWith('.tar.gz')) ?? 'none');

function install(command: string, ...args: string[]): Promise<Result> {
  return run('sh', [join(made, 'install.sh'), command, '--root', root, ...args]);
}

/** Of the image, without links. */
function plainFiles(): string[] {
  return filesOf(root).filter((path) => lstatSync(path).isFile());
}

/** Every path below. */
function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

beforeAll(async () => {
  for (const name of ['key', 'other']) {
    const pem = join(folder, `${name}.pem`);
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', pem]);
    execFileSync('openssl', ['pkey', '-in', pem, '-pubout', '-out', join(folder, `${name}.pub`)]);
  }
  await release(made, '--key', key);
});

beforeEach(() => {
  root = join(folder, `root-${count++}`);
  mkdirSync(join(root, 'usr/bin'), { recursive: true });
  symlinkSync(process.execPath, join(root, 'usr/bin/node'));
  bare = filesOf(root);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a dry run of every command changes nothing, also for any user, without any tool', async () => {
  const script = join(made, 'install.sh');
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  const before = filesOf(folder);
  for (const args of [['master'], ['agent', ...joining], ['upgrade'], ['uninstall']]) {
    const result = await run('setpriv', [
      ...['--reuid=65534', '--regid=65534', '--clear-groups', 'env', '-i', 'PATH=/nonexistent'],
      ...['/bin/sh', script, ...args, '--dry-run', '--archive', '/nonexistent/skerry.tar.gz'],
    ]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('this was a dry run: nothing was changed');
    expect(result.stdout).toContain('would fail: this needs root');
  }
  expect(filesOf(folder)).toEqual(before);
});

it('a dry run names what would fail, and goes on', async () => {
  const result = await install('agent', '--dry-run', '--archive', '/nonexistent', '--token', 'x');
  expect(result.code).toBe(0);
  expect(result.stdout).toMatch(/would fail: a device joins with --server/);
  expect(result.stdout).toMatch(/would fail: the token is malformed/);
  expect(result.stdout).toMatch(/would fail: \/nonexistent cannot be read/);
  expect(result.stdout).toMatch(/==> start side agent/);
});

it('an archive is installed with its configuration, and a second run changes nothing', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey, '--node-name', 'pi', ...joining];
  const first = await install('agent', ...options);
  expect(first).toMatchObject({ code: 0, stderr: '' });
  expect(first.stdout.match(/wrote .*agent\.yaml/g)).toHaveLength(1);
  const lib = join(root, 'usr/lib/skerry');
  for (const link of ['agent', 'current']) {
    expect(readlinkSync(join(lib, link))).toMatch(/^releases\/\d+\.\d+\.\d+\+[0-9a-f]{12}$/);
  }
  expect(await mustRun(join(lib, 'agent/bin/skerry'), ['version'])).toMatch(/^skerry \d/);
  expect(readFileSync(join(root, 'etc/skerry/agent.yaml'), 'utf8')).toMatch(/^nodeName: "pi"$/m);
  const again = await install('agent', ...options);
  expect(again.stdout).toContain('all of it was so already: nothing was changed');
});

it("an administrator's configuration stays, but for the options that are given", async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey];
  const file = join(root, 'etc/skerry/agent.yaml');
  mkdirSync(join(root, 'etc/skerry'), { recursive: true });
  writeFileSync(file, '# mine\nnodeName: pi\n', { mode: 0o600 });
  expect(await install('agent', ...options, ...joining, '--node-name', 'pi-2')).toMatchObject({
    code: 0,
  });
  expect(readFileSync(file, 'utf8')).toMatch(
    /^# mine\nnodeName: "pi-2"\nserver: "https:\/\/192.0.2.1:6443"\n/,
  );
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(root, 'etc/skerry/join-token')).mode & 0o777).toBe(0o600);
});

it('uninstall removes all of it, and nothing else', async () => {
  const other = join(root, 'etc/skerry/notes.txt');
  await install('agent', '--archive', archive(), '--pubkey', publicKey, ...joining);
  writeFileSync(other, 'mine');
  const said = await install('uninstall', '--yes');
  expect(said).toMatchObject({ code: 0, stderr: '' });
  expect(said.stdout).toContain('etc/skerry stays: it holds');
  expect(plainFiles()).toEqual([other]);
});

it('uninstall --keep-data keeps configuration and state', async () => {
  await install('agent', '--archive', archive(), '--pubkey', publicKey, ...joining);
  expect(await install('uninstall', '--yes', '--keep-data')).toMatchObject({ code: 0 });
  expect(existsSync(join(root, 'etc/skerry/agent.yaml'))).toBe(true);
  expect(existsSync(join(root, 'var/lib/skerry/agent'))).toBe(true);
  expect(existsSync(join(root, 'usr/lib/skerry'))).toBe(false);
});

it('an upgrade remembers the release before, and --rollback goes back to it', async () => {
  await install('agent', '--archive', archive(), '--pubkey', publicKey, ...joining);
  const link = join(root, 'usr/lib/skerry/agent');
  const other = join(root, 'usr/lib/skerry/master');
  const first = readlinkSync(link);
  symlinkSync(first, other);
  const next = join(folder, 'next');
  const dist = join(folder, 'dist');
  cpSync(process.env['SKERRY_E2E_DIST'] ?? '', dist, { recursive: true });
  writeFileSync(join(dist, 'lib/new.js'), '');
  await release(next, '--key', key, '--dist', dist);
  const file = join(next, readdirSync(next).find((name) => name.endsWith('.tar.gz')) ?? '');
  expect(await install('upgrade', '--archive', file)).toMatchObject({ code: 0, stderr: '' });
  const second = readlinkSync(link);
  expect(second).not.toBe(first);
  expect(await install('upgrade', '--rollback', '--side', 'agent')).toMatchObject({ code: 0 });
  expect(readlinkSync(link)).toBe(first);
  expect(readlinkSync(other)).toBe(second);
});

it('the same sources make the same bytes', async () => {
  const second = join(folder, 'second');
  await release(second, '--key', key);
  expect(readFileSync(join(second, 'SHA256SUMS'), 'utf8')).toBe(
    readFileSync(join(made, 'SHA256SUMS'), 'utf8'),
  );
});

it('an archive that is changed, unsigned, or signed by another key is not unpacked', async () => {
  const copy = join(folder, 'copy');
  cpSync(made, copy, { recursive: true });
  const name = archive().slice(made.length + 1);
  const file = join(copy, name);
  const refused = async (...args: string[]) => {
    const result = await install('agent', '--archive', file, ...joining, ...args);
    expect(result.code).toBe(1);
    expect(existsSync(join(root, 'usr/lib/skerry/releases'))).toBe(false);
    return result.stderr;
  };
  expect(await refused('--pubkey', otherKey)).toMatch(/is not a signature of .* by the key/);
  expect(await refused()).toMatch(/there is no public key to check .* with: give --pubkey FILE/);
  rmSync(`${file}.sig`);
  expect(await refused('--pubkey', publicKey)).toMatch(/is not signed .*--allow-unsigned/);
  writeFileSync(file, 'changed', { flag: 'a' });
  expect(await refused('--allow-unsigned')).toMatch(/has another checksum than SHA256SUMS says/);
  rmSync(join(copy, 'SHA256SUMS'));
  expect(await refused('--allow-unsigned')).toMatch(/SHA256SUMS is missing/);
});

it('a clock that is wrong, and folders that cannot be written to, stop it before anything is changed', async () => {
  const tools = join(folder, 'tools');
  mkdirSync(tools);
  writeFileSync(join(tools, 'date'), '#!/bin/sh\nexec /bin/date -d @86400 "$@"\n', { mode: 0o755 });
  const options = ['agent', '--root', root, '--archive', archive(), ...joining];
  const script = join(made, 'install.sh');
  const early = await run('sh', [script, ...options], {
    env: { ...process.env, PATH: `${tools}:${process.env['PATH']}` },
  });
  expect(early).toMatchObject({ code: 1 });
  expect(early.stderr).toMatch(/the clock says 1970-01-02: certificates would be 'not yet valid'/);
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'sh'];
  const unwritable = await run('setpriv', [...asNobody, script, ...options]);
  expect(unwritable).toMatchObject({ code: 1 });
  expect(unwritable.stderr).toMatch(/root-\d+ cannot be written to: .* make it writable/);
  expect(filesOf(root)).toEqual(bare);
});

it('an archive that is no release is refused, whatever its checksum says, and leaves nothing', async () => {
  const stage = join(folder, 'hostile');
  const name = 'skerry-1.0.0: of "theirs".tar.gz';
  const hostile = async (change: string) => {
    rmSync(stage, { recursive: true, force: true });
    mkdirSync(stage);
    const line = `tar -xzf "$1" && cd skerry-* && ${change} && cd .. && tar --force-local -P -czf "$2" skerry-* $EXTRA && sha256sum "$2" >SHA256SUMS && rm -r skerry-*/`;
    await mustRun('sh', ['-ec', `EXTRA=; cd "$0" && ${line}`, stage, archive(), name]);
    const file = join(stage, name);
    const result = await install('agent', '--archive', file, '--allow-unsigned', ...joining);
    expect(result.code, result.stdout).toBe(1);
    expect(plainFiles()).toEqual([]);
    return result.stderr;
  };
  writeFileSync(join(folder, 'secret'), 'not yours');
  const unit = 'systemd/skerry-agent.service';
  expect(await hostile(`ln -sf ${folder}/secret ${unit}`)).toMatch(
    /holds systemd\/skerry-agent.service, which is neither a file nor a folder/,
  );
  expect(await hostile('mkfifo pipe')).toMatch(/holds pipe, which is neither a file nor a folder/);
  expect(await hostile('echo ../../../escaped >VERSION')).toMatch(/holds no VERSION/);
  expect(await hostile('rm bin/skerry && mkdir bin/skerry')).toMatch(/holds no bin\/skerry/);
  expect(await hostile('echo mips >ARCHITECTURE')).toMatch(/is for mips, and this machine is/);
  expect(await hostile('echo x >../escaped && EXTRA=skerry-*/../escaped')).toMatch(
    /tar: .*\.\.[\s\S]*install\.sh: "stage release" stopped/,
  );
  const half = `${name}.half`;
  await mustRun('sh', [
    '-ec',
    'cd "$0" && head -c 9999 "$1" >"$2" && sha256sum "$2" >SHA256SUMS',
    ...[stage, archive(), half],
  ]);
  const options = ['--archive', join(stage, half), '--allow-unsigned'];
  const truncated = await install('agent', ...options, ...joining);
  expect(truncated.code).toBe(1);
  expect(truncated.stderr).toMatch(/install\.sh: "stage release" stopped: tar failed/);
  expect(plainFiles()).toEqual([]);
});

it('what is in the place of its own files, and is not from it, is never touched', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey, ...joining];
  const command = join(root, 'usr/bin/skerry');
  writeFileSync(command, 'theirs');
  const refused = await install('agent', ...options);
  expect(refused.stderr).toMatch(/usr\/bin\/skerry is there, and is not from this script: move/);
  expect(filesOf(root).slice(-1)).toEqual([command]);
  expect(await install('uninstall', '--yes')).toMatchObject({ code: 0 });
  expect(readFileSync(command, 'utf8')).toBe('theirs');
  rmSync(command);
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/skerry'), 'theirs');
  expect((await install('agent', ...options)).stderr).toMatch(/etc\/skerry .* is no folder: move/);
});

it('a lost terminal does not stop it between two steps', async () => {
  const options = `--root ${root} --archive ${archive()} --pubkey ${publicKey} ${joining.join(' ')}`;
  await run('sh', ['-c', `sh ${join(made, 'install.sh')} agent ${options} | head -n 1`]);
  expect((await install('agent', ...options.split(' ').slice(2))).stdout).toContain(
    'all of it was so already: nothing was changed',
  );
});

it('a disk that has no space for another release can go back to the one before', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey];
  await install('agent', ...options, ...joining);
  const tools = join(folder, 'small-disk');
  mkdirSync(tools);
  writeFileSync(join(tools, 'df'), '#!/bin/sh\nprintf "h\\nd 9 9 9 9%% /\\n"\n', { mode: 0o755 });
  const env = { ...process.env, PATH: `${tools}:${process.env['PATH']}` };
  const args = [join(made, 'install.sh'), 'upgrade', '--root', root];
  expect(await run('sh', [...args, ...options], { env })).toMatchObject({ code: 0, stderr: '' });
  const lib = join(root, 'usr/lib/skerry');
  execFileSync('ln', ['-sfn', readlinkSync(join(lib, 'current')), join(lib, 'previous-agent')]);
  const back = await run('sh', [...args, '--rollback', '--side', 'agent'], { env });
  expect(back).toMatchObject({ code: 0, stderr: '' });
});

it('a run that was killed is ended by the next one', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey, ...joining];
  const part = join(root, 'usr/lib/skerry/releases/.part');
  mkdirSync(part, { recursive: true });
  writeFileSync(join(part, 'half'), 'a file');
  mkdirSync(join(root, 'etc/skerry'), { recursive: true });
  writeFileSync(join(root, 'etc/skerry/agent.yaml.part'), 'half a');
  expect(await install('agent', ...options)).toMatchObject({ code: 0, stderr: '' });
  expect(filesOf(root).filter((path) => path.endsWith('.part'))).toEqual([]);
  expect((await install('agent', ...options)).stdout).toContain('nothing was changed');
});

it('what cannot be right is refused in one sentence', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey];
  const refusal = async (...args: string[]) => {
    const { code, stderr } = await install('agent', ...options, ...args);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    return stderr;
  };
  expect(await refusal()).toMatch(/--server https:\/\/MASTER:6443 and --token TOKEN/);
  expect(await refusal('--server', 'http://m', '--token', token)).toMatch(/expected https:/);
  expect(await refusal('--server', 'https://m', '--token', 'abc')).toMatch(/malformed/);
  for (const server of ['m:6443', 'https:///x', 'https://m/x', 'https://a@m', 'https://:1']) {
    expect(await refusal('--server', server, '--token', token)).toMatch(/expected https:/);
  }
  for (const value of ['a\nserver: x', 'a"b', 'a\\b']) {
    expect(await refusal(...joining, `--node-name=${value}`)).toMatch(
      /--node-name: expected one line/,
    );
  }
  expect(filesOf(root)).toEqual(bare);
  expect(await refusal(...joining, '--colour')).toMatch(/unknown option --colour/);
  expect(await refusal(...joining, '--timeout')).toMatch(/--timeout needs a value/);
  expect(await refusal(...joining, '--packages', 'some')).toMatch(/expected install or require/);
});

it('an image gets no configuration that its agent would refuse, nor a master', async () => {
  const options = ['--archive', archive(), '--pubkey', publicKey, ...joining];
  for (const [option, value, key] of [
    ['--runtime', 'dockr', 'runtime'],
    ['--node-ip', '1.2.3', 'nodeIp'],
  ] as const) {
    const { code, stderr } = await install('agent', ...options, option, value);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      new RegExp(
        `^install\\.sh: ${root}/etc/skerry/agent\\.yaml:\\d+: ${key} ${value}: expected .*; mend that, then`,
      ),
    );
    expect(readdirSync(join(root, 'etc/skerry'))).toEqual(['join-token', 'release.pub']);
  }
  expect(await install('master', ...options)).toMatchObject({
    code: 2,
    stderr: 'install.sh: --root is for agents: a master is installed where it runs\n',
  });
});

it('an image without Node.js gets no release without it', async () => {
  rmSync(join(root, 'usr/bin/node'));
  const options = ['--archive', archive(), '--pubkey', publicKey, ...joining];
  const { code, stderr } = await install('agent', ...options);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^install\.sh: there is no Node\.js in .*: install the package nodejs there/,
  );
  expect(plainFiles()).toEqual([]);
});

it('a dry run on an image names links, and nothing that only a running device would do', async () => {
  mkdirSync(join(root, 'etc/skerry'), { recursive: true });
  writeFileSync(join(root, 'etc/skerry/join-token'), '');
  bare = filesOf(root);
  const { stdout } = await install('agent', '--dry-run', '--archive', archive(), ...joining);
  expect(stdout).toMatch(/would link: .*multi-user\.target\.wants\/skerry-agent\.service/);
  expect(stdout).not.toMatch(/systemctl|would run: rm/);
  expect(filesOf(root)).toEqual(bare);
});

it('a release that cannot be made is told in one sentence, before anything is built', async () => {
  const script = join(repository, '.ci/release.ts');
  for (const [args, sentence] of [
    [['--frob'], /^release: Unknown option '--frob'[^\n]*\n$/],
    [['--arch', 'mips'], /^release: --arch mips: expected some of x64,arm64,armv7\n$/],
    [['--key', publicKey], /^release: --key \S+: expected an Ed25519 key[^\n]*\n$/],
  ] as const) {
    const options = ['--import', 'tsx', script, ...args];
    const { code, stderr } = await run(process.execPath, options, { cwd: repository });
    expect(code).toBe(2);
    expect(stderr).toMatch(sentence);
  }
});
