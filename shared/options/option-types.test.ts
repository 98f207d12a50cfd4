import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flagOf, type OptionTable, variableOf } from './option.ts';
import {
  CIDR,
  HOST,
  HOST_AND_PORT,
  HTTPS_URL,
  NODE_NAME,
  oneOf,
  wholeNumber,
} from './option-types.ts';
import { AGENT_OPTIONS, JOIN_OPTIONS, LOG_OPTIONS, MASTER_OPTIONS } from './program-options.ts';
import { givenAsFlags, OptionError, readOptions } from './read-options.ts';

const ALL: OptionTable = { ...MASTER_OPTIONS, ...AGENT_OPTIONS, ...JOIN_OPTIONS, ...LOG_OPTIONS };

test.each([
  [HOST, 'fd00::1', 'fd00::1'],
  [HOST, 'pi.local', 'pi.local'],
  [HOST, '10.0.0.256', undefined],
  [HOST, 'a b', undefined],
  [HOST_AND_PORT, '[fd00::1]:6443', { host: 'fd00::1', port: 6443 }],
  [HOST_AND_PORT, ':0', { host: '0.0.0.0', port: 0 }],
  [HOST_AND_PORT, 'pi_1:6443', undefined],
  [HTTPS_URL, 'https://10.0.0.1:6443/path', 'https://10.0.0.1:6443'],
  [HTTPS_URL, 'http://10.0.0.1:6443', undefined],
  [HTTPS_URL, '10.0.0.1:6443', undefined],
  [CIDR, '10.42.0.0/16', { base: 10 * 2 ** 24 + 42 * 2 ** 16, prefix: 16 }],
  [CIDR, '10.42.0.1/16', undefined],
  [CIDR, '0.0.0.0/0', undefined],
  [CIDR, '0.0.0.0/12', undefined],
  [CIDR, '126.0.0.0/7', undefined],
  [CIDR, '127.16.0.0/16', undefined],
  [CIDR, '169.254.64.0/20', undefined],
  [CIDR, '224.0.0.0/16', undefined],
  [CIDR, '239.255.0.0/16', undefined],
  [CIDR, '240.0.0.0/8', undefined],
  [NODE_NAME, 'a'.repeat(254), undefined],
  [wholeNumber(1, 5), '5', 5],
  [wholeNumber(1, 5), '6', undefined],
  [wholeNumber(1, 5), '1.0', undefined],
  [wholeNumber(1, 5), '0x1', undefined],
  [oneOf('a', 'b'), 'b', 'b'],
  [oneOf('a', 'b'), 'B', undefined],
])('%o takes %s as %o', (type, text, value) => {
  expect(type.parse(text)).toEqual(value);
});

test('every default is right', () => {
  expect(() => readOptions(ALL, {})).not.toThrow();
});

test('flags and variables are those of the keys', () => {
  expect(flagOf('nodeCidrMaskSize')).toBe('--node-cidr-mask-size');
  expect(variableOf('nodeCidrMaskSize')).toBe('SKERRY_NODE_CIDR_MASK_SIZE');
});

test('whatever is given is taken, or refused in one line that names the option and what was expected', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constant('a\n<3>b'),
    fc.string({ minLength: 300 }),
    fc.ipV4(),
    fc.ipV6(),
    fc.webUrl(),
    fc.domain(),
    fc.integer().map(String),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(ALL)), texts, (key, text) => {
      try {
        readOptions(ALL, givenAsFlags(ALL, { [key]: text }));
      } catch (error) {
        expect(error).toBeInstanceOf(OptionError);
        expect((error as Error).message).toContain(`${flagOf(key)}`);
        expect((error as Error).message).not.toContain('\n');
        expect((error as Error).message).toContain(`: expected ${ALL[key]?.type.expected}`);
      }
    }),
  );
});

test('a secret is never in the message', () => {
  const given = givenAsFlags(ALL, { token: '' });
  expect(given['token']?.place).toBe('--token');
});
