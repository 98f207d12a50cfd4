import type { Logger } from './logger.ts';

/** For tests and benchmarks of which nobody reads the log. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
