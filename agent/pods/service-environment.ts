import type { ServicePort } from '../../shared/schema/kubernetes-types.ts';
import { bracketed } from '../../shared/url-host.ts';
import { type ServiceDocument, serviceDocumentKey } from '../../shared/wire/network-documents.ts';

/** Where the API server is found: every container has the variables of this one. */
const API_SERVICE = { namespace: 'default', name: 'kubernetes' };
export const API_SERVICE_KEY = serviceDocumentKey(API_SERVICE.namespace, API_SERVICE.name);

/**
 * The variables that tell a container of the services that were there when it was made (Kubernetes: Services, "Discovering services"):
 * `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, `WEB_SERVICE_PORT_<port name>` and the older `WEB_PORT_80_TCP` family, for the services of the
 * pod's namespace if it wants links, and always for default/kubernetes, unless the namespace has a `kubernetes` of its own. Services
 * without an address (headless, ExternalName) have none. Where two services make the same variable, the later by name wins.
 */
export function serviceEnvironment(
  services: readonly ServiceDocument[],
  { namespace, links }: { namespace: string; links: boolean },
): Map<string, string> {
  const chosen = new Map<string, ServiceDocument>();
  for (const service of services.filter(hasAddress)) {
    const { metadata } = service;
    const isOwn = links && metadata.namespace === namespace;
    const isApi =
      metadata.namespace === API_SERVICE.namespace && metadata.name === API_SERVICE.name;
    if (isOwn || (isApi && !chosen.has(metadata.name))) chosen.set(metadata.name, service);
  }
  const byName = [...chosen].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(byName.flatMap(([, service]) => variablesOf(service)));
}

function hasAddress({ spec }: ServiceDocument): boolean {
  const { clusterIP = '' } = spec ?? {};
  return clusterIP !== '' && clusterIP !== 'None';
}

function variablesOf({ metadata, spec }: ServiceDocument): [string, string][] {
  const { clusterIP = '', ports = [] } = spec ?? {};
  const [first] = ports;
  if (first === undefined) return [];
  const name = variableName(metadata.name);
  return [
    [`${name}_SERVICE_HOST`, clusterIP],
    [`${name}_SERVICE_PORT`, String(first.port)],
    ...ports.flatMap((port): [string, string][] =>
      port.name === undefined || port.name === ''
        ? []
        : [[`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]],
    ),
    [`${name}_PORT`, url(clusterIP, first)],
    ...ports.flatMap((port) => linkVariables(name, clusterIP, port)),
  ];
}

/** As Docker's links named them. */
function linkVariables(name: string, address: string, port: ServicePort): [string, string][] {
  const protocol = protocolOf(port);
  const prefix = `${name}_PORT_${port.port}_${protocol}`;
  return [
    [prefix, url(address, port)],
    [`${prefix}_PROTO`, protocol.toLowerCase()],
    [`${prefix}_PORT`, String(port.port)],
    [`${prefix}_ADDR`, address],
  ];
}

function url(address: string, port: ServicePort): string {
  return `${protocolOf(port).toLowerCase()}://${bracketed(address)}:${port.port}`;
}

function protocolOf({ protocol = 'TCP' }: ServicePort): string {
  return protocol.toUpperCase();
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
