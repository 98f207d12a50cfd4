import { RuntimeError } from './runtime.ts';

/**
 * The full form of an image name, as Kubernetes' container runtimes resolve it: `nginx` is `docker.io/library/nginx:latest`, a name
 * with a digest keeps the digest and drops its tag. Grammar: the distribution project's image reference.
 * Throws RuntimeError with reason InvalidImageName and the kubelet's message.
 */
export function normaliseImageName(name: string): string {
  const refuse = (why: string): never => {
    throw new RuntimeError(
      'InvalidImageName',
      `Failed to apply default image tag "${name}": couldn't parse image name "${name}": ${why}`,
    );
  };
  if (/^[0-9a-f]{64}$/.test(name)) {
    refuse(`invalid repository name (${name}), cannot specify 64-byte hexadecimal strings`);
  }
  const { domain, rest } = splitDomain(name);
  const written = rest.split(':')[0] ?? '';
  if (written !== written.toLowerCase()) {
    refuse(`invalid reference format: repository name (${written}) must be lowercase`);
  }
  const match = `${domain}/${rest}`.match(REFERENCE);
  if (match === null) return refuse('invalid reference format');
  const [, repository = '', tag, digest] = match;
  if (repository.length > MAX_NAME_LENGTH) {
    refuse(`repository name must not be more than ${MAX_NAME_LENGTH} characters`);
  }
  if (digest !== undefined) {
    const problem = digestProblem(digest);
    if (problem !== undefined) refuse(problem);
    return `${repository}@${digest}`;
  }
  return `${repository}:${tag ?? 'latest'}`;
}

const MAX_NAME_LENGTH = 255;
const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = `(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const TAG = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const DIGEST = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';
const REFERENCE = new RegExp(`^(${DOMAIN}(?:/${PATH_PART})+)(?::(${TAG}))?(?:@(${DIGEST}))?$`);

/** The first part is a registry when it has a dot or a port, is `localhost`, or has capitals (which no repository may). */
function splitDomain(name: string): { domain: string; rest: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const domain = slash >= 0 && isDomain ? first : 'docker.io';
  const rest = slash >= 0 && isDomain ? name.slice(slash + 1) : name;
  if (domain !== 'docker.io' && domain !== 'index.docker.io') return { domain, rest };
  return { domain: 'docker.io', rest: rest.includes('/') ? rest : `library/${rest}` };
}

const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

function digestProblem(digest: string): string | undefined {
  const [algorithm = '', hex = ''] = digest.split(':');
  const length = DIGEST_LENGTHS[algorithm];
  if (length === undefined) return 'unsupported digest algorithm';
  if (hex.length !== length) return 'invalid checksum digest length';
  return /^[a-f0-9]+$/.test(hex) ? undefined : 'invalid checksum digest format';
}
