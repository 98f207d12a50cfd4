import { SAMPLE_IMAGE } from './sample-image.ts';

/** The manifest of a pod with one container `main` of the sample's image; `spec` and `container` are merged into it. */
export function podManifest(
  name: string,
  container: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: name } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'main', image: SAMPLE_IMAGE, command: IDLE, ...container }],
      ...spec,
    },
  });
}

/** Runs until it is told to end. */
export const IDLE = ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 3600 & wait $!; done'];

/** A command of the shell. */
export function shell(script: string): string[] {
  return ['sh', '-c', script];
}
