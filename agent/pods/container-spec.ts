import type { Container, Pod } from '../../shared/schema/kubernetes-types.ts';
import type { ContainerSpec, ImageConfig, Mount } from '../runtime/runtime.ts';
import type { PodSources, Sandbox } from './collaborators.ts';
import { DEFAULT_GRACE_SECONDS, LABEL } from './container-labels.ts';
import { containerLimits } from './container-limits.ts';
import { ContainerConfigError, containerEnvironment } from './environment.ts';
import { expandVariables } from './expand-variables.ts';
import type { PodFieldContext } from './pod-fields.ts';

/** Everything that one attempt of one container is made from. */
export interface ContainerParts {
  agentId: string;
  pod: Pod;
  container: Container;
  attempt: number;
  sandboxAttempt: number;
  sandbox: Sandbox;
  /** Normalised. */
  image: string;
  imageConfig: ImageConfig;
  mounts: readonly Mount[];
  logPath: string;
  sources: PodSources;
  nodeName: string;
  memoryCapacityBytes: number;
  allocatable: { cpuMilli: number; memoryBytes: number };
}

/** What the runtime is asked to make. Throws ContainerConfigError. */
export function containerSpec(parts: ContainerParts): ContainerSpec {
  const { agentId, pod, container, attempt, sandbox } = parts;
  const { uid } = pod.metadata;
  const environment = containerEnvironment(pod, container, parts.sources, fieldContext(parts));
  const expand = (text: string) => expandVariables(text, (name) => environment.get(name));
  return {
    name: `skerry-${agentId}-${uid}-${container.name}-${attempt}`,
    labels: containerLabels(parts),
    image: parts.image,
    ...(isEmpty(container.command) ? {} : { command: (container.command ?? []).map(expand) }),
    ...(isEmpty(container.args) ? {} : { args: (container.args ?? []).map(expand) }),
    ...(container.workingDir === undefined || container.workingDir === ''
      ? {}
      : { workingDir: container.workingDir }),
    env: [{ name: 'HOSTNAME', value: sandbox.hostname }]
      .filter(({ name, value }) => value !== '' && !environment.has(name))
      .concat([...environment].map(([name, value]) => ({ name, value }))),
    mounts: parts.mounts,
    namespaces:
      pod.spec.hostIPC === true ? { ...sandbox.namespaces, ipc: 'host' } : sandbox.namespaces,
    hostname: sandbox.hostname,
    cgroupParent: `/skerry-${agentId}/pod${uid}`,
    limits: containerLimits(pod, container, parts.memoryCapacityBytes),
    logPath: parts.logPath,
    stdin: container.stdin ?? false,
    tty: container.tty ?? false,
    security: containerSecurity(pod, container, parts.imageConfig),
  };
}

function fieldContext({ sandbox, nodeName, allocatable }: ContainerParts): PodFieldContext {
  return { podIp: sandbox.ip, hostIp: sandbox.hostIp, nodeName, allocatable };
}

function containerLabels({ pod, container, attempt, sandboxAttempt }: ContainerParts) {
  return {
    [LABEL.podName]: pod.metadata.name,
    [LABEL.podNamespace]: pod.metadata.namespace ?? '',
    [LABEL.podUid]: pod.metadata.uid,
    [LABEL.container]: container.name,
    [LABEL.attempt]: String(attempt),
    [LABEL.sandbox]: String(sandboxAttempt),
    [LABEL.specImage]: container.image ?? '',
    [LABEL.graceSeconds]: String(pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS),
  };
}

/** The container's security context over the pod's, with Kubernetes' defaults. */
function containerSecurity(
  pod: Pod,
  container: Container,
  imageConfig: ImageConfig,
): ContainerSpec['security'] {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot ?? false) {
    refuseRoot(pod, container, user, imageConfig.user);
  }
  const userText = userOf(user, group, imageConfig.user);
  const privileged = own.privileged ?? false;
  const groups = [...(shared.supplementalGroups ?? [])];
  if (shared.fsGroup !== undefined && !groups.includes(shared.fsGroup)) groups.push(shared.fsGroup);
  return {
    privileged,
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    ...(userText === undefined ? {} : { user: userText }),
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    allowPrivilegeEscalation: privileged || (own.allowPrivilegeEscalation ?? true),
    supplementalGroups: groups,
  };
}

/** A group alone goes with the image's own user. */
function userOf(
  user: number | undefined,
  group: number | undefined,
  imageUser: string,
): string | undefined {
  if (user === undefined && group === undefined) return undefined;
  const name = user ?? (imageUser.split(':')[0] || '0');
  return group === undefined ? String(name) : `${name}:${group}`;
}

function refuseRoot(
  pod: Pod,
  container: Container,
  user: number | undefined,
  imageUser: string,
): void {
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? ''}(${pod.metadata.uid})", container: ${container.name})`;
  if (user !== undefined) {
    if (user !== 0) return;
    throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  }
  const name = imageUser.split(':')[0] ?? '';
  if (name === '' || name === '0' || name === 'root') {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image will run as root ${where}`,
    );
  }
  if (!/^\d+$/.test(name)) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${name}), cannot verify user is non-root ${where}`,
    );
  }
}

function isEmpty(list: readonly string[] | undefined): boolean {
  return list === undefined || list.length === 0;
}
