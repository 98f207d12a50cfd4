import { describe, expect, it } from 'vitest';
import {
  byteLength,
  checkCidr,
  checkConfigMapKey,
  checkDns1035Label,
  checkDns1123Label,
  checkDns1123Subdomain,
  checkEnvVarName,
  checkIp,
  checkPercent,
  checkPortName,
  checkPortNumber,
  checkQualifiedName,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
} from './names.ts';

const SUBDOMAIN_ERROR =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_ERROR =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('names', () => {
  it.each(['a', 'web-1', 'a.b.c', '0'])('%s is a subdomain', (name) => {
    expect(checkDns1123Subdomain(name)).toEqual([]);
  });

  it.each(['Web', '-a', 'a-', 'a..b', 'a_b', ''])('%j is no subdomain', (name) => {
    expect(checkDns1123Subdomain(name)).toEqual([SUBDOMAIN_ERROR]);
  });

  it('are limited in length', () => {
    expect(checkDns1123Subdomain('a'.repeat(254))).toEqual(['must be no more than 253 characters']);
    expect(checkDns1123Label('a'.repeat(64))).toEqual(['must be no more than 63 characters']);
  });

  it('of labels say when only the dots are wrong', () => {
    expect(checkDns1123Label('a.b')).toEqual(['must not contain dots']);
    expect(checkDns1123Label('A')).toEqual([LABEL_ERROR]);
    expect(checkDns1035Label('1a')[0]).toContain('a DNS-1035 label must consist of');
  });

  it('that end in a dash are prefixes to generate names from', () => {
    expect(nameIsDnsLabel('web-', true)).toEqual([]);
    expect(nameIsDnsLabel('web-')).toEqual([LABEL_ERROR]);
    expect(nameIsDnsSubdomain('web.-', true)).toEqual([]);
  });

  it('of any kind fit into a path', () => {
    expect(nameIsPathSegment('a:b')).toEqual([]);
    expect(nameIsPathSegment('..')).toEqual(["may not be '..'"]);
    expect(nameIsPathSegment('a/b%')).toEqual(["may not contain '/'", "may not contain '%'"]);
  });
});

describe('qualified names', () => {
  it.each(['app', 'App_1.x', 'example.com/app', 'a/B'])('%s is one', (name) => {
    expect(checkQualifiedName(name)).toEqual([]);
  });

  it.each([
    ['', 2, 'name part must be non-empty'],
    ['/a', 1, 'prefix part must be non-empty'],
    ['Ex/a', 1, `prefix part ${SUBDOMAIN_ERROR}`],
  ])('%j is not', (name, count, first) => {
    expect(checkQualifiedName(name)).toHaveLength(count);
    expect(checkQualifiedName(name)[0]).toBe(first);
  });

  it('have one slash at most', () => {
    expect(checkQualifiedName('a/b/c')[0]).toMatch(
      /^a qualified name must consist of .* with an optional DNS subdomain prefix and '\/' \(e\.g\. 'example\.com\/MyName'\)$/,
    );
  });
});

describe('other syntax', () => {
  it('of keys keeps out the names of the file system', () => {
    expect(checkConfigMapKey('app.properties')).toEqual([]);
    expect(checkConfigMapKey('..')).toEqual(["must not be '..'"]);
    expect(checkConfigMapKey('..x')).toEqual(["must not start with '..'"]);
    expect(checkConfigMapKey('a b')[0]).toContain('a valid config key must consist of');
  });

  it('of environment variables allows all but = and what does not print', () => {
    expect(checkEnvVarName('my var')).toEqual([]);
    expect(checkEnvVarName('A=B')).toHaveLength(1);
    expect(checkEnvVarName('')).toEqual(['environment variable name must be non-empty']);
  });

  it('of ports', () => {
    expect(checkPortName('http')).toEqual([]);
    expect(checkPortName('a--b')).toEqual(['must not contain consecutive hyphens']);
    expect(checkPortName('80')).toEqual(['must contain at least one letter (a-z)']);
    expect(checkPortName('a'.repeat(16))).toEqual(['must be no more than 15 characters']);
    expect(checkPortNumber(0)).toEqual(['must be between 1 and 65535, inclusive']);
    expect(checkPortNumber(65_535)).toEqual([]);
  });

  it.each(['10.0.0.1', '::1', '::', '2001:db8::ffff', '1:2:3:4:5:6:7:8', '::ffff:1.2.3.4'])(
    '%s is an address',
    (ip) => {
      expect(checkIp(ip)).toEqual([]);
    },
  );

  it.each(['', '10.0.0', '256.1.1.1', '1:2:3', ':::', '1::2::3', 'g::'])(
    '%j is no address',
    (ip) => {
      expect(checkIp(ip)).toHaveLength(1);
    },
  );

  it('of ranges and percentages', () => {
    expect(checkCidr('10.42.0.0/16')).toEqual([]);
    expect(checkCidr('10.42.0.0/33')).toHaveLength(1);
    expect(checkCidr('10.42.0.0')).toHaveLength(1);
    expect(checkPercent('25%')).toEqual([]);
    expect(checkPercent('25')).toHaveLength(1);
  });

  it.each(['', 'abc', 'ü', '€', '😀', 'aü€😀'])('%j is as long as its UTF-8', (text) => {
    expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
  });
});
