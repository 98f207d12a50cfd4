import { expect, it } from 'vitest';
import { Turnstile } from './turnstile.ts';

it('lets so many in at once, the others in the order they came, also after a failure', async () => {
  const turnstile = new Turnstile(2);
  const begun: number[] = [];
  const open: (() => void)[] = [];
  const passes = [0, 1, 2, 3].map((number) =>
    turnstile.pass(async () => {
      begun.push(number);
      await new Promise<void>((resolve) => open.push(resolve));
      if (number === 0) throw new Error('failed');
    }),
  );
  expect(begun).toEqual([0, 1]);
  open[0]?.();
  await expect(passes[0]).rejects.toThrow('failed');
  expect(begun).toEqual([0, 1, 2]);
  open[1]?.();
  await passes[1];
  expect(begun).toEqual([0, 1, 2, 3]);
  open[2]?.();
  open[3]?.();
  await Promise.all([passes[2], passes[3]]);
});
