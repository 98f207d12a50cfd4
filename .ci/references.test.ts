import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../cli/commands.ts';

/** What documents say of this repository exists: files, folders, links, scripts, commands. */

const root = new URL('..', import.meta.url).pathname;
const NOT_OURS = ['node_modules', 'dist', 'release', '.git', '.cache', 'coverage'];

/** Files and folders (`agent/link`) of the repository, relative to its root. */
function entriesOf(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (NOT_OURS.includes(entry.name)) return [];
    return entry.isDirectory() ? [path, ...entriesOf(path)] : [path];
  });
}

const entries = entriesOf('');
const tops = new Set(entries.filter((path) => !path.includes('/')));
const documents = entries.filter((path) => path.endsWith('.md') && !path.includes('/fixtures/'));
const scripts = (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: object }).scripts;

const FILE = /^[\w.*<>@/-]*[\w*>]\.(ts|js|md|sh|json|grit|service|yaml|yml)$/;
const FOLDER = /^[\w.<>-]+(\/[\w.<>-]+)*\/$/;
/** Made by a build, or on a machine: of these only the form is known here. */
const MADE = /^(dist|release|~|DIR|\.cache|\.git)\/|^\/|^(master|agent|config|my-config)\.yaml$|enrolment\.json|containers\.conf/;

/** The words in backticks that name a file or folder of the repository. */
function pathsIn(text: string): string[] {
  const prose = text.replaceAll(/^```[^]*?^```/gm, '');
  return [...prose.matchAll(/`([^`\s]+)`/g)]
    .map(([, word = '']) => word)
    .filter((word) => !MADE.test(word) && !word.includes('://'))
    // `-descriptions.json` goes on from the name before it.
    .filter((word) => !word.startsWith('-'))
    .filter((word) => FILE.test(word) || FOLDER.test(word) || (word.includes('/') && tops.has(word.split('/')[0] ?? '')));
}

/** Documents say `plan.ts` of what the text before names: the end of a path is enough. `<kind>` and `*` stand for anything. */
function exists(word: string): boolean {
  const path = word.replace(/\/$/, '').replace(/^\.\//, '');
  const escaped = path.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll(/<[^>]*>|\*/g, '[^/]+');
  const form = new RegExp(`(^|/)${escaped}$`);
  return entries.some((entry) => form.test(entry));
}

describe.each(documents)('%s', (document) => {
  const text = readFileSync(root + document, 'utf8');

  test('names files and folders that exist', () => {
    expect(pathsIn(text).filter((word) => !exists(word))).toEqual([]);
  });

  test('links to what is there', () => {
    const links = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
    const local = links.filter((target) => !/^\w+:/.test(target));
    expect(local.filter((target) => !existsSync(join(root, dirname(document), target)))).toEqual([]);
  });

  test('has commands that there are', () => {
    const run = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map(([, name = '']) => name);
    expect(run.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
    const programs = [...text.matchAll(/(?:tsx|node) (?:--\S+ )*((?:\.ci|bench|test)\/\S+\.ts)/g)];
    expect(programs.map(([, path = '']) => path).filter((path) => !existsSync(root + path))).toEqual([]);
    const commands = [...text.matchAll(/`(?:sudo )?skerry ([a-z]+)/g)].map(([, name = '']) => name);
    expect(commands.filter((name) => !Object.hasOwn(COMMANDS, name) && name !== 'help')).toEqual([]);
  });
});

test('the architecture names every folder of the programs', () => {
  const text = readFileSync(`${root}docs/ARCHITECTURE.md`, 'utf8');
  const folders = entries.filter((path) => /^(shared|master|agent)\/[^./]+$/.test(path));
  expect(folders.filter((path) => !text.includes(`\`${path.split('/')[1]}/`))).toEqual([]);
});
