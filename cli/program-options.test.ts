import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readMasterConfig } from '../master/config.ts';
import { AGENT_OPTIONS, JOIN_OPTIONS, MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { openLog } from './log.ts';
import { flagsOf, givenOptions, orWrongCall } from './program-options.ts';

const AGENT = { ...JOIN_OPTIONS, ...AGENT_OPTIONS };
let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'skerry-config-'));
  file = join(root, 'config.yaml');
});
afterEach(() => rmSync(root, { recursive: true }));

const texts = (args: string[], environment: NodeJS.ProcessEnv = {}, table = AGENT) =>
  Object.fromEntries(
    Object.entries(givenOptions(args, table, environment)).map(([key, { text }]) => [key, text]),
  );

test('a flag goes before a variable, a variable before the file, the file before the default', () => {
  writeFileSync(file, 'nodeName: from-file\nruntime: podman\nnodeIp: 10.0.0.1\n');
  const environment = { SKERRY_NODE_NAME: 'from-variable', SKERRY_RUNTIME: 'containerd' };
  const args = ['--config', file, '--node-name', 'from-flag'];
  expect(texts(args, environment)).toEqual({
    nodeName: 'from-flag',
    runtime: 'containerd',
    nodeIp: '10.0.0.1',
  });
});

test('the file may be named by a variable; an empty variable says nothing', () => {
  writeFileSync(file, 'nodeName: from-file\n');
  expect(texts([], { SKERRY_CONFIG: file, SKERRY_NODE_NAME: '' })).toEqual({
    nodeName: 'from-file',
  });
});

test('an empty file, and one with comments only, says nothing', () => {
  for (const text of ['', '# nodeName: x\n', '---\n']) {
    writeFileSync(file, text);
    expect(texts(['--config', file])).toEqual({});
  }
});

test('a token leaves the environment, which the engines inherit', () => {
  const environment = { SKERRY_TOKEN: 'secret', PATH: '/bin' };
  expect(texts(['--server', 'https://a:1'], environment)).toMatchObject({ token: 'secret' });
  expect(environment).toEqual({ PATH: '/bin' });
});

test('paths of flags and variables begin at the folder of the call', () => {
  expect(texts(['--data-dir', 'data'], { SKERRY_TOKEN_FILE: 't' })).toEqual({
    dataDir: `${process.cwd()}/data`,
    tokenFile: `${process.cwd()}/t`,
  });
});

test('a name of digits needs no quotation marks, a number may have them', () => {
  writeFileSync(file, 'nodeName: 007\nruntime: "podman"\n');
  expect(texts(['--config', file])).toEqual({ nodeName: '007', runtime: 'podman' });
});

test.each([
  ['lisen: 1', ':1: unknown key "lisen"; did you mean listen?'],
  ['\n\nservice-cidr: x', ':3: unknown key "service-cidr"; did you mean serviceCidr?'],
  ['clusterCIDR: x', ':1: unknown key "clusterCIDR"; did you mean clusterCidr?'],
  ['NODECIDRMASKSIZE: x', ':1: unknown key "NODECIDRMASKSIZE"; did you mean nodeCidrMaskSize?'],
  ['cluster-CIDR: x', ':1: unknown key "cluster-CIDR"; did you mean clusterCidr?'],
  ['servceCIDR: x', ':1: unknown key "servceCIDR"; did you mean serviceCidr?'],
  ['SKERRY_DATA_DIR: x', ':1: unknown key "SKERRY_DATA_DIR"; did you mean dataDir?'],
  ['a: 1\na: 2', ':1: unknown key "a"; it knows dataDir, '],
  ['listen: :1\nlisten: :2', ':2: listen is set a second time: keep one'],
  ['listen: [a]', ':1: listen: expected HOST:PORT, for example 0.0.0.0:6443, found a list'],
  ['listen: {a: b}', ':1: listen: expected HOST:PORT, for example 0.0.0.0:6443, found a mapping'],
  ['listen:', ':1: listen: expected HOST:PORT, for example 0.0.0.0:6443, found nothing'],
  ['listen: 6443', ':1: listen 6443: expected HOST:PORT, for example 0.0.0.0:6443'],
  ['nodeCidrMaskSize: a', ':1: nodeCidrMaskSize a: expected a whole number from 8 to 28'],
  ['nodeCidrMaskSize: 7', ':1: nodeCidrMaskSize 7: expected a whole number from 8 to 28'],
  ['nodeCidrMaskSize: 12', ':1: nodeCidrMaskSize 12: expected a whole number from 16, '],
  ['clusterCidr: 10.43.0.0/16', ':1: clusterCidr 10.43.0.0/16: overlaps with the services'],
  ['dataDir: data', ':1: dataDir data: expected a path that begins with /'],
  ['logLevel: loud', ':1: logLevel loud: expected error, warn, info or debug'],
  ['- listen', ':1: not a mapping of keys to values; expected lines such as'],
  ['listen: :1\n  x: y', ':1: Nested mappings'],
  ['a: b: c', ':1: '],
  ['listen: "', ':1: '],
])('%j is refused with file, line, key and what was expected', (text, message) => {
  writeFileSync(file, text);
  const read = () =>
    orWrongCall(() => {
      const given = givenOptions(['--config', file], MASTER_OPTIONS, {});
      readMasterConfig(given);
      openLog(given);
    });
  expect(read).toThrow(expect.objectContaining({ exitCode: 2 }));
  expect(read).toThrow(`${file}${message}`);
  expect(read).not.toThrow(/\n/);
});

test('a variable that is wrong is named with its value', () => {
  const given = givenOptions([], MASTER_OPTIONS, { SKERRY_LISTEN: 'x' });
  expect(() => readMasterConfig(given)).toThrow('SKERRY_LISTEN=x: expected HOST:PORT');
});

test('a file that is not there, or is a folder, is named', () => {
  expect(() => texts(['--config', file])).toThrow(`--config ${file}: there is no such file`);
  expect(() => texts(['--config', root])).toThrow(`--config ${root}: EISDIR`);
});

test('a token in a file that others may read is refused, and never shown', () => {
  writeFileSync(file, 'token: abcdef\n');
  chmodSync(file, 0o644);
  expect(() => texts(['--config', file])).toThrow(
    `${file}:1: token is secret, and others may read this file: chmod 600 ${file}`,
  );
  chmodSync(file, 0o600);
  expect(givenOptions(['--config', file], AGENT, {})['token']).toEqual({
    text: 'abcdef',
    place: `${file}:1: token`,
  });
});

test('help says of every option what stands for its value, and what holds without it', () => {
  expect(flagsOf(MASTER_OPTIONS)).toMatchObject({
    config: { value: 'FILE' },
    'service-cidr': { value: 'CIDR', description: 'addresses of services (10.43.0.0/16)' },
    'log-level': { value: 'error|warn|info|debug' },
  });
});
