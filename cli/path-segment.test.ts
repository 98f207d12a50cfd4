import { expect, test } from 'vitest';
import { CommandFailure } from './command-failure.ts';
import { pathSegment } from './path-segment.ts';
import { type DiscoveredResource, resourcePath } from './resource-path.ts';

const PODS: DiscoveredResource = {
  groupVersion: 'v1',
  kind: 'Pod',
  name: 'pods',
  singularName: 'pod',
  namespaced: true,
};

test('a name stands in a path as it is, or escaped', () => {
  expect(pathSegment('resource name', 'system:node:a.b')).toBe('system%3Anode%3Aa.b');
  expect(pathSegment('resource name', 'a?b#c')).toBe('a%3Fb%23c');
  expect(pathSegment('resource name', '...')).toBe('...');
});

test.each([
  ['', 'resource name may not be empty'],
  ['.', `invalid resource name ".": [may not be '.']`],
  ['..', `invalid resource name "..": [may not be '..']`],
  ['a/b', `invalid resource name "a/b": [may not contain '/']`],
  ['a%2fb', `invalid resource name "a%2fb": [may not contain '%']`],
])('the name %j, which would make the path of something else, is refused', (name, sentence) => {
  expect(() => pathSegment('resource name', name)).toThrow(sentence);
  expect(() => resourcePath(PODS, 'default', name)).toThrow(CommandFailure);
  expect(() => resourcePath(PODS, name, 'a')).toThrow(CommandFailure);
});
