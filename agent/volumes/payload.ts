import type {
  ConfigMapProjection,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  SecretProjection,
} from '../../shared/schema/kubernetes-types.ts';
import type { PayloadFile } from '../host/volume-files.ts';
import type { PodSources } from '../pods/collaborators.ts';
import { type PodFieldContext, podFieldValue, resourceFieldValue } from '../pods/pod-fields.ts';

/** What volumes get when they name no mode. */
export const DEFAULT_MODE = 0o644;

/** The files of a ConfigMap. Throws Error in Kubernetes' words when it, or a key of `items`, is missing and not optional. */
export function configMapPayload(
  namespace: string,
  { name = '', items, optional = false }: ConfigMapProjection,
  defaultMode: number,
  sources: PodSources,
): PayloadFile[] {
  const data = sources.configMap(namespace, name);
  if (data === undefined) {
    if (optional) return [];
    throw new Error(`configmap "${name}" not found`);
  }
  const contents = new Map<string, Uint8Array>();
  for (const [key, text] of Object.entries(data)) contents.set(key, Buffer.from(text));
  for (const [key, base64] of Object.entries(sources.configMapBinary(namespace, name) ?? {})) {
    contents.set(key, Buffer.from(base64, 'base64'));
  }
  const missing = (key: string) => `configmap references non-existent config key: ${key}`;
  return pick(contents, items, optional, defaultMode, missing);
}

/** The files of a Secret; throws like configMapPayload. */
export function secretPayload(
  namespace: string,
  { name = '', items, optional = false }: SecretProjection,
  defaultMode: number,
  sources: PodSources,
): PayloadFile[] {
  const data = sources.secret(namespace, name);
  if (data === undefined) {
    if (optional) return [];
    throw new Error(`secret "${name}" not found`);
  }
  const contents = new Map(
    Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64')]),
  );
  const missing = (key: string) => `references non-existent secret key: ${key}`;
  return pick(contents, items, optional, defaultMode, missing);
}

/** The files of a downward API volume. Throws PodFieldError. */
export function downwardPayload(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[] | undefined,
  defaultMode: number,
  fields: PodFieldContext,
): PayloadFile[] {
  return (items ?? []).map(({ path, mode, fieldRef, resourceFieldRef }) => {
    let text = '';
    if (fieldRef !== undefined) text = podFieldValue(pod, fieldRef.fieldPath, fields);
    else if (resourceFieldRef !== undefined) {
      const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
      const container = all.find(({ name }) => name === resourceFieldRef.containerName);
      if (container === undefined) {
        throw new Error(`container ${resourceFieldRef.containerName ?? ''} not found`);
      }
      text = resourceFieldValue(container, resourceFieldRef, fields);
    }
    return { path, content: Buffer.from(text), mode: mode ?? defaultMode };
  });
}

function pick(
  contents: ReadonlyMap<string, Uint8Array>,
  items: readonly KeyToPath[] | undefined,
  optional: boolean,
  defaultMode: number,
  missing: (key: string) => string,
): PayloadFile[] {
  if (items === undefined || items.length === 0) {
    return [...contents].map(([path, content]) => ({ path, content, mode: defaultMode }));
  }
  return items.flatMap(({ key, path, mode }) => {
    const content = contents.get(key);
    if (content !== undefined) return [{ path, content, mode: mode ?? defaultMode }];
    if (optional) return [];
    throw new Error(missing(key));
  });
}
