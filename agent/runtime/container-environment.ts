import type { ContainerSpec } from './runtime.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A container's environment as under Kubernetes: the spec over the image (`NAME=value` each) over the few that every container has. */
export function environmentOf(
  spec: Pick<ContainerSpec, 'env' | 'hostname' | 'tty'>,
  imageEnv: readonly string[],
): Map<string, string> {
  const values = new Map([
    ['PATH', DEFAULT_PATH],
    ['HOSTNAME', spec.hostname],
  ]);
  if (spec.tty) values.set('TERM', 'xterm');
  for (const pair of imageEnv) {
    const at = pair.indexOf('=');
    values.set(at < 0 ? pair : pair.slice(0, at), at < 0 ? '' : pair.slice(at + 1));
  }
  for (const { name, value } of spec.env) values.set(name, value);
  return values;
}
