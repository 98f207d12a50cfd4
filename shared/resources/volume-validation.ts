import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
} from '../meta/field-error.ts';
import { checkDns1123Label } from '../meta/names.ts';
import { tryParseQuantity } from '../meta/quantity.ts';
import type {
  DownwardAPIVolumeFile,
  HostPathVolumeSource,
  KeyToPath,
  NFSVolumeSource,
  ProjectedVolumeSource,
  Volume,
  VolumeProjection,
} from '../schema/kubernetes-types.ts';
import {
  VOLUME_FIELDS,
  validateFieldReference,
  validateResourceReference,
} from './field-reference.ts';
import { validateFileMode, validateNoBackSteps, validateVolumeFilePath } from './file-path.ts';

/** Volumes that passed, by name: mounts may refer to these only. */
export type ValidVolumes = ReadonlyMap<string, Volume>;

/** core validation, ValidateVolumes. */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  path: string,
): { errors: FieldError[]; valid: ValidVolumes } {
  const errors: FieldError[] = [];
  const valid = new Map<string, Volume>();
  for (const [index, volume] of (volumes ?? []).entries()) {
    const at = `${path}[${index}]`;
    const own = validateSource(volume, at);
    if (!volume.name) own.push(fieldRequired(`${at}.name`));
    else own.push(...fieldInvalidEach(`${at}.name`, volume.name, checkDns1123Label(volume.name)));
    if (valid.has(volume.name)) own.push(fieldDuplicate(`${at}.name`, volume.name));
    if (own.length === 0) valid.set(volume.name, volume);
    else errors.push(...own);
  }
  return { errors, valid };
}

type SourceCheck<K extends keyof Volume> = (
  source: NonNullable<Volume[K]>,
  path: string,
) => FieldError[];

/** The sources in the order in which Kubernetes looks at them; a second one is refused. Those without a check are taken as they are. */
const SOURCES: readonly (keyof Volume)[] = [
  'emptyDir',
  'hostPath',
  'gitRepo',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'secret',
  'nfs',
  'iscsi',
  'glusterfs',
  'flocker',
  'persistentVolumeClaim',
  'rbd',
  'cinder',
  'cephfs',
  'quobyte',
  'downwardAPI',
  'fc',
  'flexVolume',
  'configMap',
  'azureFile',
  'vsphereVolume',
  'photonPersistentDisk',
  'portworxVolume',
  'azureDisk',
  'storageos',
  'projected',
  'scaleIO',
  'csi',
  'ephemeral',
  'image',
];

const CHECKS: { readonly [K in keyof Volume]?: SourceCheck<K> } = {
  emptyDir: ({ sizeLimit }, path) => validateSizeLimit(sizeLimit, path),
  hostPath: validateHostPath,
  nfs: validateNfs,
  projected: validateProjected,
  secret: ({ secretName, defaultMode, items }, path) => [
    ...(secretName ? [] : [fieldRequired(`${path}.secretName`)]),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  configMap: ({ name, defaultMode, items }, path) => [
    ...(name ? [] : [fieldRequired(`${path}.name`)]),
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...validateItems(items, `${path}.items`),
  ],
  downwardAPI: ({ defaultMode, items }, path) => [
    ...validateFileMode(defaultMode, `${path}.defaultMode`),
    ...(items ?? []).flatMap((file) => validateDownwardFile(file, path)),
  ],
  persistentVolumeClaim: ({ claimName }, path) =>
    claimName ? [] : [fieldRequired(`${path}.claimName`)],
  image: ({ reference }, path) => (reference ? [] : [fieldRequired(`${path}.reference`)]),
};

function validateSource(volume: Volume, path: string): FieldError[] {
  const present = SOURCES.filter((source) => volume[source] != null);
  if (present.length === 0) return [fieldRequired(path, 'must specify a volume type')];
  return present.flatMap((source, index) =>
    index === 0
      ? validateOneSource(volume, source, `${path}.${source}`)
      : [fieldForbidden(`${path}.${source}`, 'may not specify more than 1 volume type')],
  );
}

function validateOneSource<K extends keyof Volume>(
  volume: Volume,
  kind: K,
  path: string,
): FieldError[] {
  const source = volume[kind];
  const check: SourceCheck<K> | undefined = CHECKS[kind];
  return check === undefined || source == null ? [] : check(source, path);
}

function validateSizeLimit(limit: string | undefined, path: string): FieldError[] {
  if (limit === undefined) return [];
  const quantity = tryParseQuantity(String(limit));
  if (quantity !== undefined && quantity.nano >= 0n) return [];
  return [fieldForbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity')];
}

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function validateHostPath(source: HostPathVolumeSource, path: string): FieldError[] {
  if (!source.path) return [fieldRequired(`${path}.path`)];
  const errors = validateNoBackSteps(source.path, `${path}.path`);
  if (source.type !== undefined && !HOST_PATH_TYPES.includes(source.type)) {
    errors.push(fieldNotSupported(`${path}.type`, source.type, HOST_PATH_TYPES));
  }
  return errors;
}

function validateNfs(source: NFSVolumeSource, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!source.server) errors.push(fieldRequired(`${path}.server`));
  if (!source.path) errors.push(fieldRequired(`${path}.path`));
  if (!source.path?.startsWith('/')) {
    errors.push(fieldInvalid(`${path}.path`, source.path ?? '', 'must be an absolute path'));
  }
  return errors;
}

function validateItems(items: readonly KeyToPath[] | undefined, path: string): FieldError[] {
  return (items ?? []).flatMap((item, index) => validateItem(item, `${path}[${index}]`));
}

function validateItem(item: KeyToPath, path: string): FieldError[] {
  return [
    ...(item.key ? [] : [fieldRequired(`${path}.key`)]),
    ...(item.path ? [] : [fieldRequired(`${path}.path`)]),
    ...validateVolumeFilePath(item.path ?? '', `${path}.path`),
    ...validateFileMode(item.mode, `${path}.mode`),
  ];
}

function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!file.path) errors.push(fieldRequired(`${path}.path`));
  errors.push(...validateVolumeFilePath(file.path ?? '', `${path}.path`));
  if (file.fieldRef) {
    errors.push(...validateFieldReference(file.fieldRef, VOLUME_FIELDS, `${path}.fieldRef`));
    if (file.resourceFieldRef) {
      errors.push(
        fieldInvalid(
          path,
          'resource',
          'fieldRef and resourceFieldRef can not be specified simultaneously',
        ),
      );
    }
  } else if (file.resourceFieldRef) {
    errors.push(
      ...validateResourceReference(file.resourceFieldRef, `${path}.resourceFieldRef`, true),
    );
  } else {
    errors.push(fieldRequired(path, 'one of fieldRef and resourceFieldRef is required'));
  }
  errors.push(...validateFileMode(file.mode, `${path}.mode`));
  return errors;
}

