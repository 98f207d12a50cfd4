import { describe, expect, it } from 'vitest';
import { isConditionTrue, removeCondition, setCondition } from './condition.ts';
import { semanticEqual } from './equality.ts';
import { percentOf, scaledValue } from './int-or-string.ts';
import { controllerOf, controllerReference, groupOf, isControlledBy } from './owner-reference.ts';

describe('setting a condition', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'A', lastTransitionTime: 't0' };

  it('adds it with the time of the change', () => {
    expect(setCondition(undefined, { type: 'Ready', status: 'True' }, 't1')).toEqual([
      { type: 'Ready', status: 'True', lastTransitionTime: 't1' },
    ]);
  });

  it('keeps the time while the status stays', () => {
    const [next] = setCondition([ready], { ...ready, reason: 'B', lastTransitionTime: 't9' }, 't1');
    expect(next).toEqual({ ...ready, reason: 'B' });
  });

  it('takes the new time when the status changes, and leaves the others in place', () => {
    const other = { type: 'Other', status: 'True' };
    const next = setCondition([ready, other], { type: 'Ready', status: 'False' }, 't1');
    expect(next).toEqual([{ type: 'Ready', status: 'False', lastTransitionTime: 't1' }, other]);
  });

  it('returns the same list when nothing changes', () => {
    const list = [ready];
    expect(setCondition(list, { ...ready }, 't1')).toBe(list);
  });

  it('is read and removed by type', () => {
    expect(isConditionTrue([ready], 'Ready')).toBe(true);
    expect(isConditionTrue(undefined, 'Ready')).toBe(false);
    expect(removeCondition([ready], 'Ready')).toEqual([]);
  });
});

describe('a number or a percentage', () => {
  it.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['0%', 10, 'up', 0],
    ['100%', 7, 'down', 7],
    ['x', 7, 'down', undefined],
  ] as const)('%s of %d rounded %s is %s', (value, total, rounding, expected) => {
    expect(scaledValue(value, total, rounding)).toBe(expected);
  });

  it('is a percentage only with the sign', () => {
    expect(percentOf('25')).toBeUndefined();
    expect(percentOf(25)).toBeUndefined();
  });
});

describe('equality of specs', () => {
  it.each([
    [{ a: undefined }, {}, true],
    [{ a: [] }, {}, true],
    [{ a: {} }, {}, true],
    [{ a: null }, {}, true],
    [{ a: false }, {}, false],
    [{ a: 0 }, {}, false],
    [{ a: [1, 2] }, { a: [2, 1] }, false],
    [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }, true],
    [{ a: [] }, { a: {} }, false],
    [{ a: '1' }, { a: 1 }, false],
  ])('%j and %j: %s', (a, b, equal) => {
    expect(semanticEqual(a, b)).toBe(equal);
    expect(semanticEqual(b, a)).toBe(equal);
  });
});

describe('owners', () => {
  const metadata = { name: 'web', uid: 'u1', resourceVersion: '1', creationTimestamp: '' };
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata };

  it('refer to their controller', () => {
    const owned = { ...metadata, uid: 'u2', ownerReferences: [controllerReference(owner)] };
    expect(controllerOf(owned)?.name).toBe('web');
    expect(isControlledBy(owned, owner)).toBe(true);
    expect(controllerOf(metadata)).toBeUndefined();
  });

  it('have a group', () => {
    expect(groupOf('apps/v1')).toBe('apps');
    expect(groupOf('v1')).toBe('');
  });
});
