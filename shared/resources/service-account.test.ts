import { describe, expect, it } from 'vitest';
import type { ServiceAccount } from '../schema/kubernetes-types.ts';
import { SERVICE_ACCOUNTS } from './service-account.ts';
import { cells, created, createErrors, sent, updated, updateErrors } from './writes-for-tests.ts';

const account = (fields: object): ServiceAccount => sent<ServiceAccount>(fields);

describe('a service account', () => {
  it('keeps only the names of its secrets, at creation and at updates', () => {
    const sentAccount = account({
      secrets: [{ kind: 'Secret', namespace: 'elsewhere', name: 'a' }, {}],
      imagePullSecrets: [{ name: 'b' }],
      automountServiceAccountToken: false,
    });
    const stored = created(SERVICE_ACCOUNTS, sentAccount);
    expect(stored).toMatchObject({
      imagePullSecrets: [{ name: 'b' }],
      automountServiceAccountToken: false,
    });
    expect(stored.secrets).toEqual([{ name: 'a' }, {}]);
    const next = { ...stored, secrets: [{ name: 'c', uid: 'u' }] };
    expect(updated(SERVICE_ACCOUNTS, next, stored).secrets).toEqual([{ name: 'c' }]);
  });

  it('is named like a DNS subdomain, and keeps its name', () => {
    expect(createErrors(SERVICE_ACCOUNTS, account({ metadata: { name: 'a.b' } }))).toEqual([]);
    expect(createErrors(SERVICE_ACCOUNTS, account({ metadata: { name: 'A' } }))).toEqual([
      expect.stringContaining('metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain'),
    ]);
    const stored = created(SERVICE_ACCOUNTS, account({}));
    const renamed = { ...stored, metadata: { ...stored.metadata, name: 'other' } };
    expect(updateErrors(SERVICE_ACCOUNTS, renamed, stored)).toEqual([
      expect.stringContaining('field is immutable'),
    ]);
  });

  it('warns of the annotation that is on its way out', () => {
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    const { warnings } = SERVICE_ACCOUNTS.strategy;
    expect(warnings?.(account({}))).toEqual([]);
    expect(warnings?.(account({ metadata: { annotations } }))).toEqual([
      'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
    ]);
  });

  it('shows the number of its secrets', () => {
    expect(cells(SERVICE_ACCOUNTS, account({}))).toMatchObject({ Name: 'web', Secrets: 0 });
    expect(cells(SERVICE_ACCOUNTS, account({ secrets: [{ name: 'a' }] }))).toMatchObject({
      Secrets: 1,
    });
  });
});
