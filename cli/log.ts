import { fstatSync } from 'node:fs';
import type { Logger } from '../shared/logger.ts';
import { formatIsoTime } from '../shared/meta/time.ts';
import { LOG_OPTIONS } from '../shared/options/program-options.ts';
import { type GivenOptions, readOptions } from '../shared/options/read-options.ts';

/** As syslog(3) numbers them, and sd-daemon(3) before a line. */
const PRIORITIES = { debug: 7, info: 6, warn: 4, error: 3 } as const;
type Level = keyof typeof PRIORITIES;
type LogStream = { write(text: string): unknown; isTTY: boolean; fd: number };

/**
 * One line per decision on standard error: on a terminal `12:03:04 info message key=value`, elsewhere one JSON object a line; to a journal
 * each begins with its priority, `<6>`. --log-level and --log-format change that.
 */
export function openLog(
  given: GivenOptions = {},
  stream: LogStream = process.stderr,
  environment: NodeJS.ProcessEnv = process.env,
): Logger {
  const { logLevel, logFormat } = readOptions(LOG_OPTIONS, given);
  const isPlain = logFormat === 'plain' || (logFormat === 'auto' && stream.isTTY);
  const print = isPlain ? plainLine : jsonLine;
  const toJournal = isJournal(stream, environment);
  const make = (bound: Record<string, unknown>): Logger => {
    const at = (level: Level) => (message: string, fields?: Record<string, unknown>) => {
      if (PRIORITIES[level] > PRIORITIES[logLevel]) return;
      const line = print(level, message, mapValues({ ...bound, ...fields }, errorText));
      stream.write(toJournal ? `<${PRIORITIES[level]}>${line}` : line);
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

/** Whether what is written there goes to the journal: systemd.exec(5), $JOURNAL_STREAM. */
export function isJournal({ fd }: LogStream, { JOURNAL_STREAM }: NodeJS.ProcessEnv): boolean {
  if (JOURNAL_STREAM === undefined) return false;
  const { dev, ino } = fstatSync(fd);
  return JOURNAL_STREAM === `${dev}:${ino}`;
}

function jsonLine(level: Level, message: string, fields: Record<string, unknown>): string {
  return `${JSON.stringify({ time: formatIsoTime(Date.now()), level, message, ...fields })}\n`;
}

function plainLine(level: Level, message: string, fields: Record<string, unknown>): string {
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const line = `${level.padEnd(5)} ${message}${pairs.join('')}`;
  // A priority is of one line only.
  return `${formatIsoTime(Date.now()).slice(11, 19)} ${line.replaceAll('\n', '\\n')}\n`;
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
