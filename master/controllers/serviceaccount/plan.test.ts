import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServiceAccount } from '../../../shared/schema/kubernetes-types.ts';
import { planDefaultAccount } from './plan.ts';

test('a namespace without its account gets it, and an account is never changed', () => {
  fc.assert(
    fc.property(fc.string(), fc.object(), (namespace, fields) => {
      const made = planDefaultAccount(namespace, undefined);
      expect(made?.metadata).toMatchObject({ namespace, name: 'default' });
      expect(planDefaultAccount(namespace, { ...made, ...fields } as ServiceAccount)).toBe(
        undefined,
      );
    }),
  );
});
