import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** One package that is part of a bundle. */
interface BundledPackage {
  name: string;
  version: string;
  licence: string;
  texts: string[];
}

/**
 * The licences of every package of which a file went into the bundles. `inputs`: paths below `root`, as esbuild's metafile has them. Throws
 * when a package has none.
 */
export function thirdPartyLicences(root: string, inputs: readonly string[]): string {
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  const packages = [...folders].map((folder) => readPackage(join(root, folder)));
  const sections = packages
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(section);
  return `The programs of Skerry contain these packages, each under its own licence.\n\n${[...new Set(sections)].join('\n')}`;
}

/** `node_modules/a/node_modules/@b/c/d.js` is of `node_modules/a/node_modules/@b/c`. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0];
}

function readPackage(folder: string): BundledPackage {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const { name, version, license } = manifest;
  const texts = readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  // Some only have the text.
  const licence = typeof license === 'string' ? license : texts[0] && 'see below';
  if (typeof name !== 'string' || typeof version !== 'string' || licence === undefined) {
    throw new Error(`${folder}: expected a name, a version and a licence`);
  }
  return { name, version, licence, texts };
}

function section({ name, version, licence, texts }: BundledPackage): string {
  const title = `${name} ${version} (${licence})`;
  return `${'='.repeat(title.length)}\n${title}\n${'='.repeat(title.length)}\n\n${texts.map((text) => `${text}\n\n`).join('')}`;
}
