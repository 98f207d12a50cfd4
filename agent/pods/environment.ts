import { containerNamed } from '../../shared/resources/pod-containers.ts';
import type { Container, EnvVar, Pod } from '../../shared/schema/kubernetes-types.ts';
import type { PodSources } from './collaborators.ts';
import { expandVariables } from './expand-variables.ts';
import { type PodFieldContext, podFieldValue, resourceFieldValue } from './pod-fields.ts';
import { serviceEnvironment } from './service-environment.ts';

/** The container cannot be made as its pod describes it: reason CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  readonly reason = 'CreateContainerConfigError';
}

/**
 * The environment of a container in its order of definition: services, envFrom, then env, which may refer to what came before as
 * `$(NAME)`; the last of a name wins. Throws ContainerConfigError in the kubelet's words.
 */
export function containerEnvironment(
  pod: Pod,
  container: Container,
  sources: PodSources,
  fields: PodFieldContext,
): Map<string, string> {
  const environment = environmentOfServices(pod, sources);
  addEnvFrom(environment, pod, container, sources);
  for (const variable of container.env ?? []) {
    const value = envValue(variable, environment, pod, container, sources, fields);
    if (value !== undefined) environment.set(variable.name, value);
  }
  return environment;
}

function environmentOfServices(pod: Pod, sources: PodSources): Map<string, string> {
  const namespace = pod.metadata.namespace ?? '';
  const services = sources.services(namespace);
  if (services === undefined) {
    throw new ContainerConfigError(
      'services have not yet been read at least once, cannot construct envvars',
    );
  }
  return serviceEnvironment(services, { namespace, links: pod.spec.enableServiceLinks ?? true });
}

function addEnvFrom(
  environment: Map<string, string>,
  pod: Pod,
  container: Container,
  sources: PodSources,
): void {
  const namespace = pod.metadata.namespace ?? '';
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const reference = configMapRef ?? secretRef;
    const name = reference?.name ?? '';
    const data =
      configMapRef !== undefined
        ? sources.configMap(namespace, name)
        : decodeAll(sources.secret(namespace, name));
    if (data === undefined) {
      if (reference?.optional === true) continue;
      throw new ContainerConfigError(
        `${configMapRef !== undefined ? 'configmap' : 'secret'} "${name}" not found`,
      );
    }
    for (const [key, value] of Object.entries(data)) environment.set(prefix + key, value);
  }
}

/** Undefined: an optional source is missing, and so is the variable. */
function envValue(
  { value, valueFrom }: EnvVar,
  environment: ReadonlyMap<string, string>,
  pod: Pod,
  container: Container,
  sources: PodSources,
  fields: PodFieldContext,
): string | undefined {
  if (value !== undefined && value !== '') {
    return expandVariables(value, (name) => environment.get(name));
  }
  if (valueFrom === undefined) return '';
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  const namespace = pod.metadata.namespace ?? '';
  if (configMapKeyRef !== undefined) {
    const data = sources.configMap(namespace, configMapKeyRef.name ?? '');
    return keyOf(configMapKeyRef, data, 'ConfigMap', namespace);
  }
  if (secretKeyRef !== undefined) {
    const data = decodeAll(sources.secret(namespace, secretKeyRef.name ?? ''));
    return keyOf(secretKeyRef, data, 'Secret', namespace);
  }
  return asConfigError(() => {
    if (fieldRef !== undefined) return podFieldValue(pod, fieldRef.fieldPath, fields);
    if (resourceFieldRef === undefined) return '';
    return resourceFieldValue(
      containerNamed(pod.spec, resourceFieldRef.containerName ?? '') ?? container,
      resourceFieldRef,
      fields,
    );
  });
}

function keyOf(
  { name = '', key, optional }: { name?: string; key: string; optional?: boolean },
  data: Record<string, string> | undefined,
  kind: 'ConfigMap' | 'Secret',
  namespace: string,
): string | undefined {
  const value = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  if (value !== undefined || optional === true) return value;
  throw new ContainerConfigError(
    data === undefined
      ? `${kind.toLowerCase()} "${name}" not found`
      : `couldn't find key ${key} in ${kind} ${namespace}/${name}`,
  );
}

function decodeAll(data: Record<string, string> | undefined): Record<string, string> | undefined {
  if (data === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
  );
}

function asConfigError<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new ContainerConfigError(error instanceof Error ? error.message : String(error));
  }
}
