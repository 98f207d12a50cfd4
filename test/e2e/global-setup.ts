import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeSampleImage } from './sample-image.ts';

const root = new URL('../..', import.meta.url).pathname;

/**
 * Builds dist/ when it is out of date (`install.sh build` knows) and gives the tests a copy, which a later build does not take away
 * under running programs. $SKERRY_DIST names a finished build instead.
 */
export async function setup(): Promise<() => void> {
  const given = process.env['SKERRY_DIST'];
  await makeSampleImage();
  if (given !== undefined && existsSync(join(given, 'skerry'))) {
    process.env['SKERRY_E2E_DIST'] = given;
    return () => {};
  }
  await promisify(execFile)(join(root, 'install.sh'), ['build']);
  const folder = mkdtempSync(join(tmpdir(), 'skerry-dist-'));
  cpSync(join(root, 'dist'), folder, { recursive: true });
  process.env['SKERRY_E2E_DIST'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