function validateProjected(source: ProjectedVolumeSource, path: string): FieldError[] {
  const errors = validateFileMode(source.defaultMode, `${path}.defaultMode`);
  const paths = new Set<string>();
  for (const [index, part] of (source.sources ?? []).entries()) {
    const at = `${path}.sources[${index}]`;
    errors.push(...validateProjection(part, at, path));
    for (const { file, owner } of projectedFiles(part)) {
      if (paths.has(file)) errors.push(fieldInvalid(path, owner, 'conflicting duplicate paths'));
      paths.add(file);
    }
  }
  return errors;
}

function validateProjection(part: VolumeProjection, path: string, volume: string): FieldError[] {
  const errors: FieldError[] = [];
  const { secret, configMap, downwardAPI, serviceAccountToken } = part;
  if (secret) {
    if (!secret.name) errors.push(fieldRequired(`${path}.secret.name`));
    errors.push(...validateItems(secret.items, `${path}.secret.items`));
  }
  if (configMap) {
    if (!configMap.name) errors.push(fieldRequired(`${path}.configMap.name`));
    errors.push(...validateItems(configMap.items, `${path}.configMap.items`));
  }
  for (const file of downwardAPI?.items ?? []) {
    errors.push(...validateDownwardFile(file, `${path}.downwardAPI`));
  }
  if (serviceAccountToken) {
    const seconds = serviceAccountToken.expirationSeconds ?? 0;
    const at = `${path}.serviceAccountToken.expirationSeconds`;
    if (seconds < 600) {
      errors.push(fieldInvalid(at, seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds > 2 ** 32) {
      errors.push(fieldInvalid(at, seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
    if (!serviceAccountToken.path) errors.push(fieldRequired(`${volume}.path`));
    else errors.push(...validateVolumeFilePath(serviceAccountToken.path, `${volume}.path`));
  }
  if (Object.values(part).filter((source) => source != null).length > 1) {
    errors.push(fieldForbidden(path, 'may not specify more than 1 volume type per source'));
  }
  return errors;
}

/** The files that a source lays down by name, with the value that a conflict message shows. */
function projectedFiles(part: VolumeProjection): { file: string; owner: string }[] {
  const { secret, configMap, downwardAPI } = part;
  return [
    ...(secret?.items ?? []).map(({ path }) => ({ file: path, owner: secret?.name ?? '' })),
    ...(configMap?.items ?? []).map(({ path }) => ({ file: path, owner: configMap?.name ?? '' })),
    ...(downwardAPI?.items ?? []).map(({ path }) => ({ file: path, owner: path })),
  ].filter(({ file }) => Boolean(file));
}
