import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALL_CAPABILITIES,
  capabilitiesOfMask,
  grantedCapabilities,
  isRootUser,
} from './capabilities.ts';

describe('grantedCapabilities', () => {
  it('without a wish is the fourteen of Kubernetes with containerd', () => {
    const granted = grantedCapabilities([], []);
    expect(granted).toHaveLength(14);
    expect([...capabilitiesOfMask(0xa80425fbn)].sort()).toEqual(granted);
  });

  it('takes names in any spelling', () => {
    expect(grantedCapabilities(['cap_net_admin'], ['all'])).toEqual(['NET_ADMIN']);
  });

  it('adds everything but what is dropped', () => {
    const granted = grantedCapabilities(['ALL'], ['SYS_ADMIN']);
    expect(granted).toHaveLength(ALL_CAPABILITIES.length - 1);
    expect(granted).not.toContain('SYS_ADMIN');
  });

  it('what is added is granted, what is only dropped is not', () => {
    const names = fc.subarray([...ALL_CAPABILITIES]);
    fc.assert(
      fc.property(names, names, (add, drop) => {
        const granted = new Set(grantedCapabilities(add, drop));
        for (const name of add) expect(granted.has(name)).toBe(true);
        for (const name of drop) expect(granted.has(name)).toBe(add.includes(name));
      }),
    );
  });
});

it.each([
  ['', true],
  ['0', true],
  ['root:media', true],
  [':44', true],
  ['1000', false],
  ['nobody', false],
])('user %j is root: %s', (user, root) => {
  expect(isRootUser(user)).toBe(root);
});
