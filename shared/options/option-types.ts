import { type Cidr, cidrsOverlap, isIpv4, parseCidr } from '../meta/cidr.ts';
import type { OptionType } from './option.ts';

/** A path; the command makes it absolute. */
const path = (placeholder: 'DIR' | 'FILE', expected: string): OptionType<string> => ({
  placeholder,
  expected,
  parse: (text) => (text === '' || text.includes('\0') ? undefined : text),
});

export const FOLDER = path('DIR', 'a folder');
export const FILE = path('FILE', 'a file');

export const TEXT: OptionType<string> = {
  placeholder: 'TEXT',
  expected: 'some text',
  parse: (text) => (text === '' ? undefined : text),
};

/** RFC 1123: what stands in a URL for a machine. */
const HOST_NAME = /^(?=.{1,253}$)[a-z\d]([-a-z\d]*[a-z\d])?(\.[a-z\d]([-a-z\d]*[a-z\d])?)*\.?$/i;
const DOTTED_NUMBERS = /^[\d.]+$/;

function isHost(text: string): boolean {
  if (text.includes(':')) return URL.canParse(`https://[${text}]`);
  return DOTTED_NUMBERS.test(text) ? isIpv4(text) : HOST_NAME.test(text);
}

export const HOST: OptionType<string> = {
  placeholder: 'ADDRESS',
  expected: 'an address or a host name',
  parse: (text) => (isHost(text) ? text : undefined),
};

export const HOST_AND_PORT: OptionType<{ host: string; port: number }> = {
  placeholder: 'HOST:PORT',
  expected: 'HOST:PORT, for example 0.0.0.0:6443',
  parse: (text) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined || Number(port) > 65_535) return undefined;
    if (host === '') return { host: '0.0.0.0', port: Number(port) };
    return isHost(host) ? { host, port: Number(port) } : undefined;
  },
};

/** RFC 6890 and RFC 5771: this host, loopback, link-local, multicast, and what is reserved. */
const NOT_FOR_HOSTS = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'].map(parseCidr);

export const CIDR: OptionType<Cidr> = {
  placeholder: 'CIDR',
  expected:
    'a range such as 10.42.0.0/16, no bits set behind its prefix, and nothing of 0.0.0.0/8, 127.0.0.0/8, 169.254.0.0/16 or from 224.0.0.0 on, which no host can have',
  parse: (text) => {
    try {
      const range = parseCidr(text);
      return NOT_FOR_HOSTS.some((other) => cidrsOverlap(range, other)) ? undefined : range;
    } catch {
      return undefined;
    }
  },
};

export const IPV4: OptionType<string> = {
  placeholder: 'ADDRESS',
  expected: 'an IPv4 address',
  parse: (text) => (isIpv4(text) ? text : undefined),
};

/** RFC 1123 subdomain: what Kubernetes takes as a node's name. */
const NODE_NAME_FORM =
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export const NODE_NAME: OptionType<string> = {
  placeholder: 'NAME',
  expected: 'lower case letters, digits, - and ., as in a host name',
  parse: (text) => (NODE_NAME_FORM.test(text) ? text : undefined),
};

/** Its value is the origin: scheme, host and port. */
export const HTTPS_URL: OptionType<string> = {
  placeholder: 'URL',
  expected: 'https://HOST:PORT',
  parse: (text) => {
    if (!URL.canParse(text)) return undefined;
    const { protocol, origin } = new URL(text);
    return protocol === 'https:' ? origin : undefined;
  },
};

export function wholeNumber(from: number, to: number): OptionType<number> {
  return {
    placeholder: 'N',
    expected: `a whole number from ${from} to ${to}`,
    parse: (text) =>
      /^\d{1,15}$/.test(text) && Number(text) >= from && Number(text) <= to
        ? Number(text)
        : undefined,
  };
}

export function oneOf<Word extends string>(...words: readonly Word[]): OptionType<Word> {
  return {
    placeholder: words.join('|'),
    expected: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
    parse: (text) => words.find((word) => word === text),
  };
}
