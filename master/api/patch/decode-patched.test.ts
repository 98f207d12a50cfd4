import { describe, expect, test } from 'vitest';
import { decodePatched } from './decode-patched.ts';

const DEPLOYMENT = { group: 'apps', version: 'v1', kind: 'Deployment' };

describe('a patch that does not fit the kind', () => {
  test('an unknown field under Strict is 422 on the patch', () => {
    const patch = { spec: { foo: 'bar' } };
    expect(() =>
      decodePatched(DEPLOYMENT, patch, { fieldValidation: 'Strict', strategic: patch }),
    ).toThrow(
      expect.objectContaining({
        code: 422,
        message:
          ' "" is invalid: patch: Invalid value: "map[spec:map[foo:bar]]": strict decoding error: unknown field "spec.foo"',
      }),
    );
  });

  test('a wrong type is told in the words of the kind of patch', () => {
    const patch = { spec: { replicas: 'x' } };
    expect(() =>
      decodePatched(DEPLOYMENT, patch, { fieldValidation: 'Ignore', strategic: patch }),
    ).toThrow('patch: Invalid value: "map[spec:map[replicas:x]]": unrecognized type: int32');
    expect(() =>
      decodePatched(DEPLOYMENT, patch, { fieldValidation: 'Ignore', strategic: undefined }),
    ).toThrow(
      'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    );
  });

  test('Warn keeps the finding as a warning', () => {
    const { warnings, object } = decodePatched(
      DEPLOYMENT,
      { foo: 1 },
      { fieldValidation: 'Warn', strategic: undefined },
    );
    expect(warnings).toEqual(['unknown field "foo"']);
    expect(object).not.toHaveProperty('foo');
  });
});
