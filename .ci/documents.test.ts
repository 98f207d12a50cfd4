import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readAgentConfig } from '../agent/config.ts';
import { COMMANDS } from '../cli/commands.ts';
import { givenOptions } from '../cli/program-options.ts';
import { readMasterConfig } from '../master/config.ts';
import { AGENT_OPTIONS, JOIN_OPTIONS, LOG_OPTIONS, MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { documents } from './documents.ts';

const root = new URL('..', import.meta.url).pathname;
const generated = await documents();
const scratch = mkdtempSync(join(tmpdir(), 'skerry-documents-'));
afterAll(() => rmSync(scratch, { recursive: true }));

test.each([...generated.keys()])('%s is what the tables say; else: npx tsx .ci/generate-documents.ts', (path) => {
  expect(readFileSync(root + path, 'utf8')).toBe(generated.get(path));
});

describe('the example files', () => {
  const tables = { master: MASTER_OPTIONS, agent: { ...JOIN_OPTIONS, ...AGENT_OPTIONS } };
  const given = (program: keyof typeof tables, text: string) => {
    const file = join(scratch, 'config.yaml');
    writeFileSync(file, text);
    chmodSync(file, 0o600);
    return givenOptions(['--config', file], tables[program], {});
  };

  test.each(['master', 'agent'] as const)('%s.yaml names every option, and says only what differs from the default', (program) => {
    const text = generated.get(`config/${program}.yaml`) ?? '';
    for (const key of Object.keys({ ...tables[program], ...LOG_OPTIONS })) expect(text).toMatch(new RegExp(`^#?${key}: `, 'm'));
    expect(Object.keys(given(program, text))).toEqual(program === 'master' ? ['kubeconfig'] : []);
  });

  test('their lines are right when they are taken out of the comment', () => {
    const open = (program: 'master' | 'agent') =>
      (generated.get(`config/${program}.yaml`) ?? '')
        .replaceAll(/^#(\w+: )/gm, '$1')
        .replaceAll(/^.*: (ADDRESS|NAME|TEXT|FILE|URL)$/gm, '');
    expect(readMasterConfig(given('master', open('master')))).toEqual({
      ...readMasterConfig({}),
      kubeconfig: '/var/lib/skerry/master/admin.kubeconfig',
    });
    expect(readAgentConfig(given('agent', open('agent')))).toEqual(readAgentConfig({}));
  });
});

test('the keys that the installer writes are those of the table', () => {
  const rows = readFileSync(`${root}install/options.sh`, 'utf8').matchAll(/^([a-z-]+) +(SKERRY_\w+) +(master|agent):(\w+)$/gm);
  const tables = { master: MASTER_OPTIONS, agent: { ...JOIN_OPTIONS, ...AGENT_OPTIONS } };
  for (const [, , , program, key] of rows) expect(Object.keys(tables[program as 'master' | 'agent'])).toContain(key);
});

describe('completion in bash', () => {
  const file = join(scratch, 'skerry.bash');
  writeFileSync(file, generated.get('completion/skerry.bash') ?? '');
  const complete = (...words: string[]) => {
    const script = `. ${file}; compopt() { :; }; COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _skerry; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script, 'bash', 'skerry', ...words], { encoding: 'utf8', cwd: root }).split('\n').filter(Boolean);
  };

  test('a command', () => {
    expect(complete('')).toEqual([...Object.keys(COMMANDS), 'help']);
    expect(complete('mas')).toEqual(['master']);
  });

  test('an option of a command', () => {
    expect(complete('master', '--c')).toEqual(['--config', '--cluster-cidr']);
  });

  test('words, files and folders as values, and nothing for what cannot be known', () => {
    expect(complete('agent', '--runtime', 'po')).toEqual(['podman']);
    expect(complete('master', '--config', 'packa')).toEqual(['package-lock.json', 'package.json']);
    expect(complete('master', '--data-dir', 'mas')).toEqual(['master']);
    expect(complete('master', '--listen', '')).toEqual([]);
    expect(complete('get', 'pods', '-o', '')).toEqual(['wide', 'json', 'yaml', 'name']);
    expect(complete('status', '--output', '')).toEqual(['json', 'yaml']);
    expect(complete('check', '--for', 'm')).toEqual(['master']);
  });

  test('a kind for what takes one, and a command for help', () => {
    for (const command of ['get', 'describe', 'delete']) {
      expect(complete(command, 'po')).toEqual(['pods']);
      expect(complete(command, 'deploy')).toEqual(['deployments']);
      expect(complete(command, '--name')).toEqual(['--namespace']);
    }
    expect(complete('help', 'st')).toEqual(['status']);
  });
});

test('the manual page has a section for each command, and groff has nothing to say of it', () => {
  const page = generated.get('man/skerry.1') ?? '';
  for (const name of Object.keys(COMMANDS)) expect(page).toContain(`.SS ${name}\n`);
  expect(page).toContain('\\fBExamples\\fR\n.nf\nsudo skerry status\n');
  const groff = spawnSync('groff', ['-man', '-ww', '-Tutf8', '-z'], { input: page, encoding: 'utf8' });
  // Not on every machine.
  if (groff.error === undefined) expect(groff.stderr).toBe('');
});
