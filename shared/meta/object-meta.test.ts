import { describe, expect, it } from 'vitest';
import type { ObjectMeta } from '../schema/kubernetes-types.ts';
import { carriedMetadata, newMetadata, statusMetadata } from './carried-metadata.ts';
import { nameIsDnsSubdomain } from './names.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const meta = (fields: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name: 'web',
  namespace: 'default',
  uid: 'u1',
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...fields,
});
const found = (fields: Partial<ObjectMeta>, isNamespaced = true): string[] =>
  validateObjectMeta(meta(fields), isNamespaced, nameIsDnsSubdomain).map(
    ({ field, message }) => `${field}: ${message}`,
  );

describe('metadata', () => {
  it('is right with a name and a namespace', () => {
    expect(found({ labels: { app: 'web' }, finalizers: ['example.com/keep', 'orphan'] })).toEqual(
      [],
    );
  });

  it.each([
    [{ name: '' }, 'metadata.name: Required value: name or generateName is required'],
    [{ namespace: '' }, 'metadata.namespace: Required value'],
    [
      { finalizers: ['keep'] },
      'metadata.finalizers[0]: Invalid value: "keep": name is neither a standard finalizer name nor is it fully qualified',
    ],
    [
      { annotations: { a: 'x'.repeat(262_144) } },
      'metadata.annotations: Too long: may not be more than 262144 bytes',
    ],
    [
      { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: '' }] },
      'metadata.ownerReferences.uid: Invalid value: "": uid must not be empty',
    ],
  ])('%j is refused', (fields, message) => {
    expect(found(fields)).toEqual([message]);
  });

  it('of a cluster-scoped object has no namespace', () => {
    expect(found({}, false)).toEqual(['metadata.namespace: Forbidden: not allowed on this type']);
  });

  it('names one controller at most', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };
    expect(found({ ownerReferences: [owner, owner] })[0]).toContain(
      'Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/p',
    );
  });
});

describe('an update of metadata', () => {
  const messages = (next: Partial<ObjectMeta>, previous: Partial<ObjectMeta> = {}): string[] =>
    validateObjectMetaUpdate(meta(next), meta(previous)).map(
      ({ field, message }) => `${field}: ${message}`,
    );

  it('keeps name and uid', () => {
    expect(messages({ name: 'other', uid: 'u2' })).toEqual([
      'metadata.name: Invalid value: "other": field is immutable',
      'metadata.uid: Invalid value: "u2": field is immutable',
    ]);
  });

  it('adds no finalizer to what is being deleted', () => {
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    expect(messages({ deletionTimestamp, finalizers: ['a.b/c'] }, { deletionTimestamp })).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
    ]);
  });

  it('carries over what no client may change', () => {
    const previous = meta({
      generation: 3,
      deletionTimestamp: 't',
      deletionGracePeriodSeconds: 30,
    });
    const next = meta({ uid: '', creationTimestamp: 'x', generation: 99, labels: { a: 'b' } });
    expect(carriedMetadata(next, previous, true)).toEqual({
      ...previous,
      generation: 4,
      labels: { a: 'b' },
    });
    expect(carriedMetadata(next, previous, false).generation).toBe(3);
    expect(carriedMetadata(next, meta())).not.toHaveProperty('generation');
  });

  it('of the status leaves the owners alone', () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' };
    const previous = meta({ ownerReferences: [owner] });
    expect(statusMetadata(meta(), previous).ownerReferences).toEqual([owner]);
    expect(statusMetadata(previous, meta())).not.toHaveProperty('ownerReferences');
  });

  it('begins with generation 1 where there is one', () => {
    expect(newMetadata(meta({ generation: 7 }), 1).generation).toBe(1);
    expect(newMetadata(meta({ generation: 7 }))).not.toHaveProperty('generation');
  });
});
