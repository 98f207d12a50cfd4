import type { Logger } from '../../shared/logger.ts';

/** Keeps what is logged, as `level message {fields}`. */
export class CollectingLogger implements Logger {
  readonly lines: string[];

  constructor(lines: string[] = []) {
    this.lines = lines;
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    this.#add('debug', message, fields);
  }

  info(message: string, fields?: Record<string, unknown>): void {
    this.#add('info', message, fields);
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#add('warn', message, fields);
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#add('error', message, fields);
  }

  child(): Logger {
    return this;
  }

  #add(level: string, message: string, fields?: Record<string, unknown>): void {
    this.lines.push(
      `${level} ${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`,
    );
  }
}
