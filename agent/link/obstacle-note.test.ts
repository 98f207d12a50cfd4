import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CollectingLogger } from '../../test/builders/collecting-logger.ts';
import { ObstacleNote, readObstacle } from './obstacle-note.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-obstacle-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what is in the way is read by another process, until it is out of it', () => {
  const run = join(folder, 'run');
  const note = new ObstacleNote(run, new CollectingLogger());
  expect(readObstacle(run)).toBeUndefined();
  note.tell('the master does not serve this device');
  expect(readObstacle(run)).toBe('the master does not serve this device');
  note.tell(undefined);
  expect(readObstacle(run)).toBeUndefined();
});

test('the first word takes away what a process that was killed has left', () => {
  new ObstacleNote(folder, new CollectingLogger()).tell('refused');
  new ObstacleNote(folder, new CollectingLogger()).tell(undefined);
  expect(readObstacle(folder)).toBeUndefined();
});

test('the same again writes nothing', () => {
  const note = new ObstacleNote(folder, new CollectingLogger());
  note.tell('refused');
  rmSync(join(folder, 'obstacle'));
  note.tell('refused');
  expect(existsSync(join(folder, 'obstacle'))).toBe(false);
});

test('a note that cannot be written harms nothing', () => {
  const log = new CollectingLogger();
  writeFileSync(join(folder, 'file'), '');
  new ObstacleNote(join(folder, 'file'), log).tell('refused');
  expect(log.lines).toEqual([expect.stringContaining('warn')]);
});
