import { expect, it } from 'vitest';
import { describeProxyBackend } from '../../../test/service-proxy/proxy-backend.contract.ts';
import { serviceOf } from '../../../test/service-proxy/service-of.ts';

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

  it('carries 5,000 services, and removes them', async () => {
    const node = { nodeIp: '192.0.2.1', podCidr: undefined, clusterCidr: undefined, hostPorts: [] };
    const address = (index: number) => `10.43.${1 + (index >> 8)}.${index & 255}`;
    const services = Array.from({ length: 5_000 }, (_, index) =>
      serviceOf([2], {
        key: `default/s${index}`,
        port: { clusterIps: [address(index)], externalIps: [], nodePort: undefined },
      }),
    );
    expect(await backend().apply(services, node)).toEqual([]);
    for (const index of [0, 2_500, 4_999]) {
      const answers = await lab.ask('client', { address: address(index), port: 80 });
      expect(answers).toEqual([expect.stringMatching(/^pod-a/)]);
    }
    expect(await backend().verify()).toBe(true);
    await backend().purge();
    expect(await lab.in('node', 'ip', ['-4', 'addr', 'show', 'dev', 'lo'])).not.toContain('10.43');
  });
});
