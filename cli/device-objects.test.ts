import { describe, expect, test } from 'vitest';
import { DeviceObjects } from './device-objects.ts';

const NOW = Date.parse('2026-12-01T10:00:00Z');
const pod = (namespace: string, name: string, labels = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace,
    labels,
    uid: name,
    resourceVersion: '',
    creationTimestamp: '2026-12-01T09:55:00Z',
  },
  spec: { nodeName: 'pi', containers: [{ name: 'main', image: 'web:1' }] },
  status: { phase: 'Pending' },
});
const WEB = pod('shop', 'web', { app: 'web' });
const DB = pod('shop', 'db', { app: 'db' });
const device = new DeviceObjects(
  { objects: { pods: [WEB, DB, pod('other', 'web')], configmaps: [] }, nodeName: 'pi' },
  NOW,
);
const names = async (selection: Parameters<DeviceObjects['read']>[1]) => {
  const table = await device.table(await device.kindOf('po'), selection);
  return table.rows.map(({ object: { metadata } }) => `${metadata.namespace}/${metadata.name}`);
};

describe('a selection', () => {
  test.each([
    ['every namespace', { namespace: undefined }, ['shop/web', 'shop/db', 'other/web']],
    ['one namespace', { namespace: 'shop' }, ['shop/web', 'shop/db']],
    ['a name', { namespace: 'shop', name: 'db' }, ['shop/db']],
    ['labels', { namespace: undefined, labels: 'app!=db,app' }, ['shop/web']],
    ['nothing', { namespace: 'none' }, []],
  ])('by %s', async (_what, selection, expected) => {
    expect(await names(selection)).toEqual(expected);
  });
});

test('the table is the one that the master prints', async () => {
  const table = await device.table(await device.kindOf('pods'), { namespace: 'shop', name: 'web' });
  const shown = table.columnDefinitions.flatMap(({ name, priority }, index) =>
    priority === 0 ? [[name, table.rows[0]?.cells[index]]] : [],
  );
  expect(Object.fromEntries(shown)).toEqual({
    Name: 'web',
    Ready: '0/1',
    Status: 'Pending',
    Restarts: '0',
    Age: '5m',
  });
});

test('one object is read as itself, several as a list', async () => {
  const pods = await device.kindOf('pods');
  expect(await device.read(pods, { namespace: 'shop', name: 'web' })).toEqual(WEB);
  expect(await device.read(pods, { namespace: 'shop' })).toEqual({
    apiVersion: 'v1',
    kind: 'List',
    metadata: { resourceVersion: '' },
    items: [WEB, DB],
  });
});

test('an object that the device does not know is not found', async () => {
  const pods = await device.kindOf('pods');
  await expect(device.read(pods, { namespace: 'shop', name: 'web2' })).rejects.toMatchObject({
    message: 'pods "web2" not found on this device',
    exitCode: 1,
  });
});

test('a kind that the device does not know is answered with those that it does', async () => {
  await expect(device.kindOf('deploy')).rejects.toMatchObject({
    message: 'this device knows no deployments, only configmaps, pods: ask its master',
    exitCode: 1,
  });
});

test('a kind that there is not is answered with the nearest', async () => {
  await expect(device.kindOf('servces')).rejects.toThrow(
    'the server doesn\'t have a resource type "servces"; did you mean services?',
  );
});

test('secrets are refused, whatever the device holds', async () => {
  await expect(device.kindOf('secrets')).rejects.toThrow(
    /^this device shows no secrets, .* sealed/,
  );
});

test('labels that cannot be read are a wrong call', async () => {
  const pods = await device.kindOf('pods');
  const asked = device.table(pods, { namespace: 'shop', labels: 'a=b=c' });
  await expect(asked).rejects.toMatchObject({ exitCode: 2 });
});

test('of the pods on another node the device says nothing', async () => {
  expect((await device.podsOn('pi'))?.rows).toHaveLength(3);
  expect(await device.podsOn('hub')).toBeUndefined();
});
