import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRun, run } from './run.ts';

/** The image of examples/sample.yaml, as install.sh makes it: static busybox and nothing else. */
export const SAMPLE_IMAGE = 'localhost/skerry-sample:1';

/** Stays when the tests end: other clusters of the machine may run it. */
export async function makeSampleImage(): Promise<void> {
  if ((await run('podman', ['image', 'exists', SAMPLE_IMAGE])).code === 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'skerry-sample-'));
  try {
    for (const name of ['bin', 'tmp', 'www', 'etc', 'proc', 'sys', 'dev']) {
      mkdirSync(join(folder, name));
    }
    const busybox = (await mustRun('sh', ['-c', 'command -v busybox'])).trim();
    copyFileSync(busybox, join(folder, 'bin/busybox'));
    for (const applet of (await mustRun(busybox, ['--list'])).split('\n')) {
      if (applet !== '' && applet !== 'busybox') {
        symlinkSync('busybox', join(folder, 'bin', applet));
      }
    }
    const archive = `${folder}.tar`;
    await mustRun('tar', ['-C', folder, '-cf', archive, '.']);
    await mustRun('podman', ['import', '-q', '--change', 'CMD ["sh"]', archive, SAMPLE_IMAGE]);
    rmSync(archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
