import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DeviceObjects } from './device-objects.ts';
import type { Output } from './object-output.ts';
import { showObjects } from './show-objects.ts';
import { readTargets } from './targets.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');
const object = (kind: string, name: string, more: object) => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    namespace: 'shop',
    uid: name,
    resourceVersion: '',
    creationTimestamp: '2026-12-01T09:55:00Z',
  },
  ...more,
});
const pod = (name: string) =>
  object('Pod', name, {
    spec: { containers: [{ name: 'main', image: 'web:1' }] },
    status: { phase: 'Pending' },
  });
const service = object('Service', 'web', {
  spec: { type: 'ClusterIP', clusterIP: '10.43.0.9', ports: [{ port: 80, protocol: 'TCP' }] },
  status: {},
});
const device = new DeviceObjects(
  { objects: { pods: [pod('a'), pod('b')], services: [service], nodes: [] }, nodeName: 'pi' },
  NOW,
);

let printed: string;
let said: string;
beforeEach(() => {
  printed = '';
  said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

async function show(words: string[], output: Output = 'table', namespace = 'shop'): Promise<void> {
  await showObjects(device, readTargets(words), { namespace }, output);
}

test('several names of a kind are one table', async () => {
  await show(['pod', 'b', 'a']);
  expect(printed).toMatch(/^NAME +READY.*\nb +0\/1 .*\na +0\/1 .*\n$/);
});

test('what -o name printed is taken', async () => {
  await show(['pods,services'], 'name');
  expect(printed).toBe('pod/a\npod/b\nservice/web\n');
  const words = printed.trim().split('\n');
  printed = '';
  await show(words, 'name');
  expect(printed).toBe('pod/a\npod/b\nservice/web\n');
});

test.each([[['pods,svc']], [['all']]])(
  '%j are a table each, with the kind before the names',
  async (words) => {
    await show(words);
    expect(printed).toMatch(
      /^NAME +READY.*\npod\/a .*\npod\/b .*\n\nNAME +TYPE.*\nservice\/web +ClusterIP.*\n$/,
    );
  },
);

test('several objects are one List', async () => {
  await show(['pod/a', 'svc/web'], 'json');
  expect(JSON.parse(printed)).toMatchObject({
    kind: 'List',
    items: [{ kind: 'Pod' }, { kind: 'Service' }],
  });
  printed = '';
  await show(['pod', 'a'], 'json');
  expect(JSON.parse(printed)).toMatchObject({ kind: 'Pod' });
});

test('one that is not there keeps no other from being shown', async () => {
  await expect(show(['pod', 'nobody', 'b'])).rejects.toThrow('pods "nobody" not found');
  expect(printed).toMatch(/^NAME.*\nb .*\n$/);
});

test('where nothing is, the place is named', async () => {
  await show(['pods,svc'], 'table', 'none');
  expect({ printed, said }).toEqual({
    printed: '',
    said: 'No resources found in none namespace.\n',
  });
  said = '';
  await show(['nodes']);
  expect(said).toBe('No resources found\n');
});
