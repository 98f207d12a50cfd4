import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;
const MACHINES = 'test/machines/**/*.e2e.test.ts';
const END_TO_END = {
  root,
  globalSetup: ['test/e2e/global-setup.ts'],
  fileParallelism: false,
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

/**
 * `unit` runs beside the code in seconds; `e2e` uses real podman, containerd and kubectl, one file at a time; so does `machines`, in
 * machines of its own, which mostly wait: the two can run side by side.
 */
export default defineConfig({
  test: {
    // On two cores the default is one.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          root,
          include: ['{shared,master,agent,cli,test,.ci}/**/*.test.ts'],
          exclude: ['**/*.e2e.test.ts', '**/node_modules/**'],
          testTimeout: 20_000,
          // There is no module state to keep apart; a process for each file doubles the time.
          isolate: false,
          // Packages in CommonJS look as they do to Node.js.
          deps: { interopDefault: false },
        },
      },
      {
        test: {
          name: 'e2e',
          ...END_TO_END,
          include: ['{agent,master,cli,test}/**/*.e2e.test.ts'],
          exclude: [MACHINES, '**/node_modules/**'],
        },
      },
      {
        test: {
          name: 'machines',
          ...END_TO_END,
          globalSetup: ['test/machines/global-setup.ts'],
          include: [MACHINES],
        },
      },
    ],
  },
});
