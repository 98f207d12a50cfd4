import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** The command of the certificate child, bundled as it ships: a third of a second a call, where sources take well over one. */
export function builtCertificateChild(): string[] {
  const outfile = join(mkdtempSync(join(tmpdir(), 'skerry-x509-')), 'x509.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, '../../master/pki/x509-main.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile,
  });
  return [process.execPath, outfile];
}
