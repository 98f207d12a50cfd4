import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
  goStringSlice,
  validateEnum,
} from '../meta/field-error.ts';
import {
  checkDns1123Label,
  checkDns1123Subdomain,
  checkDns1123SubdomainWithUnderscore,
  checkIp,
  checkQualifiedName,
  checkRange,
  nameIsDnsSubdomain,
} from '../meta/names.ts';
import { validateAnnotations, validateLabels, validateObjectMeta } from '../meta/object-meta.ts';
import type {
  HostAlias,
  Pod,
  PodDNSConfig,
  PodSchedulingGate,
  PodSpec,
  PodTemplateSpec,
} from '../schema/kubernetes-types.ts';
import {
  validateContainers,
  validateEphemeralContainers,
  validateImageSpaces,
  validateInitContainers,
} from './container-validation.ts';
import { validateRequirements } from './resource-requirements.ts';
import { validateAffinity, validateSpread, validateTolerations } from './scheduling-validation.ts';
import { validatePodSecurityContext } from './security-context-validation.ts';
import { validateVolumes } from './volume-validation.ts';

/** Metadata and spec of a pod, at creation and at every update (core validation, validatePodMetadataAndSpec). */
export function validatePod(pod: Pod): FieldError[] {
  const errors = [
    ...validateObjectMeta(pod.metadata, true, nameIsDnsSubdomain),
    ...validatePodSpec(pod.spec, 'spec', true),
  ];
  if (!pod.spec.serviceAccountName) errors.push(...refuseTokens(pod.spec));
  errors.push(
    ...validateImageSpaces(pod.spec.containers, 'spec.containers'),
    ...validateImageSpaces(pod.spec.initContainers, 'spec.initContainers'),
  );
  return errors;
}

/** core validation, ValidatePodCreate. */
export function validateNewPod(pod: Pod): FieldError[] {
  const errors = validatePod(pod);
  if (pod.spec.ephemeralContainers?.length) {
    errors.push(fieldForbidden('spec.ephemeralContainers', 'cannot be set on create'));
  }
  if (pod.spec.nodeName && pod.spec.schedulingGates?.length) {
    errors.push(
      fieldForbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'),
    );
  }
  return errors;
}

/** core validation, ValidatePodTemplateSpec. */
export function validatePodTemplate(template: PodTemplateSpec, path: string): FieldError[] {
  const spec = template.spec ?? { containers: [] };
  const errors = [
    ...validateLabels(template.metadata?.labels, `${path}.labels`),
    ...validateAnnotations(template.metadata?.annotations, `${path}.annotations`),
    ...validatePodSpec(spec, `${path}.spec`, false),
  ];
  if (spec.ephemeralContainers?.length) {
    errors.push(
      fieldForbidden(
        `${path}.spec.ephemeralContainers`,
        'ephemeral containers not allowed in pod template',
      ),
    );
  }
  return errors;
}

const MAX_INT32 = 2_147_483_647;
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];

function validatePodSpec(spec: PodSpec, path: string, isPod: boolean): FieldError[] {
  const volumes = validateVolumes(spec.volumes, `${path}.volumes`);
  return [
    ...(spec.terminationGracePeriodSeconds === undefined
      ? [fieldRequired(`${path}.terminationGracePeriodSeconds`)]
      : []),
    ...volumes.errors,
    ...validateContainers(spec, volumes.valid, `${path}.containers`),
    ...validateInitContainers(spec, volumes.valid, `${path}.initContainers`),
    ...validateEphemeralContainers(spec, volumes.valid, `${path}.ephemeralContainers`),
    ...validateHostNetwork(spec, path, isPod),
    ...validateEnum(`${path}.restartPolicy`, spec.restartPolicy, ['Always', 'OnFailure', 'Never']),
    ...validateEnum(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec.securityContext, spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDnsConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      fieldInvalidEach(
        `${path}.readinessGates[${index}].conditionType`,
        conditionType,
        checkQualifiedName(conditionType),
      ),
    ),
    ...validateGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateSpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostUsers(spec, path),
    ...validateSpecNames(spec, path),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...validateHostAliases(spec.hostAliases, `${path}.hostAliases`),
    ...validateSpecPolicies(spec, path),
  ];
}

function validateSpecNames(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['serviceAccountName', 'nodeName'] as const) {
    const name = spec[field];
    if (name) errors.push(...fieldInvalidEach(`${path}.${field}`, name, nameIsDnsSubdomain(name)));
  }
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined) {
    errors.push(
      ...fieldInvalidEach(
        `${path}.activeDeadlineSeconds`,
        deadline,
        checkRange(deadline, 1, MAX_INT32),
      ),
    );
  }
  for (const field of ['hostname', 'subdomain'] as const) {
    const name = spec[field];
    if (name) errors.push(...fieldInvalidEach(`${path}.${field}`, name, checkDns1123Label(name)));
  }
  return errors;
}

