import { canonicalMilli, canonicalQuantity } from '../meta/quantity.ts';
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  HTTPGetAction,
  Lifecycle,
  LifecycleHandler,
  ObjectFieldSelector,
  ObjectMeta,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceFieldSelector,
  ResourceRequirements,
  Volume,
  VolumeProjection,
} from '../schema/kubernetes-types.ts';

/** Mode 0644, of the files in volumes. */
const DEFAULT_FILE_MODE = 420;

/** A template is never created itself: the time, which Go holds by value, is printed as null. */
const NEVER_CREATED = { creationTimestamp: null };

/** Fills in a pod as Kubernetes v1.33 does (SetDefaults_Pod and what it calls). Idempotent. */
export function defaultPod(pod: Pod): Pod {
  const spec = defaultPodSpec(pod.spec ?? { containers: [] });
  const isHostNetwork = spec.hostNetwork === true;
  const complete = (container: Container): Container => completeForPod(container, isHostNetwork);
  return {
    ...pod,
    spec: {
      ...spec,
      enableServiceLinks: spec.enableServiceLinks ?? true,
      containers: spec.containers.map(complete),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(complete) }),
    },
  };
}

/** Fills in the template of a workload: what pods get only at their own creation stays open. */
export function defaultPodTemplate(template: PodTemplateSpec | undefined): PodTemplateSpec {
  return {
    ...template,
    metadata: { ...NEVER_CREATED, ...template?.metadata } as ObjectMeta,
    spec: defaultPodSpec(template?.spec ?? { containers: [] }),
  };
}

/** Quantities in their canonical form and in whole thousandths, as they come back from the API. */
export function canonicalResources(list: Readonly<Record<string, string>>): Record<string, string> {
  const canonical: Record<string, string> = {};
  for (const name in list) canonical[name] = canonicalMilli(String(list[name]));
  return canonical;
}

function defaultPodSpec(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName || spec.serviceAccount;
  return {
    ...spec,
    restartPolicy: spec.restartPolicy || 'Always',
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: spec.dnsPolicy || 'ClusterFirst',
    securityContext: spec.securityContext ?? {},
    schedulerName: spec.schedulerName || 'default-scheduler',
    ...(account && { serviceAccountName: account, serviceAccount: account }),
    containers: (spec.containers ?? []).map(defaultContainer),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(defaultContainer) }),
    ...(spec.ephemeralContainers && {
      ephemeralContainers: spec.ephemeralContainers.map(
        (container): EphemeralContainer => ({
          ...defaultContainer(container),
          ...(container.targetContainerName !== undefined && {
            targetContainerName: container.targetContainerName,
          }),
        }),
      ),
    }),
    ...(spec.volumes && { volumes: spec.volumes.map(defaultVolume) }),
    ...(spec.overhead && { overhead: canonicalResources(spec.overhead) }),
  };
}

