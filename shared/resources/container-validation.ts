import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotFound,
  fieldNotSupported,
  fieldRequired,
  validateEnum,
} from '../meta/field-error.ts';
import {
  checkConfigMapKey,
  checkDns1123Label,
  checkEnvVarName,
  checkPortName,
  checkPortNumber,
  nameIsDnsSubdomain,
} from '../meta/names.ts';
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  EnvFromSource,
  EnvVar,
  EphemeralContainer,
  PodSpec,
  VolumeDevice,
  VolumeMount,
} from '../schema/kubernetes-types.ts';
import {
  ENV_FIELDS,
  validateFieldReference,
  validateResourceReference,
} from './field-reference.ts';
import { validateNoBackSteps, validateRelativePath } from './file-path.ts';
import { validateLifecycle, validateProbe } from './handler-validation.ts';
import { isSidecar } from './pod-resources.ts';
import { validateRequirements } from './resource-requirements.ts';
import { validateSecurityContext } from './security-context-validation.ts';
import type { ValidVolumes } from './volume-validation.ts';

/** The main containers of a pod (core validation, validateContainers). */
export function validateContainers(
  spec: PodSpec,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  if (spec.containers.length === 0) return [fieldRequired(path)];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, container] of spec.containers.entries()) {
    const at = `${path}[${index}]`;
    errors.push(...validateAnyContainer(container, spec, volumes, at));
    if (names.has(container.name)) errors.push(fieldDuplicate(`${at}.name`, container.name));
    names.add(container.name);
    errors.push(...validateLifecycle(container.lifecycle, spec, `${at}.lifecycle`));
    errors.push(...validateProbes(container, at));
    if (container.restartPolicy !== undefined) {
      errors.push(fieldForbidden(`${at}.restartPolicy`, 'may not be set for non-init containers'));
    }
  }
  return [...errors, ...validateHostPorts(spec.containers, path)];
}

/** Init containers; those that restart always are sidecars and may have probes and hooks (KEP-753). */
export function validateInitContainers(
  spec: PodSpec,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set(spec.containers.map(({ name }) => name));
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...validateAnyContainer(container, spec, volumes, at));
    if (container.restartPolicy !== undefined && !isSidecar(container)) {
      errors.push(fieldNotSupported(`${at}.restartPolicy`, container.restartPolicy, ['Always']));
    }
    if (names.has(container.name)) errors.push(fieldDuplicate(`${at}.name`, container.name));
    else if (container.name) names.add(container.name);
    errors.push(...validateHostPorts([container], path));
    if (isSidecar(container)) {
      errors.push(...validateLifecycle(container.lifecycle, spec, `${at}.lifecycle`));
      errors.push(...validateProbes(container, at));
    } else {
      errors.push(...refuseHooks(container, at));
    }
  }
  return errors;
}

/** core validation, validateEphemeralContainers. */
export function validateEphemeralContainers(
  spec: PodSpec,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const others = [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name);
  const names = new Set(others);
  for (const [index, container] of (spec.ephemeralContainers ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...validateAnyContainer(container, spec, volumes, at));
    if (names.has(container.name)) errors.push(fieldDuplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.includes(target)) {
      errors.push(fieldNotFound(`${at}.targetContainerName`, target));
    }
    errors.push(...refuseForEphemeral(container, at));
  }
  return errors;
}

