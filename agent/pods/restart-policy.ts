import type { Pod } from '../../shared/schema/kubernetes-types.ts';

/** Whether a main container that ended is started again. */
export function restartsMain(pod: Pod, exitCode: number): boolean {
  const policy = pod.spec.restartPolicy ?? 'Always';
  if (policy === 'Always') return true;
  return policy === 'OnFailure' && exitCode !== 0;
}

/** Whether a regular init container that failed is tried again; Always counts as OnFailure there. */
export function retriesInit(pod: Pod): boolean {
  return (pod.spec.restartPolicy ?? 'Always') !== 'Never';
}
