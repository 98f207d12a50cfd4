import type { Logger } from '../shared/logger.ts';

const PRIORITIES = { debug: 7, info: 6, warn: 4, error: 3 } as const;
type Level = keyof typeof PRIORITIES;

/**
 * One line per decision on standard error: on a terminal `12:03:04 info message key=value`, elsewhere one JSON object a line.
 * `SKERRY_LOG=debug` shows what is off otherwise.
 */
export function openLog(
  stream: NodeJS.WriteStream = process.stderr,
  threshold = process.env['SKERRY_LOG'] ?? 'info',
): Logger {
  const lowest = PRIORITIES[threshold as Level] ?? PRIORITIES.info;
  const print = stream.isTTY ? plainLine : jsonLine;
  const make = (bound: Record<string, unknown>): Logger => {
    const at = (level: Level) => (message: string, fields?: Record<string, unknown>) => {
      if (PRIORITIES[level] <= lowest) stream.write(print(level, message, { ...bound, ...fields }));
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => make({ ...bound, ...fields }),
    };
  };
  return make({});
}

function jsonLine(level: Level, message: string, fields: Record<string, unknown>): string {
  return `${JSON.stringify({ time: new Date().toISOString(), level, message, ...mapValues(fields, errorText) })}\n`;
}

function plainLine(level: Level, message: string, fields: Record<string, unknown>): string {
  const pairs = Object.entries(mapValues(fields, errorText)).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${new Date().toISOString().slice(11, 19)} ${level.padEnd(5)} ${message}${pairs.join('')}\n`;
}

function errorText(value: unknown): unknown {
  return value instanceof Error ? (value.stack ?? value.message) : value;
}

function mapValues(
  fields: Record<string, unknown>,
  change: (value: unknown) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, change(value)]));
}
