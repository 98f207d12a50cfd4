import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setup as buildDist } from '../e2e/global-setup.ts';
import { MACHINES_CACHE } from './base-root.ts';
import { makeReleases } from './releases.ts';

/** As for other end-to-end tests, and releases of the build: made once, for the machines of every file. */
export async function setup(): Promise<() => void> {
  const removeDist = await buildDist();
  const media = join(MACHINES_CACHE, `skerry-media-${process.pid}`);
  await makeReleases(media);
  process.env['SKERRY_E2E_MEDIA'] = media;
  return () => {
    rmSync(media, { recursive: true, force: true });
    removeDist();
  };
}
