import { existsSync } from 'node:fs';
import {
  AGENT_OPTIONS,
  JOIN_OPTIONS,
  LOG_OPTIONS,
  MASTER_OPTIONS,
} from '../shared/options/program-options.ts';
import type { GivenOptions } from '../shared/options/read-options.ts';
import { readConfigFile } from './config-file.ts';

const TABLES = {
  master: { ...MASTER_OPTIONS, ...LOG_OPTIONS },
  agent: { ...JOIN_OPTIONS, ...AGENT_OPTIONS, ...LOG_OPTIONS },
} as const;

/** What the programs that are installed on this machine were told by their files; nothing of one that is not. Throws CommandFailure. */
export function installedOptions(
  program: keyof typeof TABLES,
  folder = '/etc/skerry',
): GivenOptions {
  const path = `${folder}/${program}.yaml`;
  return existsSync(path) ? readConfigFile(path, TABLES[program]) : {};
}
