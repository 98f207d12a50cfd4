import type { ConfigMap } from '../../../shared/schema/kubernetes-types.ts';

/** The ConfigMap of every namespace by which pods know the API. */
export const ROOT_CA_MAP = 'kube-root-ca.crt';

const KEY = 'ca.crt';
const DESCRIPTION_ANNOTATION = 'kubernetes.io/description';
/** The words that clients see on Kubernetes. */
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

/**
 * The map with the cluster's certificate authority (PEM): a new one, or `current` mended. Undefined when it holds that and nothing else
 * and is described, in whatever words; labels and other annotations belong to its users.
 */
export function planRootCa(
  ca: string,
  namespace: string,
  current: ConfigMap | undefined,
): ConfigMap | undefined {
  const data = { [KEY]: ca };
  if (current === undefined) {
    return {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: ROOT_CA_MAP,
        namespace,
        annotations: { [DESCRIPTION_ANNOTATION]: DESCRIPTION },
        uid: '',
        resourceVersion: '',
        creationTimestamp: '',
      },
      data,
    };
  }
  const { metadata } = current;
  const isDescribed = Boolean(metadata.annotations?.[DESCRIPTION_ANNOTATION]);
  if (isDescribed && holdsOnly(current, ca)) return undefined;
  const annotations = { ...metadata.annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION };
  const { binaryData: _foreign, ...rest } = current;
  return { ...rest, metadata: { ...metadata, annotations }, data };
}

function holdsOnly({ data = {}, binaryData = {} }: ConfigMap, ca: string): boolean {
  return data[KEY] === ca && Object.keys(data).length === 1 && Object.keys(binaryData).length === 0;
}
