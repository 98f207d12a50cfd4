import type { ValuesOf } from '../shared/options/option.ts';
import { AGENT_OPTIONS } from '../shared/options/program-options.ts';
import { type GivenOptions, readOptions } from '../shared/options/read-options.ts';
import { machineName } from './host/machine-name.ts';

/** Everything an agent can be told: shared/options/program-options.ts explains each. */
export interface AgentConfig extends ValuesOf<typeof AGENT_OPTIONS> {
  nodeName: string;
}

/** Throws OptionError. */
export function readAgentConfig(given: GivenOptions, machine = machineName()): AgentConfig {
  const values = readOptions(AGENT_OPTIONS, given);
  return { ...values, nodeName: values.nodeName ?? asNodeName(machine) };
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
