import { expect, it } from 'vitest';
import type { ApiClient } from './api-client.ts';
import { MasterObjects } from './master-objects.ts';

const DEPLOYMENTS = {
  groupVersion: 'apps/v1',
  kind: 'Deployment',
  name: 'deployments',
  singularName: 'deployment',
  namespaced: true,
};
const WEB = { metadata: { name: 'web', namespace: 'shop' } };

function served(answer: object): MasterObjects {
  return new MasterObjects({ json: async () => answer } as unknown as ApiClient);
}

it('several objects are a List whose items say what they are, as kubectl prints them', async () => {
  const master = served({
    apiVersion: 'apps/v1',
    kind: 'DeploymentList',
    metadata: { resourceVersion: '7' },
    items: [WEB],
  });
  expect(await master.read(DEPLOYMENTS, { namespace: 'shop' })).toEqual({
    apiVersion: 'v1',
    kind: 'List',
    metadata: { resourceVersion: '' },
    items: [{ apiVersion: 'apps/v1', kind: 'Deployment', ...WEB }],
  });
});

it('one object is itself', async () => {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', ...WEB };
  const read = served(object).read(DEPLOYMENTS, { namespace: 'shop', name: 'web' });
  expect(await read).toEqual(object);
});
