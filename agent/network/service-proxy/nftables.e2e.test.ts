import fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeProxyBackend } from '../../../test/service-proxy/proxy-backend.contract.ts';
import { serviceOf } from '../../../test/service-proxy/service-of.ts';

const NODE = {
  nodeIp: '192.0.2.1',
  podCidr: '10.42.0.0/24',
  clusterCidr: '10.42.0.0/16',
  hostPorts: [],
};
const VIP = { address: '10.43.0.7', port: 80 };

describeProxyBackend('nftables', ({ lab, backend }) => {
  it('keeps the source of what comes from outside under externalTrafficPolicy: Local', async () => {
    await backend().apply([serviceOf([2], { externalLocal: true })], NODE);
    const nodePort = { address: '192.0.2.1', port: 30_080 };
    expect(await lab.ask('client', nodePort)).toEqual(['pod-a 192.0.2.2']);
    await backend().apply([serviceOf([2])], NODE);
    expect(await lab.ask('client', nodePort)).toEqual(['pod-a 192.0.2.1']);
    expect(await lab.ask('pod-b', VIP)).toEqual(['pod-a 10.42.0.3']);
  });

  it('sends nothing back for a local policy without local endpoints', async () => {
    await backend().apply([serviceOf([2], { externalLocal: true, port: { local: [] } })], NODE);
    expect(await lab.ask('client', { address: '192.0.2.1', port: 30_080 })).toEqual(['ETIMEDOUT']);
    expect(await lab.ask('pod-b', { address: '192.0.2.1', port: 30_080 })).toHaveLength(1);
  });

  it('loads everything anew with the next change after a foreign flush', async () => {
    await backend().apply([serviceOf([2])], NODE);
    await lab.in('node', 'nft', ['flush', 'ruleset']);
    await backend().apply([serviceOf([3])], NODE);
    expect(await lab.ask('client', VIP)).toEqual([expect.stringMatching(/^pod-b/)]);
    await lab.in('node', 'nft', ['flush', 'ruleset']);
    expect(await backend().verify()).toBe(false);
    await backend().apply([serviceOf([3])], NODE);
    expect(await lab.ask('client', VIP)).toEqual([expect.stringMatching(/^pod-b/)]);
  });

  it('finds a rule that was removed by hand', async () => {
    const table = (await lab.in('node', 'nft', ['list', 'tables'])).trim().split(' ')[2] ?? '';
    await lab.in('node', 'nft', ['flush', 'chain', 'ip', table, 'nat-postrouting']);
    expect(await backend().verify()).toBe(false);
    await backend().apply([serviceOf([3])], NODE);
    expect(await backend().verify()).toBe(true);
  });

  it('keeps the old rules when nft refuses the new ones', async () => {
    await backend().apply([serviceOf([2])], NODE);
    const broken = serviceOf([3], { port: { port: 70_000 } });
    await expect(backend().apply([broken], NODE)).rejects.toThrow(/nft: .*Error/);
    expect(await lab.ask('client', VIP)).toEqual([expect.stringMatching(/^pod-a/)]);
    await backend().apply([serviceOf([3])], NODE);
    expect(await lab.ask('client', VIP)).toEqual([expect.stringMatching(/^pod-b/)]);
  });

  it('reads back from the kernel what the plan says, after any sequence of plans', async () => {
    const pods = fc.uniqueArray(fc.integer({ min: 2, max: 6 }));
    const service = fc.record({
      number: fc.integer({ min: 1, max: 4 }),
      cluster: pods,
      local: pods,
      protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
      affinitySeconds: fc.constantFrom(undefined, 60, 7200),
      internalLocal: fc.boolean(),
      externalLocal: fc.boolean(),
      isExternal: fc.boolean(),
      ranges: fc.uniqueArray(fc.constantFrom('10.42.0.0/16', '192.0.2.2/32', '203.0.113.0/24')),
    });
    const plans = fc.array(fc.uniqueArray(service, { selector: ({ number }) => number }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(plans, async (sequence) => {
        for (const services of sequence) {
          const planned = services.map(
            ({ number, cluster, local, protocol, isExternal, ranges, ...rest }) => {
              const guard =
                ranges.length > 0 ? { addresses: [`198.51.100.${number}`], ranges } : undefined;
              const made = serviceOf(cluster, { key: `default/s${number}`, guard, ...rest });
              const port = {
                ...made.ports[0]!,
                protocol,
                local: serviceOf(local).ports[0]!.local,
                clusterIps: [`10.43.0.${number}`],
                externalIps: isExternal ? [`198.51.100.${number}`] : [],
                nodePort: isExternal ? 30_000 + number : undefined,
              };
              return { ...made, ports: [port] };
            },
          );
          expect(await backend().apply(planned, NODE)).toEqual([]);
          expect(await backend().verify()).toBe(true);
        }
      }),
      { numRuns: 15 },
    );
    await backend().purge();
  });

  it('leaves the table of another agent alone', async () => {
    await lab.in('node', 'nft', ['-f', '-'], 'table ip skerry-other { chain keep { accept; }; }');
    await backend().apply([serviceOf([2, 3])], NODE);
    await backend().purge();
    expect(await lab.in('node', 'nft', ['list', 'ruleset'])).toMatch(/^table ip skerry-other/);
    await lab.in('node', 'nft', ['delete', 'table', 'ip', 'skerry-other']);
  });

  it('leads a host port to its pod, from outside and from the pod itself', async () => {
    const port = { protocol: 'TCP', podIp: '10.42.0.2', containerPort: 8080 } as const;
    const hostPorts = [
      { ...port, hostIp: undefined, hostPort: 8888 },
      { ...port, hostIp: '192.0.2.1', hostPort: 8889 },
    ];
    await backend().apply([], { ...NODE, hostPorts });
    for (const from of ['client', 'node', 'pod-a', 'pod-b']) {
      for (const number of [8888, 8889]) {
        const answers = await lab.ask(from, { address: '192.0.2.1', port: number });
        expect(answers, `${from} ${number}`).toEqual([expect.stringMatching(/^pod-a/)]);
      }
    }
    await backend().apply([], NODE);
    expect(await lab.ask('client', { address: '192.0.2.1', port: 8888 })).toEqual(['ECONNREFUSED']);
  });
});
