/**
 * The syntax rules of names, labels, ports and keys (apimachinery util/validation). Each check returns the reasons why the value is
 * wrong, in Kubernetes' words; none when it is right.
 */

const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const DNS1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS1123_SUBDOMAIN = `${DNS1123_LABEL}(\\.${DNS1123_LABEL})*`;
const DNS1123_LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const DNS1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const CONFIG_MAP_KEY = '[-._a-zA-Z0-9]+';
const HTTP_HEADER_NAME = '[-A-Za-z0-9]+';
const PERCENT = '[0-9]+%';

const qualifiedName = anchored(QUALIFIED_NAME);
const labelValue = anchored(LABEL_VALUE);
const dns1123Label = anchored(DNS1123_LABEL);
const dns1123Subdomain = anchored(DNS1123_SUBDOMAIN);
const dns1123SubdomainUnderscore = anchored(
  `${DNS1123_LABEL_UNDERSCORE}(\\.${DNS1123_LABEL_UNDERSCORE})*`,
);
const dns1035Label = anchored(DNS1035_LABEL);
const configMapKey = anchored(CONFIG_MAP_KEY);
const httpHeaderName = anchored(HTTP_HEADER_NAME);
const percent = anchored(PERCENT);
const printableAscii = /^[\x20-\x3c\x3e-\x7e]*$/;

/** Says what is wrong with a name; `isPrefix`: the name is a generateName, to which characters will be added. */
export type NameCheck = (name: string, isPrefix?: boolean) => string[];

/** `name` or `prefix.example.com/name`: label keys, annotation keys, finalizers, resource names. */
export function checkQualifiedName(value: string): string[] {
  if (value.length <= 63 && qualifiedName.test(value)) return [];
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedNameHint()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts.at(-1) ?? '';
  const errors: string[] = [];
  if (parts.length === 2) {
    const prefix = parts[0] ?? '';
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...checkDns1123Subdomain(prefix).map((message) => `prefix part ${message}`));
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (byteLength(name) > 63) errors.push(`name part ${tooLong(63)}`);
  if (!qualifiedName.test(name)) errors.push(`name part ${qualifiedNameHint()}`);
  return errors;
}

export function checkLabelValue(value: string): string[] {
  return check(value, 63, labelValue, () =>
    regexHint(
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
      LABEL_VALUE,
      ['MyValue', 'my_value', '12345'],
    ),
  );
}

/** RFC 1123 label: namespaces, containers, volumes. */
export function checkDns1123Label(value: string): string[] {
  return check(value, 63, dns1123Label, () =>
    dns1123Subdomain.test(value)
      ? 'must not contain dots'
      : regexHint(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          DNS1123_LABEL,
          ['my-name', '123-abc'],
        ),
  );
}

/** RFC 1123 subdomain: the names of most kinds. */
export function checkDns1123Subdomain(value: string): string[] {
  return check(value, 253, dns1123Subdomain, () =>
    regexHint(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      DNS1123_SUBDOMAIN,
      ['example.com'],
    ),
  );
}

/** A DNS search path, in which underscores are allowed since v1.33. */
export function checkDns1123SubdomainWithUnderscore(value: string): string[] {
  return check(value, 253, dns1123SubdomainUnderscore, () =>
    regexHint(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      DNS1123_SUBDOMAIN,
      ['example.com'],
    ),
  );
}

/** RFC 1035 label: the names of Services. */
export function checkDns1035Label(value: string): string[] {
  return check(value, 63, dns1035Label, () =>
    regexHint(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      DNS1035_LABEL,
      ['my-name', 'abc-123'],
    ),
  );
}

export const nameIsDnsSubdomain: NameCheck = (name, isPrefix) =>
  checkDns1123Subdomain(isPrefix ? maskTrailingDash(name) : name);

export const nameIsDnsLabel: NameCheck = (name, isPrefix) =>
  checkDns1123Label(isPrefix ? maskTrailingDash(name) : name);

export const nameIsDns1035Label: NameCheck = (name, isPrefix) =>
  checkDns1035Label(isPrefix ? maskTrailingDash(name) : name);

