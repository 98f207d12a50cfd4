import { describe, expect, it } from 'vitest';
import { admittedSources } from './proxy-plan.ts';
import { readService } from './saved-services.ts';

const balancer = (spec: object, ingress: object[] = [{ ip: '198.51.100.7' }]) =>
  readService({
    metadata: { namespace: 'default', name: 'web' },
    spec: { type: 'LoadBalancer', clusterIP: '10.43.0.7', ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress } },
  });

describe('the addresses of a load balancer', () => {
  it('are served like external IPs unless the balancer is a proxy', () => {
    const ingress = [
      { ip: '198.51.100.7' },
      { ip: '198.51.100.8', ipMode: 'VIP' },
      { ip: '198.51.100.9', ipMode: 'Proxy' },
      { hostname: 'lb.example.org' },
    ];
    const read = balancer({ externalIPs: ['203.0.113.1', '10.43.0.7'] }, ingress);
    expect(read.externalIps).toEqual(['203.0.113.1', '198.51.100.7', '198.51.100.8']);
    expect(read.balancerIps).toEqual(['198.51.100.7', '198.51.100.8']);
  });

  it('are those of no other type', () => {
    expect(balancer({ type: 'NodePort' }).externalIps).toEqual([]);
  });
});

describe('source ranges', () => {
  const ranges = (...loadBalancerSourceRanges: string[]) =>
    balancer({ loadBalancerSourceRanges }).sourceRanges;

  it('are apart: the wider holds the narrower', () => {
    expect(ranges('10.1.0.0/16', ' 10.0.0.0/8 ', '192.0.2.1/32', '10.0.0.0/8')).toEqual([
      '10.0.0.0/8',
      '192.0.2.1/32',
    ]);
  });

  it('say nothing when they hold everybody, or only the other family', () => {
    expect(ranges('0.0.0.0/0', '10.0.0.0/8')).toEqual([]);
    expect(ranges('2001:db8::/32')).toEqual([]);
  });

  it('admit a node that has the address itself as they admit the node', () => {
    const guard = { addresses: ['198.51.100.7'], ranges: ['192.0.2.0/24'] };
    expect(admittedSources(guard, '198.51.100.7', '192.0.2.1')).toEqual([
      '192.0.2.0/24',
      '198.51.100.7/32',
    ]);
    expect(admittedSources(guard, '198.51.100.7', '203.0.113.1')).toEqual(['192.0.2.0/24']);
  });
});
