import { expect, it } from 'vitest';
import { ContainerdImages, chainId, imageRows } from './containerd-images.ts';
import { Ctr } from './ctr.ts';

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

it('reads what a digest says once, unless very many came since', async () => {
  const reads: string[] = [];
  const answer = (args: readonly string[]): string => {
    const [what, how, which = ''] = args.slice(-3);
    if (how === 'ls') {
      const name = which.replace('name==', '');
      return `REF TYPE DIGEST SIZE PLATFORMS LABELS\n${name} t sha256:${name} 1 B - -\n`;
    }
    expect([what, how]).toEqual(['content', 'get']);
    if (which.endsWith('-config')) return JSON.stringify({ rootfs: { diff_ids: ['sha256:l'] } });
    reads.push(which);
    return JSON.stringify({ config: { digest: `${which}-config` } });
  };
  const ctr = new Ctr({
    run: async (_command, args) => ({ stdout: answer(args), stderr: '', exitCode: 0 }),
    command: 'ctr',
    address: '',
    namespace: '',
    maxProcesses: 1,
  });
  const images = new ContainerdImages(ctr, 'x64');
  await images.config('a');
  expect(await images.config('a')).toMatchObject({ chainId: 'sha256:l', imageId: 'a@sha256:a' });
  expect(reads).toEqual(['sha256:a']);
  for (let n = 0; n < 500; n += 1) await images.config(`b${n}`);
  await images.config('a');
  expect(reads.filter((digest) => digest === 'sha256:a')).toHaveLength(2);
});
