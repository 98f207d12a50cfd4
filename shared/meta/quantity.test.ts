import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalMilli,
  canonicalQuantity,
  compareQuantities,
  formatBytes,
  formatMilliCpu,
  formatQuantity,
  memoryBytes,
  milliCpu,
  parseQuantity,
  QuantityError,
  subtractQuantities,
} from './quantity.ts';

describe('in thousandths', () => {
  it.each([
    ['0.0001', '1m'],
    ['100n', '1m'],
    ['1u', '1m'],
    ['1001u', '2m'],
    ['0.5', '500m'],
    ['1e-3', '1e-3'],
    ['64Mi', '64Mi'],
    ['x', 'x'],
  ])('%s is %s', (text, expected) => {
    expect(canonicalMilli(text)).toBe(expected);
  });
});

describe('canonical form', () => {
  it.each([
    ['0', '0'],
    ['0m', '0'],
    ['.', '0'],
    ['m', '0'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['2.', '2'],
    ['+5', '5'],
    ['-3', '-3'],
    ['100', '100'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['1024Mi', '1Gi'],
    ['1025Mi', '1025Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.1Gi', '107374182400m'],
    ['512Ki', '512Ki'],
    ['1Ki', '1Ki'],
    ['0.5Ki', '512'],
    ['8Ei', '9223372036854775807'],
    ['2Ei', '2Ei'],
    ['12e6', '12e6'],
    ['1e3', '1e3'],
    ['12E6', '12e6'],
    ['100u', '100u'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['5000000k', '5G'],
    ['0.0001', '100u'],
  ])('%s is written %s', (text, canonical) => {
    expect(formatQuantity(parseQuantity(text))).toBe(canonical);
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it('has a fixed point: its own canonical form', () => {
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3');
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), suffix, (value, unit) => {
        const quantity = parseQuantity(`${value}${unit}`);
        const text = formatQuantity(quantity);
        expect(parseQuantity(text).nano).toBe(quantity.nano);
        expect(canonicalQuantity(text)).toBe(text);
      }),
    );
  });
});

describe('what is no quantity', () => {
  it.each([
    [
      '',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      'abc',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      '1 Gi',
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['1KiMi', "unable to parse quantity's suffix"],
    ['1K', "unable to parse quantity's suffix"],
  ])('%j is refused', (text, message) => {
    expect(() => parseQuantity(text)).toThrow(new QuantityError(message));
  });
});

describe('amounts', () => {
  it('are whole numbers rounded up', () => {
    expect(milliCpu('0.0001')).toBe(1);
    expect(milliCpu('2')).toBe(2000);
    expect(milliCpu(undefined)).toBe(0);
    expect(memoryBytes('64Mi')).toBe(67_108_864);
    expect(memoryBytes('1500m')).toBe(2);
    expect(memoryBytes('nonsense')).toBe(0);
  });

  it('are written back', () => {
    expect(formatBytes(67_108_864)).toBe('64Mi');
    expect(formatMilliCpu(250)).toBe('250m');
    expect(formatMilliCpu(4000)).toBe('4');
  });

  it('add and subtract exactly', () => {
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (a, b) => {
        const x = parseQuantity(`${a}m`);
        const y = parseQuantity(`${b}Ki`);
        const sum = addQuantities(x, y);
        expect(subtractQuantities(sum, y).nano).toBe(x.nano);
        expect(compareQuantities(sum, x)).toBe(b === 0 ? 0 : 1);
      }),
    );
  });

  it('keep the format of the first that is not zero', () => {
    expect(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('64Mi')))).toBe('64Mi');
    expect(formatQuantity(addQuantities(parseQuantity('64Mi'), parseQuantity('64M')))).toBe(
      '128036Ki',
    );
  });
});
