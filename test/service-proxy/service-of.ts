import type { PortPlan, ServicePlan } from '../../agent/network/service-proxy/proxy-plan.ts';

export const VIP = { address: '10.43.0.7', port: 80 };
export const NODE_PORT = { address: '192.0.2.1', port: 30_080 };
export const EXTERNAL = { address: '198.51.100.7', port: 80 };

/** A service in front of the pods with these last numbers: 2 is pod-a, 3 is pod-b, 4 is pod-c. */
export function serviceOf(
  pods: readonly number[],
  of: Partial<ServicePlan> & { port?: Partial<PortPlan> } = {},
): ServicePlan {
  const endpoints = pods.map((last) => ({ address: `10.42.0.${last}`, port: 8080 }));
  const { port, ...rest } = of;
  return {
    key: 'default/web',
    affinitySeconds: undefined,
    internalLocal: false,
    externalLocal: false,
    guard: undefined,
    healthCheck: undefined,
    ports: [
      {
        name: '',
        protocol: 'TCP',
        port: 80,
        clusterIps: [VIP.address],
        externalIps: [EXTERNAL.address],
        nodePort: NODE_PORT.port,
        cluster: endpoints,
        local: endpoints,
        hairpin: endpoints.map(({ address }) => address),
        ...port,
      },
    ],
    ...rest,
  };
}
