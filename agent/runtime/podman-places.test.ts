import { describe, expect, it } from 'vitest';
import { placesOf, storeFromLog } from './podman-places.ts';

const LOG = `time="2026-11-21T02:53:17Z" level=debug msg="Using graph driver "
time="2026-11-21T02:53:17Z" level=debug msg="Using graph root /var/lib/containers/storage"
time="2026-11-21T02:53:17Z" level=debug msg="Using run root /run/containers/storage"
time="2026-11-21T02:53:17Z" level=debug msg="Using tmp dir /run/libpod"
time="2026-11-21T02:53:17Z" level=info msg="[graphdriver] using prior storage driver: overlay"
time="2026-11-21T02:53:17Z" level=debug msg="Using OCI runtime \\"/usr/bin/runc\\""
`;

describe('storeFromLog', () => {
  it('reads the store from the debug log', () => {
    const store = storeFromLog('podman version 4.3.1\n', LOG);
    expect(store).toEqual({
      version: '4.3.1',
      ociRuntime: 'runc',
      graphRoot: '/var/lib/containers/storage',
      runRoot: '/run/containers/storage',
      driver: 'overlay',
    });
    expect(placesOf(store!, LOG)).toEqual({
      version: '4.3.1',
      ociRuntime: 'runc',
      containersFolder: '/var/lib/containers/storage/overlay-containers',
      runFolder: '/run/containers/storage/overlay-containers',
      imagesFile: '/var/lib/containers/storage/overlay-images/images.json',
      exitsFolder: '/run/libpod/exits',
    });
  });

  it('a configured driver is named by its own line', () => {
    const log = LOG.replace('graph driver ', 'graph driver vfs').replace(/.*prior.*\n/, '');
    expect(storeFromLog('podman version 5.4.2', log)?.driver).toBe('vfs');
  });

  it('a log that does not say all is no answer', () => {
    for (const word of ['graph root', 'run root', 'prior storage', 'OCI runtime']) {
      expect(storeFromLog('podman version 4.3.1', LOG.replace(word, 'other'))).toBeUndefined();
    }
  });
});