/** The least that a name must be: one segment of a URL's path (apimachinery path.ValidatePathSegmentName). */
export const nameIsPathSegment: NameCheck = (name, isPrefix) => {
  if (!isPrefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%']
    .filter((char) => name.includes(char))
    .map((char) => `may not contain '${char}'`);
};

/** Names of environment variables: any printable ASCII but `=` (KEP-4369, on by default in v1.33). */
export function checkEnvVarName(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (printableAscii.test(value)) return [];
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

/** Keys of ConfigMaps and Secrets, which become file names. */
export function checkConfigMapKey(value: string): string[] {
  const errors = check(value, 253, configMapKey, () =>
    regexHint(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      CONFIG_MAP_KEY,
      ['key.name', 'KEY_NAME', 'key-name'],
    ),
  );
  if (value === '.') errors.push("must not be '.'");
  else if (value === '..') errors.push("must not be '..'");
  else if (value.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

export function checkHttpHeaderName(value: string): string[] {
  if (httpHeaderName.test(value)) return [];
  return [
    regexHint(
      "a valid HTTP header must consist of alphanumeric characters or '-'",
      HTTP_HEADER_NAME,
      ['X-Header-Name'],
    ),
  ];
}

export function checkPercent(value: string): string[] {
  if (percent.test(value)) return [];
  return [
    regexHint(
      "a valid percent string must be a numeric string followed by an ending '%'",
      PERCENT,
      ['1%', '93%'],
    ),
  ];
}

export function checkPortNumber(port: number): string[] {
  return checkRange(port, 1, 65_535);
}

/** IANA service name: the name of a container's port. */
export function checkPortName(name: string): string[] {
  const errors: string[] = [];
  if (byteLength(name) > 15) errors.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(name)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
  if (name.includes('--')) errors.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors;
}

export function checkRange(value: number, min: number, max: number): string[] {
  return value >= min && value <= max ? [] : [`must be between ${min} and ${max}, inclusive`];
}

/** User and group ids: 0 to 2^31-1. */
export function checkUserId(id: number): string[] {
  return checkRange(id, 0, 2_147_483_647);
}

/** An IPv4 or IPv6 address, as lenient as the API's old fields. */
export function checkIp(value: string): string[] {
  if (isIpv4(value) || isIpv6(value)) return [];
  return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
}

export function checkCidr(value: string): string[] {
  const slash = value.indexOf('/');
  const address = value.slice(0, slash);
  const length = value.slice(slash + 1);
  const max = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1;
  if (slash > 0 && /^\d{1,3}$/.test(length) && Number(length) <= max) return [];
  return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
}

export function isIpv4(value: string): boolean {
  const parts = value.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function isIpv6(value: string): boolean {
  if (!value.includes(':') || !/^[0-9a-fA-F:.]+$/.test(value)) return false;
  const halves = value.split('::');
  if (halves.length > 2) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  let count = 0;
  const last = groups.at(-1)?.at(-1);
  for (const group of groups.flat()) {
    if (group === last && group.includes('.')) {
      if (!isIpv4(group)) return false;
      count += 2;
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      count += 1;
    } else {
      return false;
    }
  }
  return halves.length === 2 ? count < 8 : count === 8;
}

/** Bytes of a string in UTF-8, which is what Kubernetes' length limits count. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) bytes += 1;
    else bytes += 2;
  }
  return bytes;
}

function qualifiedNameHint(): string {
  return regexHint(
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    QUALIFIED_NAME,
    ['MyName', 'my.name', '123-abc'],
  );
}

function check(value: string, max: number, pattern: RegExp, message: () => string): string[] {
  const errors: string[] = [];
  if (byteLength(value) > max) errors.push(tooLong(max));
  if (!pattern.test(value)) errors.push(message());
  return errors;
}

function tooLong(length: number): string {
  return `must be no more than ${length} characters`;
}

function regexHint(message: string, pattern: string, examples: readonly string[]): string {
  const list = examples.map((example) => `'${example}', `).join(' or ');
  return `${message} (e.g. ${list}regex used for validation is '${pattern}')`;
}

/** A generated suffix follows: the character before a trailing dash and the dash itself count as letters. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

function anchored(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`);
}
