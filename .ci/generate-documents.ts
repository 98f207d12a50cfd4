// Writes what is made of the tables of commands and options. Run by `npx tsx .ci/generate-documents.ts` after a change of one of them.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { documents } from './documents.ts';

const root = new URL('..', import.meta.url).pathname;
for (const [path, text] of await documents()) {
  await mkdir(dirname(root + path), { recursive: true });
  await writeFile(root + path, text);
}
