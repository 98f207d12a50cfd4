import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ConfigMap } from '../../../shared/schema/kubernetes-types.ts';
import { planRootCa } from './plan.ts';

const entries = fc.dictionary(fc.constantFrom('ca.crt', 'other'), fc.constantFrom('CA', 'x', ''));
const changes = fc.record(
  { data: entries, binaryData: fc.dictionary(fc.constantFrom('ca.crt', 'b'), fc.constant('eA==')) },
  { requiredKeys: [] },
);
const annotations = fc.dictionary(
  fc.constantFrom('kubernetes.io/description', 'own'),
  fc.constantFrom('mine', ''),
);

test('whatever was done to the map, it is right after one write, and then left alone', () => {
  fc.assert(
    fc.property(changes, annotations, (change, own) => {
      const made = planRootCa('CA', 'n', undefined) as ConfigMap;
      expect(planRootCa('CA', 'n', made)).toBeUndefined();
      const { data: _, ...bare } = made;
      const changed: ConfigMap = {
        ...bare,
        ...change,
        metadata: { ...made.metadata, labels: { team: 'a' }, annotations: own },
      };
      const mended = planRootCa('CA', 'n', changed) ?? changed;
      expect(mended.data).toEqual({ 'ca.crt': 'CA' });
      expect(Object.keys(mended.binaryData ?? {})).toEqual([]);
      expect(mended.metadata.annotations?.['kubernetes.io/description']).toMatch(/./);
      expect(mended.metadata.labels).toEqual({ team: 'a' });
      expect(mended.metadata.annotations?.['own']).toBe(own['own']);
      expect(planRootCa('CA', 'n', mended)).toBeUndefined();
    }),
  );
});

test('another certificate authority is published, and own words of the description stay', () => {
  const map = planRootCa('old', 'n', undefined) as ConfigMap;
  const described: ConfigMap = {
    ...map,
    metadata: { ...map.metadata, annotations: { 'kubernetes.io/description': 'mine' } },
  };
  expect(planRootCa('old', 'n', described)).toBeUndefined();
  expect(planRootCa('new', 'n', map)?.data).toEqual({ 'ca.crt': 'new' });
});
