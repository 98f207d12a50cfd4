import { expect, test } from 'vitest';
import { authorize } from './authorize.ts';
import { requestInfo } from './request-info.ts';

const admin = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
const node = { name: 'system:node:a', groups: ['system:nodes', 'system:authenticated'] };
const jane = { name: 'jane', groups: ['system:authenticated'] };

function decide(user: typeof admin | undefined, method: string, target: string): string {
  const url = new URL(target, 'https://api.invalid');
  try {
    authorize(user, requestInfo(method, url.pathname, url.searchParams));
    return 'allowed';
  } catch (error) {
    return (error as Error).message;
  }
}

test.each([
  [admin, 'DELETE', '/api/v1/nodes/n', 'allowed'],
  [admin, 'GET', '/anything', 'allowed'],
  [undefined, 'GET', '/api/v1/pods', 'Unauthorized'],
  [undefined, 'GET', '/openapi/v2', 'Unauthorized'],
  [undefined, 'POST', '/skerry/v1/renew', 'Unauthorized'],
  [undefined, 'GET', '/healthz', 'allowed'],
  [undefined, 'GET', '/livez', 'allowed'],
  [undefined, 'GET', '/readyz/ping', 'allowed'],
  [undefined, 'GET', '/version/', 'allowed'],
  [undefined, 'GET', '/skerry/v1/ca', 'allowed'],
  [undefined, 'POST', '/skerry/v1/enrol', 'allowed'],
  [node, 'POST', '/skerry/v1/renew', 'allowed'],
  [
    node,
    'GET',
    '/skerry/v1/renew',
    'forbidden: User "system:node:a" cannot get path "/skerry/v1/renew"',
  ],
  [
    node,
    'GET',
    '/api/v1/namespaces/default/pods',
    'pods is forbidden: User "system:node:a" cannot list resource "pods" in API group "" in the namespace "default"',
  ],
  [
    jane,
    'GET',
    '/api/v1/nodes/n',
    'nodes "n" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope',
  ],
  [
    jane,
    'PATCH',
    '/apis/apps/v1/namespaces/a/deployments/d/scale',
    'deployments.apps "d" is forbidden: User "jane" cannot patch resource "deployments/scale" in API group "apps" in the namespace "a"',
  ],
  [jane, 'POST', '/skerry/v1/renew', 'forbidden: User "jane" cannot post path "/skerry/v1/renew"'],
] as const)('%j %s %s: %s', (user, method, target, expected) => {
  expect(decide(user as typeof admin | undefined, method, target)).toBe(expected);
});
