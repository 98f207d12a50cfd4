import { createRequire, isBuiltin } from 'node:module';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Packages that only repeat what Node.js has. */
const SAME_AS_BUILTIN: Record<string, string> = { 'readable-stream': 'node:stream' };
/** What stands for packages of which nothing is ever called or said: what mqtt has for browsers and for MQTT 5, and traces for its authors. */
const INSTEAD_OF: Record<string, string> = {
  'lru-cache': 'module.exports = {};',
  'worker-timers': 'module.exports = {};',
  debug: 'module.exports = () => () => {};',
};
/** The same for files of packages: mqtt's SOCKS proxy, for which there is no option. */
const NEVER_CALLED_FILES = /\/mqtt\/build\/lib\/connect\/socks$/;
/** Large modules that an idle program does not call: their functions load them. */
const LOADED_BY_A_CALL = new Set(['node:fs/promises', 'node:http', 'node:https', 'node:zlib']);
/** Of node:fs/promises, what node:fs does as well, with a callback: this much needs nothing loaded. */
const PROMISED = new Set(
  'access chmod chown copyFile lstat mkdir mkdtemp readdir readFile readlink rename rm rmdir stat statfs symlink truncate unlink writeFile'.split(' '),
);

/**
 * Leaves out of a bundle what costs memory and does nothing. An `import` of one of Node's own modules reads everything that the module
 * has to offer, and with `node:http` that loads Node's whole WebSocket and fetch; `require` reads only what is named. So each import
 * becomes a require of the names that are used, for some modules by the first call of their functions.
 */
export const leanModules: Plugin = {
  name: 'lean-modules',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind, namespace }) => {
      if (path in INSTEAD_OF) return { path, namespace: 'instead' };
      const name = SAME_AS_BUILTIN[path] ?? path;
      if (!isBuiltin(name)) return undefined;
      const builtin = name.startsWith('node:') ? name : `node:${name}`;
      const isRequired = kind === 'require-call' || namespace === 'builtin';
      return isRequired ? { path: builtin, external: true } : { path: builtin, namespace: 'builtin' };
    });
    build.onResolve({ filter: /^\.\/socks$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path);
      return NEVER_CALLED_FILES.test(file) ? { path, namespace: 'instead' } : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'instead' }, ({ path }) => ({
      contents: INSTEAD_OF[path] ?? 'module.exports = {};',
    }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: namedExports(path) }));
  },
};

/** An ES module with a default export and one for each name; what nobody imports is dropped from the bundle, and so never read. */
function namedExports(builtin: string): string {
  const members = Object.entries(require(builtin) as Record<string, unknown>).filter(
    ([name]) => /^[\w$]+$/.test(name) && name !== 'default',
  );
  const load = `require(${JSON.stringify(builtin)})`;
  return [
    `export default ${read(load)};`,
    ...members.map(([name, value], index) => {
      const member = `${load}.${name}`;
      const waits = LOADED_BY_A_CALL.has(builtin) && typeof value === 'function';
      const isPromised = builtin === 'node:fs/promises' && PROMISED.has(name);
      const made = isPromised ? promised(name) : waits ? loadedByACall(name, member) : read(member);
      return `const value${index} = ${made}; export { value${index} as ${name} };`;
    }),
  ].join('\n');
}

function read(what: string): string {
  return `/* @__PURE__ */ (() => ${what})()`;
}

function promised(name: string): string {
  return read(`require('node:util').promisify(require('node:fs').${name})`);
}

/** Node.js writes its classes with a capital. Nobody may extend one of these. */
function loadedByACall(name: string, member: string): string {
  if (/^[a-z]/.test(name)) return `(...args) => ${member}(...args)`;
  return `/* @__PURE__ */ Object.defineProperty(function (...args) { return new ${member}(...args); }, Symbol.hasInstance, { value: (it) => it instanceof ${member} })`;
}
