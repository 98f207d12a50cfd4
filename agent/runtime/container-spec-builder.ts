import type { ContainerSpec } from './runtime.ts';

/** A container spec for tests: everything plain, but for `changes`. */
export function containerSpec(changes: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: 'skerry-a1-pod-main-0',
    labels: { 'io.kubernetes.pod.name': 'web' },
    image: 'localhost/app:1',
    env: [],
    mounts: [],
    namespaces: { network: '/run/pins/net', ipc: '/run/pins/ipc', uts: '/run/pins/uts' },
    hostname: 'web',
    cgroupParent: '/skerry-a1/podx',
    limits: { cpuShares: 2, oomScoreAdj: 1000 },
    logPath: '/var/log/web.log',
    stdin: false,
    tty: false,
    security: {
      privileged: false,
      readOnlyRootFilesystem: false,
      addCapabilities: [],
      dropCapabilities: [],
      allowPrivilegeEscalation: true,
      supplementalGroups: [],
    },
    ...changes,
  };
}
