import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../shared/meta/kube-object.ts';
import { CollectingLogger } from '../test/builders/collecting-logger.ts';
import { agentFolders } from './folders.ts';
import { ObstacleNote } from './link/obstacle-note.ts';
import { isDevice, isLinked, readLocalDevice, writeLocalLog } from './local-view.ts';
import { DiskState } from './state/disk-state.ts';

let dataDir: string;
let state: DiskState;

const POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
};
const MARK = { epoch: 1, term: 1, generation: 1, hash: 'h' };
const LOG = 'agent/logs/shop_web_u1/main';
const record = (main: JsonObject): JsonObject => ({
  namespace: 'shop',
  name: 'web',
  containers: { main: { run: { id: 'c', attempt: 2 }, previous: { id: 'b', attempt: 1 } } },
  status: { phase: 'Running', containerStatuses: [{ name: 'main', state: main }] },
});
const document = (key: string, object: object, more = {}) => ({
  key,
  version: '1',
  object: JSON.parse(JSON.stringify(object)),
  ...more,
});

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'skerry-local-view-'));
  state = new DiskState({
    folder: join(dataDir, 'agent/state'),
    unseal: () => ({}),
    logger: new CollectingLogger(),
  });
  await state.open();
  const secret = document('secrets/shop/s', {}, { sealed: 'x' });
  await state.saveDesired({
    mark: MARK,
    puts: [document('pods/shop/web', POD), secret],
    deletes: [],
  });
  await state.savePodRecord('u1', record({ running: {} }));
  mkdirSync(join(dataDir, LOG), { recursive: true });
  writeFileSync(join(dataDir, LOG, '1.log'), '2026-12-01T10:00:00.0Z stdout F before\n');
  writeFileSync(join(dataDir, LOG, '2.log'), '2026-12-01T10:00:01.0Z stdout F now\n');
});
afterEach(async () => {
  await state.close();
  rmSync(dataDir, { recursive: true });
});

function log(more: object, write: (text: string) => void, signal = new AbortController().signal) {
  const request = { namespace: 'shop', pod: 'web', uid: 'u1', container: 'main', ...more };
  const collect = async (chunk: Uint8Array) => write(Buffer.from(chunk).toString());
  return writeLocalLog(dataDir, request, collect, signal);
}

test('the pods of a device are those that it saved, with what its agent last saw of them', async () => {
  expect(isDevice(dataDir)).toBe(true);
  const { objects, enrolment } = await readLocalDevice(dataDir, true);
  expect(objects.pods).toEqual([{ ...POD, status: record({ running: {} })['status'] }]);
  expect(enrolment).toBeUndefined();
});

test('a damaged enrolment hides no pod, and is told with its path and what to do', async () => {
  const path = join(dataDir, 'agent/enrolment.json');
  writeFileSync(path, '{"nodeName":');
  const { damage, enrolment, objects } = await readLocalDevice(dataDir, false);
  expect(damage).toMatch(`${path} is damaged: put it back from a backup`);
  expect(enrolment).toBeUndefined();
  expect(objects.pods).toHaveLength(1);
  expect(await isLinked(dataDir, process.pid)).toBe(false);
});

test('looking changes nothing, also where the last line is not whole', async () => {
  const path = join(dataDir, 'agent/state/state.log');
  appendFileSync(path, '0123456789abcdef {"puts":');
  const before = readFileSync(path);
  expect((await readLocalDevice(dataDir, true)).objects.pods).toHaveLength(1);
  expect(readFileSync(path)).toEqual(before);
});

test.runIf(process.getuid?.() === 0)(
  'what is in the way of a running agent is read from its folder of this boot',
  async () => {
    const id = randomBytes(6).toString('hex');
    const folder = agentFolders(dataDir).run(id);
    writeFileSync(join(dataDir, 'agent/id'), `${id}\n`);
    try {
      new ObstacleNote(folder, new CollectingLogger()).tell('refused');
      expect((await readLocalDevice(dataDir, true)).obstacle).toBe('refused');
      expect((await readLocalDevice(dataDir, false)).obstacle).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('a folder without an agent is no device', () => {
  expect(isDevice(join(dataDir, 'elsewhere'))).toBe(false);
});

test('the log is that of the newest run, or of the one before', async () => {
  let text = '';
  const collect = (chunk: string) => {
    text += chunk;
  };
  await log({}, collect);
  await log({ previous: true }, collect);
  expect(text).toBe('now\nbefore\n');
});

test('a log is followed until the saved state says that the container has ended', async () => {
  let text = '';
  let heard = () => {};
  const first = new Promise<void>((resolve) => {
    heard = resolve;
  });
  const following = log({ follow: true }, (chunk) => {
    text += chunk;
    heard();
  });
  await first;
  appendFileSync(join(dataDir, LOG, '2.log'), '2026-12-01T10:00:02.0Z stdout F last words\n');
  await state.savePodRecord('u1', record({ terminated: { exitCode: 0 } }));
  await following;
  expect(text).toBe('now\nlast words\n');
});

test('a container that the device does not know is refused in the kubelet’s words', async () => {
  await expect(log({ container: 'other' }, () => {})).rejects.toThrow(
    'container "other" in pod "web" is not available',
  );
});
