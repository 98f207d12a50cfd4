/**
 * Amounts of resources as Kubernetes writes them (apimachinery api/resource): `250m`, `1.5Gi`, `12e6`. Exact: the value is counted in
 * billionths, the finest unit there is; what is finer is rounded away from zero.
 */
export interface Quantity {
  readonly nano: bigint;
  /** The family of suffixes that the canonical form keeps. */
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent';
}

/** The text is not a quantity; the message is the one that Kubernetes' decoder gives. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'QuantityError';
  }
}

/** Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  const parts = SYNTAX.exec(text);
  if (parts === null || text === '') throw new QuantityError(FORMAT_WRONG);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = parts;
  const unit = unitOf(suffix);
  if (unit === undefined) throw new QuantityError("unable to parse quantity's suffix");
  // No digits at all count as none: Kubernetes takes `m` for 0.
  const digits = BigInt(whole + fraction);
  const decimals = BigInt(fraction.length);
  let magnitude: bigint;
  if (unit.format === 'BinarySI') {
    magnitude = divideUp((digits << BigInt(unit.exponent)) * NANO, 10n ** decimals);
    if (magnitude > MAX_BINARY) magnitude = MAX_BINARY;
  } else {
    const exponent = BigInt(unit.exponent) + 9n - decimals;
    magnitude = exponent >= 0n ? digits * 10n ** exponent : divideUp(digits, 10n ** -exponent);
  }
  const isBelowOne = unit.format === 'BinarySI' && magnitude > 0n && magnitude < NANO;
  return {
    nano: sign === '-' ? -magnitude : magnitude,
    format: isBelowOne ? 'DecimalSI' : unit.format,
  };
}

/** Undefined for what is not a quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  try {
    return parseQuantity(text);
  } catch {
    return undefined;
  }
}

/** The canonical form: no fraction, the largest suffix that keeps the value exact, in the family the quantity was written in. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  if (format === 'BinarySI' && nano % NANO === 0n) {
    const value = nano / NANO;
    if (value <= -1024n || value >= 1024n) return formatBinary(value);
  }
  return formatDecimal(nano, format === 'DecimalExponent');
}

/** `1000m` becomes `1`, `1024Mi` becomes `1Gi`; what is not a quantity stays as it is. */
export function canonicalQuantity(text: string): string {
  const known = PLAIN.test(text);
  if (known) return text;
  const quantity = tryParseQuantity(text);
  return quantity === undefined ? text : formatQuantity(quantity);
}

/** The same, with what is finer than a thousandth rounded away from zero. */
export function canonicalMilli(text: string): string {
  const canonical = canonicalQuantity(text);
  if (!/[nu]$|e-/.test(canonical)) return canonical;
  const quantity = tryParseQuantity(canonical);
  if (quantity === undefined) return text;
  return formatQuantity({ ...quantity, nano: divideUpSigned(quantity.nano, MILLI) * MILLI });
}

/** Negative, zero or positive, as a sort function wants it. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

export const ZERO_QUANTITY: Quantity = { nano: 0n, format: 'DecimalSI' };

/** Whole units, rounded up: bytes of memory. Exact up to 2^53, beyond that the nearest number. */
export function quantityToNumber(quantity: Quantity): number {
  return Number(divideUpSigned(quantity.nano, NANO));
}

/** Thousandths, rounded up: milli-CPUs. */
export function quantityToMilli(quantity: Quantity): number {
  return Number(divideUpSigned(quantity.nano, 1_000_000n));
}

/** Bytes of a memory quantity such as `64Mi`; 0 for what is absent or not a quantity. */
export function memoryBytes(text: string | undefined): number {
  const quantity = text === undefined ? undefined : tryParseQuantity(text);
  return quantity === undefined ? 0 : quantityToNumber(quantity);
}

/** Milli-CPUs of a CPU quantity such as `0.5`; 0 for what is absent or not a quantity. */
export function milliCpu(text: string | undefined): number {
  const quantity = text === undefined ? undefined : tryParseQuantity(text);
  return quantity === undefined ? 0 : quantityToMilli(quantity);
}

/** `64Mi`-like text for whole bytes. */
export function formatBytes(bytes: number): string {
  return formatQuantity({ nano: BigInt(Math.trunc(bytes)) * NANO, format: 'BinarySI' });
}

/** `250m`-like text for milli-CPUs. */
export function formatMilliCpu(milli: number): string {
  return formatQuantity({ nano: BigInt(Math.trunc(milli)) * 1_000_000n, format: 'DecimalSI' });
}

const FORMAT_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SYNTAX = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/;
/** A form that is canonical already: whole numbers without a trailing zero to shorten. */
const PLAIN = /^(?:0|[1-9]\d{0,2}(?:m|k|M|G|Ki|Mi|Gi)?)$/;
const NANO = 1_000_000_000n;
const MILLI = 1_000_000n;
/** Kubernetes caps binary quantities at the largest 64-bit integer. */
const MAX_BINARY = (2n ** 63n - 1n) * NANO;

const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** From 10^-9 upwards in steps of a thousand. */
const DECIMAL_SUFFIXES = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'];

interface Unit {
  exponent: number;
  format: Quantity['format'];
}

function unitOf(suffix: string): Unit | undefined {
  const decimal = DECIMAL_SUFFIXES.indexOf(suffix);
  if (decimal >= 0) return { exponent: decimal * 3 - 9, format: 'DecimalSI' };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { exponent: binary * 10, format: 'BinarySI' };
  const exponent = /^[eE]([-+]?\d{1,3})$/.exec(suffix)?.[1];
  if (exponent === undefined) return undefined;
  return { exponent: Number(exponent), format: 'DecimalExponent' };
}

function formatBinary(value: bigint): string {
  let rest = value;
  let step = 0;
  while (step < 6 && rest % 1024n === 0n) {
    rest /= 1024n;
    step += 1;
  }
  return `${rest}${BINARY_SUFFIXES[step]}`;
}

function formatDecimal(nano: bigint, withExponent: boolean): string {
  let rest = nano;
  let step = 0;
  while ((withExponent || step < DECIMAL_SUFFIXES.length - 1) && rest % 1000n === 0n) {
    rest /= 1000n;
    step += 1;
  }
  if (!withExponent) return `${rest}${DECIMAL_SUFFIXES[step]}`;
  const exponent = step * 3 - 9;
  return exponent === 0 ? String(rest) : `${rest}e${exponent}`;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** Away from zero, as Quantity.Value() rounds. */
function divideUpSigned(dividend: bigint, divisor: bigint): bigint {
  return dividend < 0n ? -divideUp(-dividend, divisor) : divideUp(dividend, divisor);
}
