import { expect, test } from 'vitest';
import { printNames, printTable, readOutput } from './object-output.ts';
import { Paint } from './paint.ts';

const plain = new Paint({}, {});
const colour = new Paint({ isTTY: true }, {});
const table = {
  columnDefinitions: [
    { name: 'Name', priority: 0 },
    { name: 'Status', priority: 0 },
    { name: 'IP', priority: 1 },
  ],
  rows: [
    {
      cells: ['web-1', 'Running', '10.42.0.2'],
      object: { metadata: { name: 'web-1', namespace: 'shop' } },
    },
    {
      cells: ['b', 'CrashLoopBackOff', ''],
      object: { metadata: { name: 'b', namespace: 'default' } },
    },
  ],
};

test('a table is aligned as kubectl aligns it', () => {
  const options = { wide: false, withNamespace: true, paint: plain };
  expect(printTable(table, options)).toBe(
    'NAMESPACE   NAME    STATUS\nshop        web-1   Running\ndefault     b       CrashLoopBackOff\n',
  );
});

test('colours do not move a column', () => {
  const options = { wide: true, withNamespace: false };
  const coloured = printTable(table, { ...options, paint: colour });
  expect(coloured).toContain('\u001b[32mRunning\u001b[0m');
  expect(coloured).toContain('\u001b[31mCrashLoopBackOff\u001b[0m');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control characters
  const seen = coloured.replaceAll(/\u001b\[\d+m/g, '');
  expect(seen).toBe(printTable(table, { ...options, paint: plain }));
});

const kind = (groupVersion: string, name: string, plural: string) => ({
  groupVersion,
  kind: name,
  name: plural,
  singularName: name.toLowerCase(),
  namespaced: true,
});

test('names are printed for scripts, as kubectl prints them', () => {
  const list = [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }];
  const pods = kind('v1', 'Pod', 'pods');
  const deployments = kind('apps/v1', 'Deployment', 'deployments');
  expect(printNames(list, pods)).toBe('pod/a\npod/b\n');
  expect(printNames(list, deployments)).toBe('deployment.apps/a\ndeployment.apps/b\n');
});

test('an output that there is not is refused with those that there are', () => {
  expect(() => readOutput('xml')).toThrow(
    'unknown output "xml": it is one of wide, json, yaml, name',
  );
});
