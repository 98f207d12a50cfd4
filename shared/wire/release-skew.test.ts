import fc from 'fast-check';
import { expect, test } from 'vitest';
import { releaseRefusal } from './release-skew.ts';

test('releases one minor version apart work together, both ways', () => {
  for (const agent of ['1.4.0', '1.5.9', '1.6.0-rc.1', '1.5']) {
    expect(releaseRefusal('1.5.0', agent)).toBeUndefined();
  }
});

test('others are refused, and whoever is older is to be upgraded', () => {
  expect(releaseRefusal('1.5.0', '1.3.9')).toContain('upgrade the agent first');
  expect(releaseRefusal('1.5.0', '1.7.0')).toContain('upgrade the master first');
  expect(releaseRefusal('2.0.0', '1.9.0')).toContain('upgrade the agent first');
  expect(releaseRefusal('1.9.0', '2.0.0')).toContain('upgrade the master first');
  expect(releaseRefusal('1.5.0', '')).toContain('cannot be compared');
});

test('who is refused does not depend on who asks', () => {
  const minor = fc.nat(20);
  fc.assert(
    fc.property(minor, minor, (one, other) => {
      const refused = (master: number, agent: number) =>
        releaseRefusal(`1.${master}.0`, `1.${agent}.3`) !== undefined;
      expect(refused(one, other)).toBe(refused(other, one));
    }),
  );
});

test('whatever an agent says of itself, the refusal is one line of bounded length', () => {
  const said = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary', minLength: 1000 }),
    fc.constant('9.0.\n<0>'),
  );
  fc.assert(
    fc.property(said, (release) => {
      const refusal = releaseRefusal('1.5.0', release) ?? '';
      expect(refusal).not.toContain('\n');
      expect(refusal.length).toBeLessThan(2000);
    }),
  );
});
