import { defineConfig } from 'vitest/config';

/** Two projects: `unit` runs beside the code in seconds; `e2e` uses real podman, containerd and kubectl, one file at a time. */
export default defineConfig({
  test: {
    // On two cores the default is one.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          root: new URL('..', import.meta.url).pathname,
          include: ['{shared,master,agent,cli,test,.ci}/**/*.test.ts'],
          exclude: ['**/*.e2e.test.ts', '**/node_modules/**'],
          testTimeout: 20_000,
          // There is no module state to keep apart; a process for each file doubles the time.
          isolate: false,
        },
      },
      {
        test: {
          name: 'e2e',
          root: new URL('..', import.meta.url).pathname,
          include: ['{agent,master,cli,test}/**/*.e2e.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
