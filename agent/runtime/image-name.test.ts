import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normaliseImageName } from './image-name.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('normaliseImageName', () => {
  it.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['index.docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['registry:5000/x', 'registry:5000/x:latest'],
    ['registry:5000/x:v1', 'registry:5000/x:v1'],
    ['ghcr.io/a/b/c:v1.0_x', 'ghcr.io/a/b/c:v1.0_x'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    ['Registry/x', 'Registry/x:latest'],
    [`nginx@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
    [`nginx:1.27@${DIGEST}`, `docker.io/library/nginx@${DIGEST}`],
  ])('%s is %s', (name, full) => {
    expect(normaliseImageName(name)).toBe(full);
  });

  it.each([
    ['', 'invalid reference format'],
    ['nginx:', 'invalid reference format'],
    ['a b', 'invalid reference format'],
    ['-x', 'invalid reference format'],
    ['x//y', 'invalid reference format'],
    [`x@${DIGEST.slice(0, 60)}`, 'invalid checksum digest length'],
    [`x@md5:${'ab'.repeat(16)}`, 'unsupported digest algorithm'],
    ['NGINX', 'invalid reference format: repository name (library/NGINX) must be lowercase'],
    [
      'ab'.repeat(32),
      `invalid repository name (${'ab'.repeat(32)}), cannot specify 64-byte hexadecimal strings`,
    ],
    ['a'.repeat(250), 'repository name must not be more than 255 characters'],
  ])('%j is refused with the words of the kubelet', (name, why) => {
    expect(() => normaliseImageName(name)).toThrow(
      expect.objectContaining({
        reason: 'InvalidImageName',
        message: `Failed to apply default image tag "${name}": couldn't parse image name "${name}": ${why}`,
      }),
    );
  });

  it('a normalised name stays as it is', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,4})?$/);
    const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,10}$/);
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.option(tag),
        (parts, tagged) => {
          const full = normaliseImageName(parts.join('/') + (tagged === null ? '' : `:${tagged}`));
          expect(normaliseImageName(full)).toBe(full);
          expect(full).toMatch(/^[^/]+\/.+:[^/:]+$/);
        },
      ),
    );
  });

  it('any other text is either refused as InvalidImageName or normalised', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        try {
          expect(normaliseImageName(text)).toContain('/');
        } catch (error) {
          expect(error).toMatchObject({ reason: 'InvalidImageName' });
        }
      }),
    );
  });
});
