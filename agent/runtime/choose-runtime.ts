import { containerdAddress } from '../host/containerd-address.ts';
import { socketAnswers } from '../host/local-socket.ts';
import { ContainerdRuntime, type ContainerdRuntimeOptions } from './containerd.ts';
import { PodmanRuntime, type PodmanRuntimeOptions } from './podman.ts';
import { type Runtime, RuntimeError } from './runtime.ts';

export type RuntimeChoice = 'auto' | 'podman' | 'containerd';

/**
 * The driver for `choice`, found working. `auto` takes podman (the lighter one) and containerd when podman does not work.
 * Throws RuntimeError (RuntimeNotInstalled or RuntimeNotReady) whose message is one sentence for the user, with the remedy.
 */
export async function chooseRuntime(
  choice: RuntimeChoice,
  options: PodmanRuntimeOptions & ContainerdRuntimeOptions,
): Promise<Runtime> {
  if (choice === 'podman') return working(new PodmanRuntime(options));
  if (choice === 'containerd') return working(new ContainerdRuntime(options));
  try {
    return await working(new PodmanRuntime(options));
  } catch (podmanError) {
    try {
      const runtime = await working(new ContainerdRuntime(options));
      options.log.info('containerd is used, as podman does not work', {
        podman: messageOf(podmanError),
      });
      return runtime;
    } catch {
      // The remedy for podman is the one to name: it is what an automatic choice prefers.
      throw podmanError;
    }
  }
}

/** Every engine that answers on this machine: containers may lie in more than the one that is in use. */
export async function installedRuntimes(
  options: PodmanRuntimeOptions & ContainerdRuntimeOptions,
): Promise<Runtime[]> {
  const candidates: Runtime[] = [new PodmanRuntime(options)];
  // ctr takes seconds to find out that no daemon runs.
  if (await socketAnswers(options.containerdAddress ?? containerdAddress())) {
    candidates.push(new ContainerdRuntime(options));
  }
  const outcomes = await Promise.allSettled(candidates.map(working));
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

async function working(runtime: Runtime): Promise<Runtime> {
  await runtime.info();
  return runtime;
}

function messageOf(error: unknown): string {
  return error instanceof RuntimeError ? error.message : String(error);
}
