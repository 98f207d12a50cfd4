import type { ExecAction } from '../../shared/schema/kubernetes-types.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import type { ProbeAnswer, ProbeTarget } from './handler.ts';

/** Exit code 0 is success; a command that is not done in time is killed, and that is failure. */
export async function probeExec(
  { command = [] }: ExecAction,
  { id, timeoutMs, signal }: ProbeTarget,
  runtime: Pick<Runtime, 'exec'>,
): Promise<ProbeAnswer> {
  try {
    const { exitCode, output } = await runtime.exec(id, command, { timeoutMs, signal });
    return { outcome: exitCode === 0 ? 'success' : 'failure', output };
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.reason !== 'ExecTimeout') throw error;
    return { outcome: 'failure', output: error.message };
  }
}
