import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServicePort } from '../../shared/schema/kubernetes-types.ts';
import type { ServiceDocument } from '../../shared/wire/network-documents.ts';
import { serviceEnvironment } from './service-environment.ts';

function service(
  key: string,
  clusterIP: string | undefined,
  ports: ServicePort[],
  type = 'ClusterIP',
): ServiceDocument {
  const [namespace = '', name = ''] = key.split('/');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, uid: key },
    spec: { type, ports, ...(clusterIP !== undefined && { clusterIP }) },
  };
}

const api = service('default/kubernetes', '10.43.0.1', [
  { name: 'https', port: 443, protocol: 'TCP' },
]);
const apiVariables = {
  KUBERNETES_SERVICE_HOST: '10.43.0.1',
  KUBERNETES_SERVICE_PORT: '443',
  KUBERNETES_SERVICE_PORT_HTTPS: '443',
  KUBERNETES_PORT: 'tcp://10.43.0.1:443',
  KUBERNETES_PORT_443_TCP: 'tcp://10.43.0.1:443',
  KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
  KUBERNETES_PORT_443_TCP_PORT: '443',
  KUBERNETES_PORT_443_TCP_ADDR: '10.43.0.1',
};
const variables = (services: readonly ServiceDocument[], links = true, namespace = 'shop') =>
  Object.fromEntries(serviceEnvironment(services, { namespace, links }));

describe('serviceEnvironment', () => {
  it('tells every container where the API is', () => {
    expect(variables([api], false)).toEqual(apiVariables);
    expect(variables([api], true)).toEqual(apiVariables);
    expect(variables([api], false, 'default')).toEqual(apiVariables);
  });

  it('tells of the services of the namespace, with every port', () => {
    const dns = service('shop/my-dns', '10.43.0.7', [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
    ]);
    expect(variables([api, dns])).toEqual({
      ...apiVariables,
      MY_DNS_SERVICE_HOST: '10.43.0.7',
      MY_DNS_SERVICE_PORT: '53',
      MY_DNS_SERVICE_PORT_DNS: '53',
      MY_DNS_SERVICE_PORT_DNS_TCP: '53',
      MY_DNS_PORT: 'udp://10.43.0.7:53',
      MY_DNS_PORT_53_UDP: 'udp://10.43.0.7:53',
      MY_DNS_PORT_53_UDP_PROTO: 'udp',
      MY_DNS_PORT_53_UDP_PORT: '53',
      MY_DNS_PORT_53_UDP_ADDR: '10.43.0.7',
      MY_DNS_PORT_53_TCP: 'tcp://10.43.0.7:53',
      MY_DNS_PORT_53_TCP_PROTO: 'tcp',
      MY_DNS_PORT_53_TCP_PORT: '53',
      MY_DNS_PORT_53_TCP_ADDR: '10.43.0.7',
    });
  });

  it('a port without a name has no variable of its name', () => {
    const web = service('shop/web', '10.43.0.8', [{ port: 80, protocol: 'TCP' }]);
    expect(Object.keys(variables([web])).filter((name) => name.includes('_SERVICE_'))).toEqual([
      'WEB_SERVICE_HOST',
      'WEB_SERVICE_PORT',
    ]);
  });

  it('writes an IPv6 address in brackets where a port follows', () => {
    const web = service('shop/web', 'fd00::8', [{ port: 80, protocol: 'TCP' }]);
    const found = variables([web]);
    expect(found).toMatchObject({
      WEB_SERVICE_HOST: 'fd00::8',
      WEB_PORT: 'tcp://[fd00::8]:80',
      WEB_PORT_80_TCP_ADDR: 'fd00::8',
    });
  });

  it('leaves out what has no address, what is elsewhere, and all but the API for a pod without links', () => {
    const port = [{ port: 80 }];
    const others = [
      service('shop/headless', 'None', port),
      service('shop/outside', undefined, port, 'ExternalName'),
      service('other/web', '10.43.0.9', port),
      service('default/web', '10.43.0.10', port),
    ];
    expect(variables([...others, api])).toEqual(apiVariables);
    const own = service('shop/web', '10.43.0.11', port);
    expect(variables([...others, own, api], false)).toEqual(apiVariables);
  });

  it('a kubernetes of the namespace hides that of default, but not from a pod without links', () => {
    const own = service('shop/kubernetes', '10.43.0.99', [{ port: 6443 }]);
    expect(variables([own, api])['KUBERNETES_SERVICE_HOST']).toBe('10.43.0.99');
    expect(variables([own, api])['KUBERNETES_SERVICE_PORT_HTTPS']).toBeUndefined();
    expect(variables([api, own])).toEqual(variables([own, api]));
    expect(variables([own, api], false)).toEqual(apiVariables);
  });
});

describe('whatever the services are', () => {
  const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,6}[a-z0-9])?$/);
  const port = fc.record({
    name: fc.option(label, { nil: '' }),
    port: fc.integer({ min: 1, max: 65_535 }),
    protocol: fc.constantFrom('TCP', 'UDP', 'SCTP'),
  });
  const anyService = fc
    .tuple(
      fc.constantFrom('default', 'shop', 'other'),
      fc.oneof(label, fc.constantFrom('kubernetes', 'a', 'a-service')),
      fc.oneof(
        fc.constantFrom('None', '', undefined),
        fc.ipV4().map((ip) => ip),
      ),
      fc.array(port, { maxLength: 3 }),
    )
    .map(([namespace, name, ip, ports]) => service(`${namespace}/${name}`, ip, ports));
  const anyServices = fc.uniqueArray(anyService, {
    selector: ({ metadata }) => metadata.uid,
    maxLength: 8,
  });

  it('the order in which they are known makes no difference', () => {
    fc.assert(
      fc.property(anyServices, fc.boolean(), (services, links) => {
        expect(variables([...services].reverse(), links)).toEqual(variables(services, links));
      }),
    );
  });

  it('names are fit for a shell, and each service with an address has its host', () => {
    fc.assert(
      fc.property(anyServices, (services) => {
        const found = variables(services);
        for (const name of Object.keys(found)) expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
        for (const { metadata, spec } of services) {
          if (metadata.namespace !== 'shop' || !spec?.clusterIP || spec.clusterIP === 'None')
            continue;
          if (spec.ports?.length === 0) continue;
          const name = metadata.name.toUpperCase().replaceAll('-', '_');
          expect(found[`${name}_SERVICE_HOST`]).toBe(spec.clusterIP);
        }
      }),
    );
  });
});
