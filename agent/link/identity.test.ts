import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Identity } from './identity.ts';

test('a damaged enrolment is refused with its path and what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-identity-'));
  try {
    await new Identity(folder).open();
    writeFileSync(join(folder, 'enrolment.json'), '{');
    await expect(new Identity(folder).open()).rejects.toThrow(
      `${folder}/enrolment.json is damaged: put it back from a backup, or remove it and join the cluster with a new token`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
