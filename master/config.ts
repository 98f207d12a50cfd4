import { cidrSize, cidrsOverlap, formatCidr } from '../shared/meta/cidr.ts';
import type { ValuesOf } from '../shared/options/option.ts';
import { MASTER_OPTIONS } from '../shared/options/program-options.ts';
import {
  type GivenOptions,
  OptionError,
  placeOf,
  readOptions,
} from '../shared/options/read-options.ts';

/** Everything a master can be told: shared/options/program-options.ts explains each. */
export interface MasterConfig extends ValuesOf<typeof MASTER_OPTIONS> {
  kubeconfig: string;
}

/** Kubernetes' limit for the range of services; a larger one cannot be searched for a free address in good time. */
const LARGEST_SERVICE_RANGE = 2 ** 20;

/** Throws OptionError. */
export function readMasterConfig(given: GivenOptions): MasterConfig {
  const values = readOptions(MASTER_OPTIONS, given);
  const { dataDir, clusterCidr, serviceCidr, nodeCidrMaskSize } = values;
  const refuse = (key: keyof typeof MASTER_OPTIONS, problem: string) => {
    throw new OptionError(placeOf(MASTER_OPTIONS, given, key), problem);
  };
  if (nodeCidrMaskSize < clusterCidr.prefix) {
    refuse(
      'nodeCidrMaskSize',
      `expected a whole number from ${clusterCidr.prefix}, the prefix of the cluster's own range ${formatCidr(clusterCidr)}, to 28`,
    );
  }
  if (cidrsOverlap(clusterCidr, serviceCidr)) {
    const [key, other] =
      given['serviceCidr'] === undefined
        ? (['clusterCidr', `services' ${formatCidr(serviceCidr)}`] as const)
        : (['serviceCidr', `pods' ${formatCidr(clusterCidr)}`] as const);
    refuse(key, `overlaps with the ${other}: choose two ranges that share no address`);
  }
  if (cidrSize(serviceCidr) > LARGEST_SERVICE_RANGE || cidrSize(serviceCidr) < 16) {
    refuse('serviceCidr', 'expected a prefix from 12 to 28');
  }
  return { ...values, kubeconfig: values.kubeconfig ?? `${dataDir}/admin.kubeconfig` };
}
