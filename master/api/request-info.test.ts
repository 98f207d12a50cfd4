import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestInfo } from './request-info.ts';

function info(method: string, target: string) {
  const url = new URL(target, 'https://api.invalid');
  return requestInfo(method, url.pathname, url.searchParams);
}

test.each([
  ['GET', '/api/v1/namespaces', ['list', '', 'v1', '', 'namespaces', '', '']],
  ['GET', '/api/v1/namespaces/a', ['get', '', 'v1', 'a', 'namespaces', '', 'a']],
  ['PUT', '/api/v1/namespaces/a/status', ['update', '', 'v1', 'a', 'namespaces', 'status', 'a']],
  [
    'PUT',
    '/api/v1/namespaces/a/finalize',
    ['update', '', 'v1', 'a', 'namespaces', 'finalize', 'a'],
  ],
  ['GET', '/api/v1/namespaces/a/pods', ['list', '', 'v1', 'a', 'pods', '', '']],
  ['POST', '/api/v1/namespaces/a/pods', ['create', '', 'v1', 'a', 'pods', '', '']],
  ['GET', '/api/v1/namespaces/a/pods/p', ['get', '', 'v1', 'a', 'pods', '', 'p']],
  ['HEAD', '/api/v1/namespaces/a/pods/p', ['get', '', 'v1', 'a', 'pods', '', 'p']],
  ['GET', '/api/v1/namespaces/a/pods/p/log', ['get', '', 'v1', 'a', 'pods', 'log', 'p']],
  [
    'POST',
    '/api/v1/namespaces/a/pods/p/binding',
    ['create', '', 'v1', 'a', 'pods', 'binding', 'p'],
  ],
  ['GET', '/api/v1/pods?watch=1', ['watch', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/pods?watch=True', ['watch', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/pods?watch', ['watch', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/pods?watch=false', ['list', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/pods?watch=0', ['list', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/watch/pods', ['watch', '', 'v1', '', 'pods', '', '']],
  ['GET', '/api/v1/watch/namespaces/a/pods/p', ['watch', '', 'v1', 'a', 'pods', '', 'p']],
  ['DELETE', '/api/v1/namespaces/a/pods', ['deletecollection', '', 'v1', 'a', 'pods', '', '']],
  ['DELETE', '/api/v1/nodes/n', ['delete', '', 'v1', '', 'nodes', '', 'n']],
  [
    'PATCH',
    '/apis/apps/v1/namespaces/a/deployments/d/scale',
    ['patch', 'apps', 'v1', 'a', 'deployments', 'scale', 'd'],
  ],
  ['GET', '/apis/apps/v1/deployments/', ['list', 'apps', 'v1', '', 'deployments', '', '']],
] as const)('%s %s names what it asks for', (method, target, expected) => {
  const found = info(method, target);
  expect(found.isResource).toBe(true);
  if (!found.isResource) return;
  const { verb, group, version, namespace, resource, subresource, name } = found;
  expect([verb, group, version, namespace, resource, subresource, name]).toEqual(expected);
});

test.each([
  ['GET', '/api'],
  ['GET', '/api/v1'],
  ['GET', '/apis/apps/v1'],
  ['GET', '/version'],
  ['OPTIONS', '/api/v1/pods'],
  ['GET', '/api/v1/namespaces/a/pods/p/log/more'],
  ['GET', '/api/v1/nodes/n/status/more'],
])('%s %s is no request for a resource', (method, target) => {
  expect(info(method, target)).toEqual({
    isResource: false,
    path: target,
    verb: method.toLowerCase(),
  });
});

test('any path has an answer', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (parts) => {
      const path = `/${parts.join('/')}`;
      expect(requestInfo('GET', path, new URLSearchParams()).path).toBe(path);
    }),
  );
});
