/**
 * Builds dist/: one bundle with chunks that are loaded on demand, the OpenAPI documents, what is made of the tables of commands and
 * options, and the command itself. Run by `npm run build`.
 */
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { writeOpenApiDocuments } from '../master/api/output/write-openapi-documents.ts';
import { STATE_FORMAT } from '../shared/state-format.ts';
import { documents } from './documents.ts';
import { leanModules } from './lean-modules.ts';
import { thirdPartyLicences } from './third-party-licences.ts';

const root = new URL('..', import.meta.url).pathname;
const dist = `${root}dist`;

/** V8 settings of a small device: measured in docs/adr; they halve what the programs hold. */
const NODE_FLAGS = '--max-semi-space-size=2 --optimize-for-size --v8-pool-size=1 --no-warnings';
/** Of what goes on running: the authorities of the web stay unread, as only those of the cluster count. A kubeconfig may rely on them. */
const SERVICE_FLAGS = '--use-openssl-ca';
/**
 * Of an agent with its own Node.js 24 (other versions refuse flags that they do not know): what runs less than 200,000 times is not worth
 * the compilers' memory, nor what runs less than 1,000 times notes for them, and code that nobody ran between two collections goes.
 */
const AGENT_FLAGS = [
  ...['maglev', 'maglev-osr', 'maglev-with-delay', 'early-optimization', 'turbofan', 'osr'].map(
    (tier) => `--invocation-count-for-${tier}=200000`,
  ),
  '--invocation-count-for-feedback-allocation=1000',
  '--no-sparkplug',
  '--bytecode-old-age=1',
  // It shares its process with no master.
  '--max-semi-space-size=1',
  // A signal would open a debugger's port; a thread waits for it.
  '--disable-sigusr1',
].join(' ');

await rm(dist, { recursive: true, force: true });
await mkdir(`${dist}/lib`, { recursive: true });
/** Programs of their own: a chunk that two of them shared would read for each what only the other needs. */
const PROGRAMS = {
  skerry: 'cli/main.ts',
  'x509-main': 'master/pki/x509-main.ts',
  'inventory-main': 'agent/node/inventory-main.ts',
};
const builds = await Promise.all(
  Object.entries(PROGRAMS).map(([name, entry]) =>
    build({
      absWorkingDir: root,
      entryPoints: { [name]: entry },
      outdir: `${dist}/lib`,
      bundle: true,
      splitting: true,
      format: 'esm',
      // Else Node.js looks for a package.json, and has a JSON parser for it.
      outExtension: { '.js': '.mjs' },
      platform: 'node',
      target: 'node20',
      minify: true,
      metafile: true,
      legalComments: 'none',
      loader: { '.json': 'json' },
      plugins: [leanModules],
      // Packages in CommonJS, and lean modules, ask for Node's own modules by require.
      banner: { js: "import { createRequire as skerryRequire } from 'node:module'; const require = skerryRequire(import.meta.url);" },
      // Optional accelerators of ws, absent on purpose.
      external: ['bufferutil', 'utf-8-validate'],
    }),
  ),
);
const bundled = builds
  .flatMap(({ metafile }) => Object.values(metafile.outputs))
  .flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0),
  );
await writeFile(`${dist}/THIRD-PARTY-LICENCES.txt`, thirdPartyLicences(root, bundled));
await writeOpenApiDocuments(`${dist}/openapi`);
for (const [path, text] of await documents()) {
  if (path.startsWith('docs/')) continue;
  // The completion is found by the command's name.
  const file = `${dist}/${path.replace(/\.bash$/, '')}`;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
// An upgrade asks for it before it runs anything of the release.
await writeFile(`${dist}/STATE_FORMAT`, `${STATE_FORMAT}\n`);
await writeCommand('skerry', { node: process.execPath, lib: '$here/lib' });
await writeCommand('bin/skerry', {
  node: '$here/../node/bin/node',
  lib: '$here/../lib',
  agentFlags: `
if [ "$1" = agent ] && [ "$node" = "$here/../node/bin/node" ]; then
  { read -r version <"$here/../node/VERSION"; } 2>/dev/null || version=
  case $version in 24.*) flags="$flags ${AGENT_FLAGS}" ;; esac
fi`,
});

/** `skerry` runs from a clone with the Node.js that built it; `bin/skerry` is a release's, with its own Node.js or the machine's. */
async function writeCommand(
  file: string,
  { node, lib, agentFlags = '' }: { node: string; lib: string; agentFlags?: string },
) {
  await mkdir(dirname(`${dist}/${file}`), { recursive: true });
  await writeFile(
    `${dist}/${file}`,
    `#!/bin/sh
# The skerry command. The process that it becomes is the program itself: its pid is this one's.
here=$(dirname -- "$(readlink -f -- "$0")")
node=\${SKERRY_NODE:-${node}}
[ -x "$node" ] || node=$(command -v node) || { echo "skerry: there is no Node.js, neither ${node} nor on PATH: install nodejs 20 or newer, or build or install skerry again" >&2; exit 1; }
export MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=65536 MALLOC_TOP_PAD_=16384
flags='${NODE_FLAGS}'
case $1 in agent | master | up) flags="$flags ${SERVICE_FLAGS}" ;; esac${agentFlags}
# shellcheck disable=SC2086 # one word each
exec "$node" $flags "${lib}/skerry.mjs" "$@"
`,
  );
  await chmod(`${dist}/${file}`, 0o755);
}