function validateSpecPolicies(spec: PodSpec, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { priorityClassName, runtimeClassName, preemptionPolicy, overhead, os } = spec;
  if (priorityClassName) {
    errors.push(
      ...fieldInvalidEach(
        `${path}.priorityClassName`,
        priorityClassName,
        nameIsDnsSubdomain(priorityClassName),
      ),
    );
  }
  if (runtimeClassName !== undefined) {
    errors.push(
      ...fieldInvalidEach(
        `${path}.runtimeClassName`,
        runtimeClassName,
        nameIsDnsSubdomain(runtimeClassName),
      ),
    );
  }
  if (preemptionPolicy !== undefined) {
    errors.push(
      ...validateEnum(`${path}.preemptionPolicy`, preemptionPolicy, [
        'PreemptLowerPriority',
        'Never',
      ]),
    );
  }
  if (overhead) errors.push(...validateRequirements({ limits: overhead }, `${path}.overhead`));
  if (os !== undefined) {
    if (!os.name) errors.push(fieldRequired(`${path}.os.name`, 'cannot be empty'));
    else if (os.name !== 'linux' && os.name !== 'windows') {
      errors.push(fieldNotSupported(`${path}.os`, os.name, ['linux', 'windows']));
    }
  }
  return errors;
}

function validateHostNetwork(spec: PodSpec, path: string, isPod: boolean): FieldError[] {
  if (!spec.hostNetwork) return [];
  const errors: FieldError[] = [];
  for (const [index, container] of spec.containers.entries()) {
    for (const [portIndex, port] of (container.ports ?? []).entries()) {
      const hostPort = port.hostPort ?? 0;
      if ((isPod || hostPort !== 0) && hostPort !== port.containerPort) {
        errors.push(
          fieldInvalid(
            `${path}.containers[${index}].ports[${portIndex}].hostPort`,
            hostPort,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
      }
    }
  }
  return errors;
}

/** The names of the last two fields begin with a capital, as in Kubernetes. */
function validateHostUsers(spec: PodSpec, path: string): FieldError[] {
  if (spec.hostUsers !== false) return [];
  const why = 'when `pod.Spec.HostUsers` is false';
  return [
    ...(spec.hostNetwork ? [fieldForbidden(`${path}.hostNetwork`, why)] : []),
    ...(spec.hostPID ? [fieldForbidden(`${path}.HostPID`, why)] : []),
    ...(spec.hostIPC ? [fieldForbidden(`${path}.HostIPC`, why)] : []),
  ];
}

function validateDnsConfig(
  config: PodDNSConfig | undefined,
  policy: string | undefined,
  path: string,
): FieldError[] {
  if (policy === 'None') {
    if (config === undefined) {
      return [fieldRequired(path, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    }
    if (!config.nameservers?.length) {
      return [
        fieldRequired(
          `${path}.nameservers`,
          'must provide at least one DNS nameserver when `dnsPolicy` is None',
        ),
      ];
    }
  }
  if (config === undefined) return [];
  const errors: FieldError[] = [];
  const { nameservers = [], searches = [], options = [] } = config;
  const tooMuch = (field: string, list: readonly string[], limit: string): FieldError =>
    fieldInvalid(
      `${path}.${field}`,
      { goSyntax: goStringSlice(list) },
      `must not have more than ${limit}`,
    );
  if (nameservers.length > 3) errors.push(tooMuch('nameservers', nameservers, '3 nameservers'));
  for (const [index, server] of nameservers.entries()) {
    errors.push(...fieldInvalidEach(`${path}.nameservers[${index}]`, server, checkIp(server)));
  }
  if (searches.length > 32) errors.push(tooMuch('searches', searches, '32 search paths'));
  if (searches.join(' ').length > 2048) {
    errors.push(
      tooMuch('searches', searches, '2048 characters (including spaces) in the search list'),
    );
  }
  for (const [index, search] of searches.entries()) {
    if (search === '.') continue;
    const name = search.replace(/\.$/, '');
    errors.push(
      ...fieldInvalidEach(
        `${path}.searches[${index}]`,
        name,
        checkDns1123SubdomainWithUnderscore(name),
      ),
    );
  }
  for (const [index, option] of options.entries()) {
    if (!option.name) errors.push(fieldRequired(`${path}.options[${index}]`, 'must not be empty'));
  }
  return errors;
}

function validateGates(
  gates: readonly PodSchedulingGate[] | undefined,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { name }] of (gates ?? []).entries()) {
    const at = `${path}[${index}]`;
    errors.push(...fieldInvalidEach(at, name, checkQualifiedName(name)));
    if (seen.has(name)) errors.push(fieldDuplicate(at, name));
    seen.add(name);
  }
  return errors;
}

function validateHostAliases(
  aliases: readonly HostAlias[] | undefined,
  path: string,
): FieldError[] {
  return (aliases ?? []).flatMap(({ ip, hostnames }, index) => [
    ...fieldInvalidEach(`${path}[${index}].ip`, ip ?? '', checkIp(ip ?? '')),
    ...(hostnames ?? []).flatMap((name, nameIndex) =>
      fieldInvalidEach(
        `${path}[${index}].hostnames[${nameIndex}]`,
        name,
        checkDns1123Subdomain(name),
      ),
    ),
  ]);
}

function refuseTokens(spec: PodSpec): FieldError[] {
  return (spec.volumes ?? []).flatMap(({ projected }, index) =>
    (projected?.sources ?? []).flatMap((source, sourceIndex) =>
      source.serviceAccountToken
        ? [
            fieldForbidden(
              `spec.volumes[${index}].projected.sources[${sourceIndex}].serviceAccountToken`,
              'must not be specified when serviceAccountName is not set',
            ),
          ]
        : [],
    ),
  );
}
