import { expect, it } from 'vitest';
import {
  describeProxyBackend,
  serviceOf,
} from '../../../test/service-proxy/proxy-backend.contract.ts';

describeProxyBackend('userspace', ({ lab, backend }) => {
  it('puts back an address that somebody else removed', async () => {
    const node = { nodeIp: '192.0.2.1', podCidr: undefined, clusterCidr: undefined, hostPorts: [] };
    await backend().apply([serviceOf([2])], node);
    await lab.ip('node', ['addr del 10.43.0.7/32 dev lo']);
    expect(await backend().verify()).toBe(false);
    await backend().apply([serviceOf([2])], node);
    expect(await lab.ask('client', { address: '10.43.0.7', port: 80 })).toEqual([
      expect.stringMatching(/^pod-a/),
    ]);
    await backend().purge();
  });
});
