import { expect, it } from 'vitest';
import { chainId, imageRows } from './containerd-images.ts';

it('the chain of one layer is that layer, of more a hash of the chain so far', () => {
  expect(chainId(['sha256:a'])).toBe('sha256:a');
  expect(chainId(['sha256:a', 'sha256:b'])).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(chainId(['sha256:a', 'sha256:b', 'sha256:c'])).not.toBe(chainId(['sha256:a', 'sha256:b']));
});

it('reads the table of ctr images ls', () => {
  const table = [
    'REF                   TYPE                      DIGEST      SIZE    PLATFORMS   LABELS ',
    'localhost/busybox:1   application/vnd.oci+json  sha256:2a80 2.0 MiB linux/amd64 -      ',
    '',
  ].join('\n');
  expect(imageRows(table)).toEqual([
    { name: 'localhost/busybox:1', digest: 'sha256:2a80', sizeBytes: 2_097_152 },
  ]);
});
