/** The version of package.json; version.test.ts holds the two together. */
export const SKERRY_VERSION = '0.1.0';

/** When this version was made: no clock that is right shows an earlier time. */
export const SKERRY_RELEASED = '2026-11-20T00:00:00Z';

/** Major and minor of the Kubernetes API that is served; probes name themselves by it. */
export const KUBERNETES_MINOR = '1.33';

/** The Kubernetes API that is served, as /version and every node say it: clients compare its minor with their own. */
export const KUBERNETES_VERSION = `v${KUBERNETES_MINOR}.13+skerry.${SKERRY_VERSION}`;
