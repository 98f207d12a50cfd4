import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GrowingFile } from './growing-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-growing-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Whole lines, in capitals. */
function growing(): GrowingFile {
  return new GrowingFile({
    source: join(folder, 'raw'),
    target: join(folder, 'log'),
    offsetFile: join(folder, 'offset'),
    convert(raw, last) {
      const consumedBytes = last ? raw.length : raw.lastIndexOf(0x0a) + 1;
      const text = Buffer.from(raw.subarray(0, consumedBytes)).toString().toUpperCase();
      return { lines: Buffer.from(text), consumedBytes };
    },
    failed(error) {
      throw error;
    },
  });
}

function log(): string {
  return existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '';
}

it('follows what is appended, and takes the rest at the end', async () => {
  writeFileSync(join(folder, 'raw'), 'one\n');
  const file = growing();
  file.start();
  expect(log()).toBe('ONE\n');
  appendFileSync(join(folder, 'raw'), 'two\nthr');
  await vi.waitFor(() => expect(log()).toBe('ONE\nTWO\n'));
  file.finish();
  expect(log()).toBe('ONE\nTWO\nTHR');
  expect(existsSync(join(folder, 'raw'))).toBe(false);
  expect(existsSync(join(folder, 'offset'))).toBe(false);
});

it('goes on where another one stopped', () => {
  writeFileSync(join(folder, 'raw'), 'one\n');
  const first = growing();
  first.start();
  first.stop();
  appendFileSync(join(folder, 'raw'), 'two\n');
  growing().finish();
  expect(log()).toBe('ONE\nTWO\n');
});

it('a source that is not there is nothing to follow', () => {
  const file = growing();
  file.start();
  file.finish();
  expect(log()).toBe('');
});

it('gives back what was read of a large source, and loses nothing', async () => {
  const line = `${'x'.repeat(1023)}\n`;
  writeFileSync(join(folder, 'raw'), line.repeat(3000));
  const file = growing();
  file.start();
  appendFileSync(join(folder, 'raw'), 'end\n');
  await vi.waitFor(() => expect(log().endsWith('END\n')).toBe(true));
  file.finish();
  expect(log()).toBe(`${line.repeat(3000).toUpperCase()}END\n`);
});
