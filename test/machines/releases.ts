import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../e2e/run.ts';
import { SAMPLE_IMAGE } from '../e2e/sample-image.ts';

const repository = new URL('../..', import.meta.url).pathname;

/** Where machines see what `makeReleases` made. */
export const MEDIA = '/media/skerry';

/**
 * What a person would bring to a machine on a USB stick, made in `folder` from the build under test: the archive with its Node.js,
 * SHA256SUMS and install.sh; the archive unpacked, as `this`; `previous`, which is another release of the same programs; `broken`,
 * whose programs end at once; `raising`, whose programs change the form of the state and then end; `apart`, which no master of this one
 * serves; and the sample's image.
 */
export async function makeReleases(folder: string): Promise<void> {
  const script = join(repository, '.ci/release.ts');
  const dist = process.env['SKERRY_E2E_DIST'] ?? '';
  const options = ['--arch', ARCHITECTURE, '--dist', dist, '--out', folder, '--level', '1'];
  mkdirSync(folder, { recursive: true });
  await mustRun(process.execPath, ['--import', 'tsx', script, ...options], { cwd: repository });
  const archive = readdirSync(folder).find((name) => name.endsWith('.tar.gz')) ?? '';
  for (const name of ['this', ...OTHERS]) mkdirSync(join(folder, name));
  const unpack = [
    '-xzf',
    join(folder, archive),
    '-C',
    join(folder, 'this'),
    '--strip-components=1',
  ];
  await mustRun('tar', unpack);
  for (const name of OTHERS) {
    // Hard links: what differs is written anew, never in place.
    await mustRun('cp', ['-al', `${folder}/this/.`, join(folder, name)]);
  }
  replace(join(folder, 'previous/VERSION'), '0.0.9\n');
  replace(join(folder, 'broken/VERSION'), '9.9.9\n');
  replace(join(folder, 'broken/bin/skerry'), BROKEN_COMMAND, 0o755);
  makeRaising(join(folder, 'raising'));
  makeApart(join(folder, 'apart'));
  await mustRun('podman', ['save', '--quiet', '-o', join(folder, 'sample.tar'), SAMPLE_IMAGE]);
}

const OTHERS = ['previous', 'broken', 'raising', 'apart'];
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'x64';

const BROKEN_COMMAND = `#!/bin/sh
echo "skerry $1: this release is broken" >&2
exit 1
`;

const RAISING_COMMAND = `#!/bin/sh
case $1 in master | agent) ;; *) exec "\${0%/bin/skerry}/bin/works" "$@" ;; esac
state=/var/lib/skerry/$1
for file in $state/*; do [ ! -f "$file" ] || echo junk >"$file"; done
echo '99 9.9.8' >$state/format
mkdir -p $state/new
echo "skerry $1: this release fails after a change of the state" >&2
exit 1
`;

function makeRaising(folder: string): void {
  replace(join(folder, 'VERSION'), '9.9.8\n');
  replace(join(folder, 'STATE_FORMAT'), '99\n');
  renameSync(join(folder, 'bin/skerry'), join(folder, 'bin/works'));
  writeFileSync(join(folder, 'bin/skerry'), RAISING_COMMAND, { mode: 0o755 });
}

/** The same programs, which say that they are of a version far from this one. */
function makeApart(folder: string): void {
  const version = readFileSync(join(folder, 'VERSION'), 'utf8').trim();
  replace(join(folder, 'VERSION'), '9.9.7\n');
  const chunks = readdirSync(join(folder, 'lib')).map((name) => join(folder, 'lib', name));
  for (const chunk of chunks) {
    const text = readFileSync(chunk, 'utf8');
    if (text.includes(`"${version}"`)) replace(chunk, text.replaceAll(`"${version}"`, '"9.9.7"'));
  }
}

function replace(path: string, text: string, mode = 0o644): void {
  if (!existsSync(path)) throw new Error(`a release without ${path}`);
  rmSync(path);
  writeFileSync(path, text, { mode });
}
