/** Where podman keeps what the driver reads and watches, asked once. */
export interface PodmanPlaces {
  version: string;
  ociRuntime: string;
  /** `<graph root>/<driver>-containers`: `<id>/userdata` holds config.json and the monitor's out-of-memory mark. */
  containersFolder: string;
  /** `<run root>/<driver>-containers`: `<id>/userdata` holds pidfile and conmon.pid. */
  runFolder: string;
  /** Rewritten whenever the set of images or their names change. */
  imagesFile: string;
  /** Monitors put a file `<id>` with the exit code here. */
  exitsFolder: string;
}

/** What podman itself says of its store. */
export interface PodmanStore {
  version: string;
  ociRuntime: string;
  graphRoot: string;
  runRoot: string;
  driver: string;
}

/**
 * The same from the debug log of any call that opens the store, and what `podman --version` prints. `podman info` would tell it too,
 * but asks dpkg for the packages of its programs first: half a second, many on a slow card. Undefined when the log does not say all.
 */
export function storeFromLog(printedVersion: string, debugLog: string): PodmanStore | undefined {
  const version = printedVersion.match(/version (\S+)/)?.[1];
  const graphRoot = said(debugLog, /msg="Using graph root ([^"]+)"/g);
  const runRoot = said(debugLog, /msg="Using run root ([^"]+)"/g);
  const driver =
    said(debugLog, /using prior storage driver: ([a-z0-9]+)/g) ??
    said(debugLog, /msg="Using graph driver ([a-z0-9]+)"/g);
  const ociRuntime = said(debugLog, /msg="Using OCI runtime \\"(?:[^"\\]*\/)?([^"\\/]+)\\""/g);
  if (!version || !graphRoot || !runRoot || !driver || !ociRuntime) return undefined;
  return { version, ociRuntime, graphRoot, runRoot, driver };
}

/** Only the debug log names the temporary folder, under which the exit files appear. */
export function placesOf(store: PodmanStore, debugLog: string): PodmanPlaces {
  const { version, ociRuntime, graphRoot, runRoot, driver } = store;
  const temporary = said(debugLog, /msg="Using tmp dir ([^"]+)"/g) ?? '/run/libpod';
  return {
    version,
    ociRuntime,
    containersFolder: `${graphRoot}/${driver}-containers`,
    runFolder: `${runRoot}/${driver}-containers`,
    imagesFile: `${graphRoot}/${driver}-images/images.json`,
    exitsFolder: `${temporary}/exits`,
  };
}

/** The last is the one in force: a value may be overridden on the way. */
function said(log: string, pattern: RegExp): string | undefined {
  return [...log.matchAll(pattern)].at(-1)?.[1];
}
