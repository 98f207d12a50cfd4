import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LOG_OPTIONS } from '../shared/options/program-options.ts';
import { givenAsFlags } from '../shared/options/read-options.ts';
import { openLog } from './log.ts';

let root: string;
let fd: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-log-'));
  fd = openSync(join(root, 'stream'), 'w');
});
afterEach(() => {
  closeSync(fd);
  rmSync(root, { recursive: true });
});

function written(options: {
  flags?: Record<string, string>;
  isTTY?: boolean;
  environment?: NodeJS.ProcessEnv;
}): string[] {
  const lines: string[] = [];
  const stream = { fd, isTTY: options.isTTY === true, write: (text: string) => lines.push(text) };
  const given = givenAsFlags(LOG_OPTIONS, options.flags ?? {});
  const log = openLog(given, stream, options.environment ?? {}).child({ part: 'pods' });
  log.debug('looked');
  log.info('started', { pod: 'a' });
  log.error('failed', { error: new Error('one\ntwo') });
  return lines;
}

test('a terminal gets plain lines, one for each entry', () => {
  const lines = written({ isTTY: true });
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d info {2}started part=pods pod=a\n$/);
  expect(lines[1]).toMatch(/^\d\d:\d\d:\d\d error failed part=pods error=Error: one\\ntwo.*\n$/);
  expect(lines).toHaveLength(2);
});

test('elsewhere each line is a JSON object', () => {
  const [first = ''] = written({});
  expect(JSON.parse(first)).toMatchObject({ level: 'info', message: 'started', pod: 'a' });
});

test('the journal gets the priority of each line before it', () => {
  const { dev, ino } = fstatSync(fd);
  const environment = { JOURNAL_STREAM: `${dev}:${ino}` };
  const lines = written({ environment, flags: { logLevel: 'debug' } });
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['<7>{', '<6>{', '<3>{']);
  expect(JSON.parse(lines[2]?.slice(3) ?? '')).toMatchObject({ level: 'error' });
  const plain = written({ environment, flags: { logFormat: 'plain' } });
  expect(plain[0]).toMatch(/^<6>\d\d:/);
});

test('a file is no journal, although the unit has one', () => {
  expect(written({ environment: { JOURNAL_STREAM: '1:1' } })[0]).toMatch(/^\{/);
});

test('--log-format and --log-level change what is written', () => {
  expect(written({ flags: { logFormat: 'json' }, isTTY: true })[0]).toMatch(/^\{/);
  expect(written({ flags: { logFormat: 'plain' } })[0]).toMatch(/started part=pods/);
  expect(written({ flags: { logLevel: 'error' } })).toHaveLength(1);
});
