import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EndpointSliceDocument } from '../../../shared/wire/network-documents.ts';
import { watchPath } from '../../host/watched-file.ts';
import { nameServers } from './name-servers.ts';
import { PodsOfSlices, withLocalPods } from './pods-of-slices.ts';

describe('the name servers of the node', () => {
  test('are those of its resolv.conf, three at most, each once', () => {
    const text = ['1', '2', '2', '3', '4'].map((end) => `nameserver 192.0.2.${end}\n`).join('');
    expect(nameServers(text, undefined)).toEqual(['192.0.2.1', '192.0.2.2', '192.0.2.3']);
  });

  test('are never the cluster itself, and only addresses', () => {
    const text = 'nameserver 10.43.0.10\nnameserver dns.example.org\nnameserver 2001:db8::1\n';
    expect(nameServers(text, '10.43.0.10')).toEqual(['2001:db8::1']);
  });
});

describe('a file that is watched', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'skerry-watch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test.each([
    ['is written', (path: string) => writeFileSync(path, 'b')],
    [
      'is replaced',
      (path: string) => {
        writeFileSync(`${path}.new`, 'b');
        renameSync(`${path}.new`, path);
      },
    ],
  ])('is told of when it %s, again and again', async (_what, write) => {
    const path = join(folder, 'resolv.conf');
    writeFileSync(path, 'a');
    for (let time = 0; time < 2; time++) await told(path, () => write(path));
  });

  test('is told of when what its link leads to is replaced', async () => {
    writeFileSync(join(folder, 'target'), 'a');
    symlinkSync(join(folder, 'target'), join(folder, 'link'));
    await told(join(folder, 'link'), () => {
      writeFileSync(join(folder, 'new'), 'b');
      renameSync(join(folder, 'new'), join(folder, 'target'));
    });
  });

  test('is told of when it comes to be', async () => {
    const path = join(folder, 'resolv.conf');
    await told(path, () => writeFileSync(path, 'a'));
  });
});

describe('a pod of this node', () => {
  const endpoint = (nodeName: string, uid: string, address: string) => ({
    addresses: [address],
    conditions: { ready: true },
    nodeName,
    targetRef: { uid },
  });
  const slice = {
    metadata: { name: 'db-x', namespace: 'shop', uid: 'u' },
    endpoints: [endpoint('here', 'local', '10.42.0.3'), endpoint('there', 'remote', '10.42.1.3')],
  } as unknown as EndpointSliceDocument;

  test('is as the node says, the others as the slice says', () => {
    // A node that has read its machine takes every pod that it does not want for one that is gone.
    const gone = { ready: false, terminating: true, address: undefined };
    const pod = { ready: false, terminating: false, address: '10.42.0.3' };
    const { endpoints } = withLocalPods(slice, 'here', (uid) => (uid === 'local' ? pod : gone));
    expect(endpoints).toMatchObject([
      { addresses: ['10.42.0.3'], conditions: { ready: false } },
      { addresses: ['10.42.1.3'], conditions: { ready: true } },
    ]);
  });

  test('that ended has no address', () => {
    const pod = { ready: true, terminating: true, address: undefined };
    const { endpoints } = withLocalPods(slice, 'here', () => pod);
    expect(endpoints?.[0]).toMatchObject({ addresses: [], conditions: { ready: false } });
  });

  test('is found in the slices that name it, as long as they do', () => {
    const pods = new PodsOfSlices();
    pods.set('a', slice);
    pods.set('b', slice);
    expect(pods.slicesOf('local')).toEqual(['a', 'b']);
    pods.set('a', undefined);
    pods.set('b', { ...slice, endpoints: [] });
    expect(pods.slicesOf('local')).toEqual([]);
  });
});

async function told(path: string, change: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = watchPath(path, () => {
      end();
      resolve();
    });
    change();
  });
}
