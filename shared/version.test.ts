import { expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import { KUBERNETES_VERSION, SKERRY_VERSION } from './version.ts';

test('the version is that of package.json', () => {
  expect(SKERRY_VERSION).toBe(packageJson.version);
});

test('the Kubernetes version is a semantic version with build metadata', () => {
  expect(KUBERNETES_VERSION).toMatch(/^v1\.33\.\d+\+skerry\.\d+\.\d+\.\d+$/);
});
