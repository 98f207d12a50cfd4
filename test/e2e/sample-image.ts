import { mustRun } from './run.ts';

/** The image of examples/sample.yaml. */
export const SAMPLE_IMAGE = 'localhost/skerry-sample:1';

/** Stays when the tests end: other clusters of the machine may run it. */
export async function makeSampleImage(): Promise<void> {
  await mustRun(new URL('../../examples/make-image.sh', import.meta.url).pathname, []);
}
