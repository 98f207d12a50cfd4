import { formatQuantity, parseQuantity, QuantityError } from '../meta/quantity.ts';

/** A text that Go's decoder of a type refuses, in its words. */
class ScalarError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ScalarError';
  }
}

/** A quantity in its canonical form: `0.5` is `500m`. */
export function decodeQuantity(text: string): string {
  if (SMALL_QUANTITY.test(text)) return text;
  try {
    return formatQuantity(parseQuantity(text.trim()));
  } catch (error) {
    if (error instanceof QuantityError) throw new ScalarError(error.message);
    throw error;
  }
}

/** Below a thousand of its unit: canonical as it is. */
const SMALL_QUANTITY = /^[1-9]\d{0,2}(?:[mkMGT]|[KMGT]i)?$/;

/** Standard base64 with padding, as Go's []byte has it; line breaks are skipped. */
export function decodeBase64(text: string): string {
  const clean = text.includes('\n') || text.includes('\r') ? text.replaceAll(/[\r\n]/g, '') : text;
  if (BASE64.test(clean) && clean.length % 4 === 0) return clean;
  throw new ScalarError(`illegal base64 data at input byte ${corruptByte(text)}`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Where Go's decoder stops: the first bad character, or the start of an incomplete last group. */
function corruptByte(text: string): number {
  let digits = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (char === '\n' || char === '\r') continue;
    if (char === '=') return corruptPadding(text, index, digits % 4);
    if (!/[A-Za-z0-9+/]/.test(char)) return index;
    digits++;
  }
  return text.length - (digits % 4);
}

/** The first padding stands at `index`, after `digits` characters of its group. */
function corruptPadding(text: string, index: number, digits: number): number {
  if (digits < 2) return index;
  if (digits === 3) return index + 1;
  if (index + 1 === text.length) return text.length;
  return text[index + 1] === '=' ? index + 2 : index;
}

/** metav1.Time: RFC 3339, kept in UTC with whole seconds. */
export function decodeTime(text: string): string {
  const { ms } = parseTime(text, 'time');
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** metav1.MicroTime: RFC 3339 with exactly six digits of fraction, kept in UTC. */
export function decodeMicroTime(text: string): string {
  const { ms, fraction } = parseTime(text, 'microTime');
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`;
}

const LAYOUTS = {
  time: '2006-01-02T15:04:05Z07:00',
  microTime: '2006-01-02T15:04:05.000000Z07:00',
};

/** The parts of Go's layout, each with what it takes and its greatest value. */
const PARTS: readonly { layout: string; digits: RegExp; range?: [string, number, number] }[] = [
  { layout: '2006', digits: /^\d{4}/ },
  { layout: '-', digits: /^-/ },
  { layout: '01', digits: /^\d\d/, range: ['month', 1, 12] },
  { layout: '-', digits: /^-/ },
  { layout: '02', digits: /^\d\d/, range: ['day', 1, 31] },
  { layout: 'T', digits: /^T/ },
  { layout: '15', digits: /^\d\d/, range: ['hour', 0, 23] },
  { layout: ':', digits: /^:/ },
  { layout: '04', digits: /^\d\d/, range: ['minute', 0, 59] },
  { layout: ':', digits: /^:/ },
  { layout: '05', digits: /^\d\d/, range: ['second', 0, 59] },
];

function parseTime(text: string, layout: 'time' | 'microTime'): { ms: number; fraction: string } {
  let rest = text;
  for (const part of PARTS) {
    const match = part.digits.exec(rest)?.[0];
    if (match === undefined) throw cannotParse(text, layout, rest, part.layout);
    const [name, low, high] = part.range ?? ['', 0, Number.POSITIVE_INFINITY];
    if (name !== '' && (Number(match) < low || Number(match) > high)) throw outOfRange(text, name);
    rest = rest.slice(match.length);
  }
  const fraction = /^\.\d+/.exec(rest)?.[0] ?? '';
  if (layout === 'microTime' && !/^\.\d{6}(?!\d)/.test(rest)) {
    throw cannotParse(text, layout, rest, '.000000');
  }
  const zone = rest.slice(fraction.length);
  const offset = /^(?:Z|[+-]\d\d:\d\d)/.exec(zone)?.[0];
  if (offset === undefined) throw cannotParse(text, layout, zone, 'Z07:00');
  if (zone !== offset) {
    throw new ScalarError(
      `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(zone.slice(offset.length))}`,
    );
  }
  const ms = Date.parse(text.slice(0, 19) + offset);
  const day = Number(text.slice(8, 10));
  if (
    Number.isNaN(ms) ||
    new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`)).getUTCDate() !== day
  ) {
    throw outOfRange(text, 'day');
  }
  return { ms, fraction: fraction.slice(1) };
}

function cannotParse(text: string, layout: keyof typeof LAYOUTS, rest: string, part: string) {
  return new ScalarError(
    `parsing time ${JSON.stringify(text)} as "${LAYOUTS[layout]}": cannot parse ${JSON.stringify(rest)} as "${part}"`,
  );
}

function outOfRange(text: string, part: string): ScalarError {
  return new ScalarError(`parsing time ${JSON.stringify(text)}: ${part} out of range`);
}
