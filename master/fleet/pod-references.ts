import type {
  Container,
  EnvFromSource,
  EnvVar,
  PodSpec,
  Volume,
} from '../../shared/schema/kubernetes-types.ts';

/** Names within the pod's namespace. */
export interface PodReferences {
  configMaps: ReadonlySet<string>;
  secrets: ReadonlySet<string>;
}

/** Every ConfigMap and Secret that a pod names: volumes (projected ones too), env, envFrom, pull secrets. */
export function podReferences(spec: PodSpec): PodReferences {
  const configMaps = new Set<string | undefined>();
  const secrets = new Set<string | undefined>();
  const found = { configMaps, secrets };
  for (const volume of spec.volumes ?? []) addVolume(found, volume);
  const containers = [
    ...(spec.initContainers ?? []),
    ...spec.containers,
    ...((spec.ephemeralContainers ?? []) as Pick<Container, 'env' | 'envFrom'>[]),
  ];
  for (const { env = [], envFrom = [] } of containers) addEnvironment(found, env, envFrom);
  for (const { name } of spec.imagePullSecrets ?? []) secrets.add(name);
  return { configMaps: named(configMaps), secrets: named(secrets) };
}

interface Found {
  configMaps: Set<string | undefined>;
  secrets: Set<string | undefined>;
}

function addVolume({ configMaps, secrets }: Found, volume: Volume): void {
  configMaps.add(volume.configMap?.name);
  secrets.add(volume.secret?.secretName);
  for (const source of volume.projected?.sources ?? []) {
    configMaps.add(source.configMap?.name);
    secrets.add(source.secret?.name);
  }
}

function addEnvironment(
  { configMaps, secrets }: Found,
  env: readonly EnvVar[],
  envFrom: readonly EnvFromSource[],
): void {
  for (const { valueFrom } of env) {
    configMaps.add(valueFrom?.configMapKeyRef?.name);
    secrets.add(valueFrom?.secretKeyRef?.name);
  }
  for (const { configMapRef, secretRef } of envFrom) {
    configMaps.add(configMapRef?.name);
    secrets.add(secretRef?.name);
  }
}

function named(names: Set<string | undefined>): ReadonlySet<string> {
  return new Set([...names].filter((name) => name !== undefined && name !== '') as string[]);
}
