/** The text names no image; the message is the parser's own part, as the kubelet shows it. */
export class ImageReferenceError extends Error {}

/**
 * The full form of an image name: `nginx` is `docker.io/library/nginx:latest`; a name with a digest keeps it and loses its tag's
 * default (grammar of the distribution project, reference.go). Throws ImageReferenceError.
 */
export function normaliseImage(text: string): string {
  const parts = REFERENCE.exec(text);
  if (parts === null) throw new ImageReferenceError(complaint(text));
  const [, name = '', tag, digest] = parts;
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const host = hasHost ? first : 'docker.io';
  let path = hasHost ? name.slice(slash + 1) : name;
  if (path !== path.toLowerCase()) throw new ImageReferenceError(complaint(text));
  const official = host === 'docker.io' || host === 'index.docker.io';
  if (official && !path.includes('/')) path = `library/${path}`;
  const full = `${official ? 'docker.io' : host}/${path}`;
  if (full.length > 255 + host.length) throw new ImageReferenceError(complaint(text));
  if (digest !== undefined) return `${full}${tag === undefined ? '' : `:${tag}`}@${digest}`;
  return `${full}:${tag ?? 'latest'}`;
}

/** Always for `latest` (and for no tag), else IfNotPresent, when the pod names no policy. */
export function pullPolicy(container: { image?: string; imagePullPolicy?: string }): string {
  if (container.imagePullPolicy !== undefined && container.imagePullPolicy !== '') {
    return container.imagePullPolicy;
  }
  const last = (container.image ?? '').split('/').at(-1) ?? '';
  if (last.includes('@')) return 'IfNotPresent';
  return !last.includes(':') || last.endsWith(':latest') ? 'Always' : 'IfNotPresent';
}

const COMPONENT = '[a-zA-Z0-9]+(?:(?:\\.|_|__|-+)[a-zA-Z0-9]+)*';
const HOST = '(?:[a-zA-Z0-9.-]+|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?';
const REFERENCE = new RegExp(
  `^((?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);

function complaint(text: string): string {
  const lower = REFERENCE.exec(text.toLowerCase());
  if (text !== text.toLowerCase() && lower !== null) {
    const name = REFERENCE.exec(text)?.[1] ?? text;
    return `invalid reference format: repository name (${name.includes('/') ? name : `library/${name}`}) must be lowercase`;
  }
  return 'invalid reference format';
}
