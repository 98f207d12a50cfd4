import { type Cidr, cidrSize, cidrsOverlap, formatCidr, parseCidr } from '../shared/meta/cidr.ts';

/** Everything a master can be told; each with its option of `skerry up` and `skerry master`. */
export interface MasterConfig {
  /** --data-dir: the master's state lies in its folder `master`. */
  dataDir: string;
  /** --listen HOST:PORT. */
  listen: { host: string; port: number };
  /** --kubeconfig: where the administrator's goes. */
  kubeconfig: string;
  /** --advertise-address: how devices and clients reach this master; absent: the address of the default route. */
  advertiseAddress: string | undefined;
  /** --cluster-cidr: pod addresses. */
  clusterCidr: Cidr;
  /** --node-cidr-mask-size: prefix length of one node's part of them. */
  nodeCidrMaskSize: number;
  /** --service-cidr: addresses of services. */
  serviceCidr: Cidr;
}

/** The options as text, as the command line or a configuration file has them. */
export interface MasterOptions {
  'data-dir'?: string | undefined;
  listen?: string | undefined;
  kubeconfig?: string | undefined;
  'advertise-address'?: string | undefined;
  'cluster-cidr'?: string | undefined;
  'node-cidr-mask-size'?: string | undefined;
  'service-cidr'?: string | undefined;
}

/** An option that cannot be right; the message is one sentence that names it. */
export class ConfigError extends Error {}

const DEFAULT_DATA_DIR = '/var/lib/skerry';
/** Kubernetes' limit for the range of services; a larger one cannot be searched for a free address in good time. */
const LARGEST_SERVICE_RANGE = 2 ** 20;

/** Throws ConfigError. */
export function readMasterConfig(options: MasterOptions): MasterConfig {
  const dataDir = options['data-dir'] ?? DEFAULT_DATA_DIR;
  const clusterCidr = range('--cluster-cidr', options['cluster-cidr'] ?? '10.42.0.0/16');
  const serviceCidr = range('--service-cidr', options['service-cidr'] ?? '10.43.0.0/16');
  const nodeCidrMaskSize = Number(options['node-cidr-mask-size'] ?? '24');
  if (
    !Number.isInteger(nodeCidrMaskSize) ||
    nodeCidrMaskSize < clusterCidr.prefix ||
    nodeCidrMaskSize > 28
  ) {
    throw new ConfigError(
      `--node-cidr-mask-size ${options['node-cidr-mask-size']}: expected a whole number from ${clusterCidr.prefix} (the cluster's own) to 28`,
    );
  }
  if (cidrsOverlap(clusterCidr, serviceCidr)) {
    throw new ConfigError(
      `--cluster-cidr ${formatCidr(clusterCidr)} and --service-cidr ${formatCidr(serviceCidr)} overlap: choose two that share no address`,
    );
  }
  if (cidrSize(serviceCidr) > LARGEST_SERVICE_RANGE || cidrSize(serviceCidr) < 16) {
    throw new ConfigError(
      `--service-cidr ${formatCidr(serviceCidr)}: expected a prefix from 12 to 28`,
    );
  }
  return {
    dataDir,
    listen: hostAndPort(options.listen ?? '0.0.0.0:6443'),
    kubeconfig: options.kubeconfig ?? `${dataDir}/admin.kubeconfig`,
    advertiseAddress: options['advertise-address'],
    clusterCidr,
    nodeCidrMaskSize,
    serviceCidr,
  };
}

function range(option: string, text: string): Cidr {
  try {
    return parseCidr(text);
  } catch (error) {
    throw new ConfigError(`${option} ${(error as Error).message}`);
  }
}

function hostAndPort(text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw new ConfigError(`--listen ${text}: expected HOST:PORT, for example 0.0.0.0:6443`);
  }
  return { host: host === '' ? '0.0.0.0' : host, port: Number(port) };
}