export function validateImageSpaces(
  containers: readonly Container[] | undefined,
  path: string,
): FieldError[] {
  return (containers ?? []).flatMap(({ image = '' }, index) =>
    image.trim() === image
      ? []
      : [
          fieldInvalid(
            `${path}[${index}].image`,
            image,
            'must not have leading or trailing whitespace',
          ),
        ],
  );
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function validateAnyContainer(
  container: Container,
  spec: PodSpec,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  const { name, volumeMounts, volumeDevices } = container;
  return [
    ...(name
      ? fieldInvalidEach(`${path}.name`, name, checkDns1123Label(name))
      : [fieldRequired(`${path}.name`)]),
    ...(container.image ? [] : [fieldRequired(`${path}.image`)]),
    ...validateEnum(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, [
      'File',
      'FallbackToLogsOnError',
    ]),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnv(container.env, `${path}.env`),
    ...validateEnvFrom(container.envFrom, `${path}.envFrom`),
    ...validateMounts(container, volumes, `${path}.volumeMounts`),
    ...validateDevices(volumeDevices, volumeMounts, volumes, `${path}.volumeDevices`),
    ...validateEnum(`${path}.imagePullPolicy`, container.imagePullPolicy, [
      'Always',
      'IfNotPresent',
      'Never',
    ]),
    ...validateRequirements(container.resources, `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy, spec.restartPolicy, `${path}.resizePolicy`),
    ...validateSecurityContext(
      container.securityContext,
      `${path}.securityContext`,
      spec.hostUsers !== false,
    ),
  ];
}

function validateProbes(container: Container, path: string): FieldError[] {
  return [
    ...validateProbe(container.livenessProbe, 'liveness', `${path}.livenessProbe`),
    ...validateProbe(container.readinessProbe, 'readiness', `${path}.readinessProbe`),
    ...validateProbe(container.startupProbe, 'startup', `${path}.startupProbe`),
  ];
}

const HOOKS = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function refuseHooks(container: Container, path: string): FieldError[] {
  return HOOKS.filter((hook) => container[hook] !== undefined).map((hook) =>
    fieldForbidden(
      `${path}.${hook}`,
      'may not be set for init containers without restartPolicy=Always',
    ),
  );
}

const NOT_FOR_EPHEMERAL = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
] as const;

function refuseForEphemeral(container: EphemeralContainer, path: string): FieldError[] {
  const refused: string[] = NOT_FOR_EPHEMERAL.filter((field) => container[field] !== undefined);
  if (container.resources?.limits || container.resources?.requests) refused.push('resources');
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    if (mount.subPath) refused.push(`volumeMounts[${index}].subPath`);
    if (mount.subPathExpr) refused.push(`volumeMounts[${index}].subPathExpr`);
  }
  return refused.map((field) =>
    fieldForbidden(`${path}.${field}`, 'cannot be set for an Ephemeral Container'),
  );
}

function validateHostPorts(containers: readonly Container[], path: string): FieldError[] {
  const errors: FieldError[] = [];
  const taken = new Set<string>();
  for (const [index, container] of containers.entries()) {
    for (const [portIndex, port] of (container.ports ?? []).entries()) {
      if (!port.hostPort) continue;
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) {
        errors.push(fieldDuplicate(`${path}[${index}].ports[${portIndex}].hostPort`, key));
      }
      taken.add(key);
    }
  }
  return errors;
}

function validatePorts(ports: readonly ContainerPort[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of (ports ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (port.name) {
      const wrong = checkPortName(port.name);
      if (wrong.length > 0) errors.push(...fieldInvalidEach(`${at}.name`, port.name, wrong));
      else if (names.has(port.name)) errors.push(fieldDuplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    const { containerPort, hostPort } = port;
    if (!containerPort) errors.push(fieldRequired(`${at}.containerPort`));
    else {
      errors.push(
        ...fieldInvalidEach(`${at}.containerPort`, containerPort, checkPortNumber(containerPort)),
      );
    }
    if (hostPort) {
      errors.push(...fieldInvalidEach(`${at}.hostPort`, hostPort, checkPortNumber(hostPort)));
    }
    errors.push(...validateEnum(`${at}.protocol`, port.protocol, PROTOCOLS));
  }
  return errors;
}

function validateEnv(variables: readonly EnvVar[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, variable] of (variables ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (!variable.name) errors.push(fieldRequired(`${at}.name`));
    else {
      errors.push(...fieldInvalidEach(`${at}.name`, variable.name, checkEnvVarName(variable.name)));
    }
    errors.push(...validateValueFrom(variable, `${at}.valueFrom`));
  }
  return errors;
}

function validateValueFrom(variable: EnvVar, path: string): FieldError[] {
  const source = variable.valueFrom;
  if (source === undefined) return [];
  const errors: FieldError[] = [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = source;
  if (fieldRef) errors.push(...validateFieldReference(fieldRef, ENV_FIELDS, `${path}.fieldRef`));
  if (resourceFieldRef) {
    errors.push(...validateResourceReference(resourceFieldRef, `${path}.resourceFieldRef`, false));
  }
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));

  const count = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef].filter(Boolean).length;
  if (count === 0) {
    errors.push(
      fieldInvalid(
        path,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    );
  } else if (variable.value) {
    errors.push(fieldInvalid(path, '', 'may not be specified when `value` is not empty'));
  } else if (count > 1) {
    errors.push(fieldInvalid(path, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

function validateKeyRef(reference: { name?: string; key: string }, path: string): FieldError[] {
  const { name = '', key } = reference;
  return [
    ...fieldInvalidEach(`${path}.name`, name, nameIsDnsSubdomain(name)),
    ...(key
      ? fieldInvalidEach(`${path}.key`, key, checkConfigMapKey(key))
      : [fieldRequired(`${path}.key`)]),
  ];
}

function validateEnvFrom(
  sources: readonly EnvFromSource[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, { prefix, configMapRef, secretRef }] of (sources ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (prefix) errors.push(...fieldInvalidEach(`${at}.prefix`, prefix, checkEnvVarName(prefix)));
    if (configMapRef) errors.push(...validateEnvFromName(configMapRef.name, `${at}.configMapRef`));
    if (secretRef) errors.push(...validateEnvFromName(secretRef.name, `${at}.secretRef`));
    if (!configMapRef && !secretRef) {
      errors.push(fieldInvalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(fieldInvalid(path, '', 'may not have more than one field specified at a time'));
    }
  }
  return errors;
}

function validateEnvFromName(name: string | undefined, path: string): FieldError[] {
  if (!name) return [fieldRequired(`${path}.name`)];
  return fieldInvalidEach(`${path}.name`, name, nameIsDnsSubdomain(name, true));
}

function validateMounts(container: Container, volumes: ValidVolumes, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const paths = new Set<string>();
  const devices = container.volumeDevices ?? [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (!mount.name) errors.push(fieldRequired(`${at}.name`));
    if (!volumes.has(mount.name)) errors.push(fieldNotFound(`${at}.name`, mount.name ?? ''));
    if (!mount.mountPath) errors.push(fieldRequired(`${at}.mountPath`));
    if (paths.has(mount.mountPath)) {
      errors.push(fieldInvalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    }
    paths.add(mount.mountPath);
    if (devices.some(({ name }) => name === mount.name)) {
      errors.push(
        fieldInvalid(`${at}.name`, mount.name, 'must not already exist in volumeDevices'),
      );
    }
    if (devices.some(({ devicePath }) => devicePath === mount.mountPath)) {
      errors.push(
        fieldInvalid(
          `${at}.mountPath`,
          mount.mountPath,
          'must not already exist as a path in volumeDevices',
        ),
      );
    }
    errors.push(...validateSubPath(mount, path, at));
    errors.push(...validatePropagation(mount, container, path));
  }
  return errors;
}

/** Some of these paths lack the index of the mount, as Kubernetes' do. */
function validateSubPath(mount: VolumeMount, listPath: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (mount.subPath) errors.push(...validateRelativePath(mount.subPath, `${listPath}.subPath`));
  if (mount.subPathExpr) {
    if (mount.subPath) {
      errors.push(
        fieldInvalid(
          `${path}.subPathExpr`,
          mount.subPathExpr,
          'subPathExpr and subPath are mutually exclusive',
        ),
      );
    }
    errors.push(...validateRelativePath(mount.subPathExpr, `${listPath}.subPathExpr`));
  }
  return errors;
}

function validatePropagation(
  mount: VolumeMount,
  container: Container,
  listPath: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const { mountPropagation, recursiveReadOnly } = mount;
  const at = `${listPath}.mountPropagation`;
  if (mountPropagation !== undefined) {
    const supported = ['Bidirectional', 'HostToContainer', 'None'];
    if (!supported.includes(mountPropagation)) {
      errors.push(fieldNotSupported(at, mountPropagation, supported));
    }
    if (mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
      errors.push(
        fieldForbidden(
          at,
          'Bidirectional mount propagation is available only to privileged containers',
        ),
      );
    }
  }
  const readOnlyPath = `${listPath}.recursiveReadOnly`;
  if (recursiveReadOnly === undefined || recursiveReadOnly === 'Disabled') return errors;
  const supported = ['Disabled', 'Enabled', 'IfPossible'];
  if (!supported.includes(recursiveReadOnly)) {
    return [...errors, fieldNotSupported(readOnlyPath, recursiveReadOnly, supported)];
  }
  if (!mount.readOnly) {
    errors.push(fieldForbidden(readOnlyPath, 'may only be specified when readOnly is true'));
  }
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    errors.push(
      fieldForbidden(
        readOnlyPath,
        'may only be specified when mountPropagation is None or not specified',
      ),
    );
  }
  return errors;
}

function validateDevices(
  devices: readonly VolumeDevice[] | undefined,
  mounts: readonly VolumeMount[] | undefined,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  const list = devices ?? [];
  return list.flatMap(({ name, devicePath }, index) => {
    const before = list.slice(0, index);
    return [
      ...validateDeviceName(
        name,
        before.some((device) => device.name === name),
        mounts,
        volumes,
        `${path}[${index}].name`,
      ),
      ...validateDevicePath(
        devicePath,
        before.some((device) => device.devicePath === devicePath),
        mounts,
        `${path}[${index}].devicePath`,
      ),
    ];
  });
}

function validateDeviceName(
  name: string,
  isRepeated: boolean,
  mounts: readonly VolumeMount[] | undefined,
  volumes: ValidVolumes,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const volume = volumes.get(name);
  if (!name) errors.push(fieldRequired(path));
  if (isRepeated) errors.push(fieldInvalid(path, name, 'must be unique'));
  if (volume === undefined) errors.push(fieldNotFound(path, name));
  else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
    errors.push(
      fieldInvalid(
        path,
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      ),
    );
  }
  if (mounts?.some((mount) => mount.name === name)) {
    errors.push(fieldInvalid(path, name, 'must not already exist in volumeMounts'));
  }
  return errors;
}

function validateDevicePath(
  devicePath: string,
  isRepeated: boolean,
  mounts: readonly VolumeMount[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (!devicePath) errors.push(fieldRequired(path));
  if (isRepeated) errors.push(fieldInvalid(path, devicePath, 'must be unique'));
  if (devicePath && validateNoBackSteps(devicePath, path).length > 0) {
    errors.push(fieldInvalid(path, devicePath, "can not contain backsteps ('..')"));
  }
  if (mounts?.some((mount) => mount.mountPath === devicePath)) {
    errors.push(fieldInvalid(path, devicePath, 'must not already exist as a path in volumeMounts'));
  }
  return errors;
}

function validateResizePolicy(
  policies: readonly ContainerResizePolicy[] | undefined,
  restartPolicy: string | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, policy] of (policies ?? []).entries()) {
    if (seen.has(policy.resourceName)) {
      errors.push(fieldDuplicate(`${path}[${index}]`, policy.resourceName));
    }
    seen.add(policy.resourceName);
    errors.push(...validateEnum(path, policy.resourceName, ['cpu', 'memory']));
    errors.push(...validateEnum(path, policy.restartPolicy, ['NotRequired', 'RestartContainer']));
    if (restartPolicy === 'Never' && policy.restartPolicy !== 'NotRequired') {
      errors.push(
        fieldInvalid(
          path,
          policy.restartPolicy,
          "must be 'NotRequired' when `restartPolicy` is 'Never'",
        ),
      );
    }
  }
  return errors;
}
