import { isIpv4 } from '../shared/meta/cidr.ts';
import { machineName } from './host/machine-name.ts';

/** Everything an agent can be told; each with its option of `skerry up` and `skerry agent`. */
export interface AgentConfig {
  /** --data-dir: the agent's state lies in its folder `agent`. */
  dataDir: string;
  /** --runtime: `auto` is podman if it works, else containerd. */
  runtime: 'auto' | 'podman' | 'containerd';
  /** --node-name; by default the machine's name. */
  nodeName: string;
  /** --node-ip; absent: the address of the default route, else the one that the link to the master uses. */
  nodeIp: string | undefined;
}

/** The options as text. */
export interface AgentOptions {
  'data-dir'?: string | undefined;
  runtime?: string | undefined;
  'node-name'?: string | undefined;
  'node-ip'?: string | undefined;
}

/** An option that cannot be right; the message is one sentence that names it. */
export class AgentConfigError extends Error {}

/** RFC 1123 subdomain: what Kubernetes takes as a node's name. */
const NODE_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Throws AgentConfigError. */
export function readAgentConfig(options: AgentOptions, machine = machineName()): AgentConfig {
  const runtime = options.runtime ?? 'auto';
  if (runtime !== 'auto' && runtime !== 'podman' && runtime !== 'containerd') {
    throw new AgentConfigError(`--runtime ${runtime}: expected podman, containerd or auto`);
  }
  const nodeName = options['node-name'] ?? asNodeName(machine);
  if (!NODE_NAME.test(nodeName)) {
    throw new AgentConfigError(
      `--node-name ${nodeName}: expected lower case letters, digits, - and ., as in a host name`,
    );
  }
  const nodeIp = options['node-ip'];
  if (nodeIp !== undefined && !isIpv4(nodeIp)) {
    throw new AgentConfigError(`--node-ip ${nodeIp}: expected an IPv4 address of this machine`);
  }
  return { dataDir: options['data-dir'] ?? '/var/lib/skerry', runtime, nodeName, nodeIp };
}

/** A machine's name with what a node's name may not have replaced: `My_Pi` is `my-pi`. */
function asNodeName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9.-]/g, '-')
      .replaceAll(/^[-.]+|[-.]+$/g, '') || 'node'
  );
}
