import { expect, it } from 'vitest';
import { namingFullDisk } from './disk-full.ts';

const failure = (code: string, message: string) => Object.assign(new Error(message), { code });

it('a write to a full disk names the file and says what to do', () => {
  const full = failure('ENOSPC', 'ENOSPC: no space left on device, write');
  expect(namingFullDisk(full, '/data/state.log')).toMatchObject({
    message:
      '/data/state.log cannot be written (ENOSPC: no space left on device, write): make room on its disk',
    code: 'ENOSPC',
    cause: full,
  });
  expect(namingFullDisk(failure('EDQUOT', 'EDQUOT: quota'), '/f')).toMatchObject({
    message: '/f cannot be written (EDQUOT: quota): make room on its disk',
  });
});

it('what names the file already, and every other error, stays as it is', () => {
  const full = namingFullDisk(failure('ENOSPC', 'ENOSPC: no space left'), '/data/a');
  expect(namingFullDisk(full, '/data/b')).toBe(full);
  const other = failure('EACCES', "EACCES: permission denied, open '/f'");
  expect(namingFullDisk(other, '/f')).toBe(other);
  expect(namingFullDisk('text', '/f')).toBe('text');
});
