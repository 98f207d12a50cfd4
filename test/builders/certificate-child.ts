import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const CACHE = join(import.meta.dirname, '../../.cache');

/** The command of the certificate child, bundled as it ships: a third of a second a call, where sources take well over one. */
export function builtCertificateChild(): string[] {
  const own = join(CACHE, `x509-${process.pid}.mjs`);
  const command = join(CACHE, 'x509.mjs');
  mkdirSync(CACHE, { recursive: true });
  buildSync({
    entryPoints: [join(import.meta.dirname, '../../master/pki/x509-main.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: own,
  });
  // Test files that run at once each build it: a reader finds the whole of one of them.
  renameSync(own, command);
  return [process.execPath, command];
}
