import {
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkUserId } from '../meta/names.ts';
import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from '../schema/kubernetes-types.ts';
import { validateRelativePath } from './file-path.ts';

/** core validation, validatePodSpecSecurityContext. */
export function validatePodSecurityContext(
  context: PodSecurityContext | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((group, index) =>
      validateId(group, `${path}.supplementalGroups[${index}]`),
    ),
  ];
  if (spec.shareProcessNamespace && spec.hostPID) {
    errors.push(
      fieldInvalid(
        `${path}.shareProcessNamespace`,
        true,
        'ShareProcessNamespace and HostPID cannot both be enabled',
      ),
    );
  }
  errors.push(...validateSysctls(context.sysctls, spec, `${path}.sysctls`));
  errors.push(
    ...optionalEnum(context.fsGroupChangePolicy, `${path}.fsGroupChangePolicy`, [
      'Always',
      'OnRootMismatch',
    ]),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...optionalEnum(context.supplementalGroupsPolicy, `${path}.supplementalGroupsPolicy`, [
      'Merge',
      'Strict',
    ]),
  );
  return errors;
}

/** core validation, ValidateSecurityContext. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  path: string,
  hostUsers: boolean,
): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...optionalEnum(context.procMount, `${path}.procMount`, ['Default', 'Unmasked']),
  ];
  if (hostUsers && context.procMount === 'Unmasked') {
    errors.push(
      fieldInvalid(
        `${path}.procMount`,
        context.procMount,
        '`hostUsers` must be false to use `Unmasked`',
      ),
    );
  }
  errors.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    const because = (what: string): FieldError =>
      fieldInvalid(
        path,
        { goSyntax: goSecurityContext(context) },
        `cannot set \`allowPrivilegeEscalation\` to false and ${what}`,
      );
    if (context.privileged) errors.push(because('`privileged` to true'));
    for (const capability of context.capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN') {
        errors.push(because('`capabilities.Add` CAP_SYS_ADMIN'));
      }
    }
  }
  errors.push(...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`));
  return errors;
}

const PROFILE_TYPES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const SYSCTL = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlName = new RegExp(SYSCTL);

function validateId(id: number | undefined, path: string): FieldError[] {
  return id === undefined ? [] : fieldInvalidEach(path, id, checkUserId(id));
}

function optionalEnum(
  value: string | undefined,
  path: string,
  supported: readonly string[],
): FieldError[] {
  if (value === undefined || supported.includes(value)) return [];
  return [fieldNotSupported(path, value, supported)];
}

function validateSysctls(
  sysctls: readonly Sysctl[] | undefined,
  spec: PodSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, { name }] of (sysctls ?? []).entries()) {
    const at = `${path}[${index}].name`;
    if (!name) errors.push(fieldRequired(at));
    else if (name.length > 253 || !sysctlName.test(name)) {
      errors.push(
        fieldInvalid(at, name, `must have at most 253 characters and match regex ${SYSCTL}`),
      );
    } else if (seen.has(name)) errors.push(fieldDuplicate(at, name));
    if (spec.hostNetwork && /^net[./]/.test(name)) {
      errors.push(fieldInvalid(at, name, "may not be specified when 'hostNetwork' is true"));
    }
    if (spec.hostIPC && /^(?:kernel[./](?:sem$|shm|msg)|fs[./]mqueue[./])/.test(name)) {
      errors.push(fieldInvalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
  }
  return errors;
}

function validateSeccomp(profile: SeccompProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const errors: FieldError[] = [];
  if (!profile.type) {
    errors.push(fieldRequired(`${path}.type`, 'type is required when seccompProfile is set'));
  } else if (!PROFILE_TYPES.includes(profile.type)) {
    errors.push(fieldNotSupported(`${path}.type`, profile.type, PROFILE_TYPES));
  }
  const file = `${path}.localhostProfile`;
  if (profile.type !== 'Localhost') {
    if (profile.localhostProfile !== undefined) {
      errors.push(
        fieldInvalid(
          file,
          { goSyntax: `core.SeccompProfile{Type:"${profile.type}"}` },
          'can only be set when seccomp type is Localhost',
        ),
      );
    }
  } else if (profile.localhostProfile === undefined) {
    errors.push(fieldRequired(file, 'must be set when seccomp type is Localhost'));
  } else {
    errors.push(...validateRelativePath(profile.localhostProfile, file));
  }
  return errors;
}

function validateAppArmor(profile: AppArmorProfile | undefined, path: string): FieldError[] {
  if (profile === undefined) return [];
  const file = `${path}.localhostProfile`;
  const name = profile.localhostProfile;
  if (!profile.type) {
    return [fieldRequired(`${path}.type`, 'type is required when appArmorProfile is set')];
  }
  if (!PROFILE_TYPES.includes(profile.type)) {
    return [fieldNotSupported(`${path}.type`, profile.type, PROFILE_TYPES)];
  }
  if (profile.type === 'Localhost') {
    if (!name) return [fieldRequired(file, 'must be set when AppArmor type is Localhost')];
    if (name.trim() !== name) {
      return [fieldInvalid(file, name, 'must not be padded with whitespace')];
    }
    return [];
  }
  return name === undefined
    ? []
    : [fieldInvalid(file, name, 'can only be set when AppArmor type is Localhost')];
}

function goSecurityContext(context: SecurityContext): string {
  const set = Object.keys(context).join(', ');
  return `core.SecurityContext{${set}}`;
}
