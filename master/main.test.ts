import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MASTER_OPTIONS } from '../shared/options/program-options.ts';
import { givenAsFlags } from '../shared/options/read-options.ts';
import { STATE_FORMAT } from '../shared/state-format.ts';
import { SKERRY_VERSION } from '../shared/version.ts';
import { builtCertificateChild } from '../test/builders/certificate-child.ts';
import { CollectingLogger } from '../test/builders/collecting-logger.ts';
import { readMasterConfig } from './config.ts';
import { startMaster } from './main.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'skerry-master-'));
const x509Command = builtCertificateChild();
afterAll(() => rmSync(dataDir, { recursive: true }));

function start() {
  return startMaster({
    config: readMasterConfig(givenAsFlags(MASTER_OPTIONS, { dataDir, listen: '127.0.0.1:0' })),
    log: new CollectingLogger(),
    assets: { x509Command, openApiDirectory: join(dataDir, 'openapi') },
    defaultAddress: '127.0.0.1',
    onFatal: () => {},
  });
}

test('a master whose store was lost does not begin an empty cluster', async () => {
  const store = join(dataDir, 'master/store.db');
  const remedy = `put it back from a backup, or remove ${dataDir}/master to begin an empty cluster`;
  await (await start()).stop();
  await (await start()).stop();

  rmSync(store);
  await expect(start()).rejects.toThrow(`${store} is missing: ${remedy}`);
  expect(existsSync(store)).toBe(false);
  writeFileSync(store, '');
  await expect(start()).rejects.toThrow(`${store} is empty: ${remedy}`);

  rmSync(join(dataDir, 'master'), { recursive: true });
  await (await start()).stop();
}, 60_000);

test('a folder of a newer release is refused, and left as it is', async () => {
  const format = join(dataDir, 'master/format');
  await (await start()).stop();
  writeFileSync(format, `${STATE_FORMAT + 1} 9.9.9\n`);
  await expect(start()).rejects.toThrow(`${join(dataDir, 'master')} was written by release 9.9.9`);
  expect(readFileSync(format, 'utf8')).toBe(`${STATE_FORMAT + 1} 9.9.9\n`);
  rmSync(format);
  await (await start()).stop();
  expect(readFileSync(format, 'utf8')).toBe(`${STATE_FORMAT} ${SKERRY_VERSION}\n`);
}, 60_000);
