import { createRequire, isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

const require = createRequire(import.meta.url);

/** Packages that only repeat what Node.js has. */
const SAME_AS_BUILTIN: Record<string, string> = { 'readable-stream': 'node:stream' };
/** Packages of which nothing is ever called: mqtt's SOCKS proxy, for which there is no option. */
const NEVER_CALLED = new Set(['socks']);

/**
 * Leaves out of a bundle what costs memory and does nothing. An `import` of one of Node's own modules reads everything that the module
 * has to offer, and with `node:http` that loads Node's whole WebSocket and fetch; `require` reads only what is named. So each import
 * becomes a require of the names that are used.
 */
export const leanModules: Plugin = {
  name: 'lean-modules',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, ({ path, kind, namespace }) => {
      if (NEVER_CALLED.has(path)) return { path, namespace: 'never-called' };
      const name = SAME_AS_BUILTIN[path] ?? path;
      if (!isBuiltin(name)) return undefined;
      const builtin = name.startsWith('node:') ? name : `node:${name}`;
      const isRequired = kind === 'require-call' || namespace === 'builtin';
      return isRequired ? { path: builtin, external: true } : { path: builtin, namespace: 'builtin' };
    });
    build.onLoad({ filter: /.*/, namespace: 'never-called' }, () => ({ contents: 'module.exports = {};' }));
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({ contents: namedExports(path) }));
  },
};

/** An ES module with a default export and one for each name; what nobody imports is dropped from the bundle, and so never read. */
function namedExports(builtin: string): string {
  const names = Object.keys(require(builtin)).filter(
    (name) => /^[\w$]+$/.test(name) && name !== 'default',
  );
  return [
    `const builtin = require(${JSON.stringify(builtin)});`,
    'export default builtin;',
    ...names.map(
      (name, index) =>
        `const value${index} = /* @__PURE__ */ (() => builtin.${name})(); export { value${index} as ${name} };`,
    ),
  ].join('\n');
}