function defaultContainer(container: Container): Container {
  return {
    ...container,
    imagePullPolicy:
      container.imagePullPolicy ||
      (imageTag(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent'),
    terminationMessagePath: container.terminationMessagePath || '/dev/termination-log',
    terminationMessagePolicy: container.terminationMessagePolicy || 'File',
    resources: defaultRequirements(container.resources),
    ...(container.ports && { ports: container.ports.map(defaultPort) }),
    ...(container.env && { env: container.env.map(defaultEnvVar) }),
    ...(container.livenessProbe && { livenessProbe: defaultProbe(container.livenessProbe) }),
    ...(container.readinessProbe && { readinessProbe: defaultProbe(container.readinessProbe) }),
    ...(container.startupProbe && { startupProbe: defaultProbe(container.startupProbe) }),
    ...(container.lifecycle && { lifecycle: defaultLifecycle(container.lifecycle) }),
  };
}

/** What applies to pods but not to templates: a limit without a request is the request too, host ports of the host's network. */
function completeForPod(container: Container, isHostNetwork: boolean): Container {
  const { limits, requests } = container.resources ?? {};
  return {
    ...container,
    ...(limits && {
      resources: { ...container.resources, limits, requests: { ...limits, ...requests } },
    }),
    ...(isHostNetwork &&
      container.ports && {
        ports: container.ports.map((port) => ({
          ...port,
          hostPort: port.hostPort || port.containerPort,
        })),
      }),
  };
}

function defaultRequirements(resources: ResourceRequirements | undefined): ResourceRequirements {
  return {
    ...resources,
    ...(resources?.limits && { limits: canonicalResources(resources.limits) }),
    ...(resources?.requests && { requests: canonicalResources(resources.requests) }),
  };
}

function defaultPort(port: ContainerPort): ContainerPort {
  return port.protocol ? port : { ...port, protocol: 'TCP' };
}

function defaultEnvVar(variable: EnvVar): EnvVar {
  const source = variable.valueFrom;
  if (!source?.fieldRef && !source?.resourceFieldRef) return variable;
  return {
    ...variable,
    valueFrom: {
      ...source,
      ...(source.fieldRef && { fieldRef: defaultFieldRef(source.fieldRef) }),
      ...(source.resourceFieldRef && {
        resourceFieldRef: defaultResourceFieldRef(source.resourceFieldRef),
      }),
    },
  };
}

function defaultFieldRef(reference: ObjectFieldSelector): ObjectFieldSelector {
  return reference.apiVersion ? reference : { ...reference, apiVersion: 'v1' };
}

function defaultResourceFieldRef(reference: ResourceFieldSelector): ResourceFieldSelector {
  return { ...reference, divisor: canonicalQuantity(String(reference.divisor ?? '0')) };
}

function defaultProbe(probe: Probe): Probe {
  return {
    ...probe,
    timeoutSeconds: probe.timeoutSeconds || 1,
    periodSeconds: probe.periodSeconds || 10,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
    ...(probe.httpGet && { httpGet: defaultHttpGet(probe.httpGet) }),
    ...(probe.grpc && { grpc: { ...probe.grpc, service: probe.grpc.service ?? '' } }),
  };
}

function defaultLifecycle(lifecycle: Lifecycle): Lifecycle {
  // A stop signal of one's own is dropped while the feature is off (KEP-4960), as on Kubernetes.
  const { stopSignal: _signal, ...rest } = lifecycle;
  return {
    ...rest,
    ...(lifecycle.postStart && { postStart: defaultHandler(lifecycle.postStart) }),
    ...(lifecycle.preStop && { preStop: defaultHandler(lifecycle.preStop) }),
  };
}

function defaultHandler(handler: LifecycleHandler): LifecycleHandler {
  return { ...handler, ...(handler.httpGet && { httpGet: defaultHttpGet(handler.httpGet) }) };
}

function defaultHttpGet(action: HTTPGetAction): HTTPGetAction {
  return { ...action, path: action.path || '/', scheme: action.scheme || 'HTTP' };
}

function defaultVolume(volume: Volume): Volume {
  const { secret, configMap, downwardAPI, projected, hostPath, emptyDir } = volume;
  if (secret) return { ...volume, secret: withMode(secret) };
  if (configMap) return { ...volume, configMap: withMode(configMap) };
  if (hostPath) return { ...volume, hostPath: { ...hostPath, type: hostPath.type ?? '' } };
  if (downwardAPI) {
    return {
      ...volume,
      downwardAPI: {
        ...withMode(downwardAPI),
        ...(downwardAPI.items && { items: downwardAPI.items.map(defaultDownwardFile) }),
      },
    };
  }
  if (projected) {
    return {
      ...volume,
      projected: {
        ...withMode(projected),
        ...(projected.sources && { sources: projected.sources.map(defaultProjection) }),
      },
    };
  }
  if (emptyDir) {
    return emptyDir.sizeLimit === undefined
      ? volume
      : {
          ...volume,
          emptyDir: { ...emptyDir, sizeLimit: canonicalQuantity(String(emptyDir.sizeLimit)) },
        };
  }
  const hasSource = Object.keys(volume).some((key) => key !== 'name');
  return hasSource ? volume : { ...volume, emptyDir: {} };
}

function defaultProjection(source: VolumeProjection): VolumeProjection {
  const { downwardAPI, serviceAccountToken } = source;
  return {
    ...source,
    ...(downwardAPI?.items && {
      downwardAPI: { ...downwardAPI, items: downwardAPI.items.map(defaultDownwardFile) },
    }),
    ...(serviceAccountToken && {
      serviceAccountToken: {
        ...serviceAccountToken,
        expirationSeconds: serviceAccountToken.expirationSeconds ?? 3600,
      },
    }),
  };
}

function defaultDownwardFile<
  F extends { fieldRef?: ObjectFieldSelector; resourceFieldRef?: ResourceFieldSelector },
>(file: F): F {
  return {
    ...file,
    ...(file.fieldRef && { fieldRef: defaultFieldRef(file.fieldRef) }),
    ...(file.resourceFieldRef && {
      resourceFieldRef: defaultResourceFieldRef(file.resourceFieldRef),
    }),
  };
}

function withMode<S extends { defaultMode?: number }>(source: S): S {
  return source.defaultMode === undefined ? { ...source, defaultMode: DEFAULT_FILE_MODE } : source;
}

/** `latest` when neither tag nor digest is given, '' for a digest alone. */
function imageTag(image: string): string {
  const at = image.indexOf('@');
  const name = at < 0 ? image : image.slice(0, at);
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  if (colon >= 0) return name.slice(colon + 1);
  return at < 0 && name !== '' ? 'latest' : '';
}
