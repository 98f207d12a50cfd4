import { type FSWatcher, realpathSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/**
 * Tells when a small file may have changed, however it is written: in place, replaced by another, through a link, or by turning the
 * link elsewhere. The answer ends it. Folders that are not there are not watched.
 */
export function watchPath(path: string, changed: () => void): () => void {
  let watchers: FSWatcher[] = [];
  let target = realPath(path);
  const close = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const begin = (): void => {
    // The file itself too: in a container it may be a mount, whose folder hears nothing.
    for (const file of new Set([path, target])) {
      add(dirname(file), (name) => name === null || name === basename(file));
      add(file, () => true);
    }
  };
  const add = (place: string, concerns: (name: string | null) => boolean): void => {
    try {
      const watcher = watch(place, { persistent: false }, (_event, name) => {
        if (concerns(name)) event();
      });
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // Not there: the watch of its folder tells when it comes.
    }
  };
  const event = (): void => {
    // A replaced file is another inode: watched anew.
    close();
    target = realPath(path);
    begin();
    changed();
  };
  begin();
  return close;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
