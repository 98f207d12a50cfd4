import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ContainerPort, Pod } from '../../shared/schema/kubernetes-types.ts';
import { hostPortsOf } from './host-ports.ts';

function running(uid: string, ports: ContainerPort[], more: Partial<Pod['spec']> = {}) {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: uid, namespace: 'default', uid, resourceVersion: '1', creationTimestamp },
    spec: { containers: [{ name: 'c', ports }], ...more },
    status: {},
  };
  return { pod, address: `10.42.0.${uid.charCodeAt(0) - 90}` };
}

test('a port is published on every address, or on the one that is named', () => {
  const ports = [
    { containerPort: 80, hostPort: 8080 },
    { containerPort: 53, hostPort: 53, hostIP: '192.0.2.1', protocol: 'UDP' },
    { containerPort: 81, hostPort: 8081, hostIP: '0.0.0.0' },
    { containerPort: 82 },
  ];
  const to = { podIp: '10.42.0.7' };
  expect(hostPortsOf([running('a', ports)])).toEqual([
    { ...to, protocol: 'TCP', hostIp: undefined, hostPort: 8080, containerPort: 80 },
    { ...to, protocol: 'UDP', hostIp: '192.0.2.1', hostPort: 53, containerPort: 53 },
    { ...to, protocol: 'TCP', hostIp: undefined, hostPort: 8081, containerPort: 81 },
  ]);
});

test("a pod on the host's network needs no rule", () => {
  const ports = [{ containerPort: 80, hostPort: 80 }];
  expect(hostPortsOf([running('a', ports, { hostNetwork: true })])).toEqual([]);
});

test('a port that several pods want is that of the first, whatever their order', () => {
  const port = fc.record({
    containerPort: fc.integer({ min: 1, max: 9 }),
    hostPort: fc.integer({ min: 1, max: 3 }),
    protocol: fc.constantFrom('TCP', 'UDP'),
    hostIP: fc.constantFrom('', '192.0.2.1', '0.0.0.0'),
  });
  const ports = fc.array(port, { maxLength: 4 });
  fc.assert(
    fc.property(ports, ports, ports, (a, b, c) => {
      const pods = [running('a', a), running('b', b), running('c', c)];
      const published = hostPortsOf(pods);
      const places = published.map((one) => `${one.protocol} ${one.hostIp} ${one.hostPort}`);
      expect(new Set(places).size).toBe(places.length);
      expect(hostPortsOf([...pods].reverse())).toEqual(published);
      const first = a[0]?.hostPort;
      if (first !== undefined)
        expect(published[0]).toMatchObject({ podIp: '10.42.0.7', hostPort: first });
    }),
  );
});
