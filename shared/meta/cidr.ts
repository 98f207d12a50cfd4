/** IPv4 ranges as numbers: addresses are unsigned 32-bit integers. */
export interface Cidr {
  /** First address of the range. */
  base: number;
  /** Prefix length, 0 … 32. */
  prefix: number;
}

/** Throws RangeError for anything but four decimal parts without leading zeros. */
export function parseIpv4(text: string): number {
  const parts = text.split('.');
  const octets = parts.map((part) => (/^(0|[1-9]\d{0,2})$/.test(part) ? Number(part) : 256));
  if (octets.length !== 4 || octets.some((octet) => octet > 255)) {
    throw new RangeError(`"${text}" is not an IPv4 address`);
  }
  return octets.reduce((value, octet) => value * 256 + octet, 0);
}

export function isIpv4(text: string): boolean {
  try {
    parseIpv4(text);
    return true;
  } catch {
    return false;
  }
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

/** `10.42.0.0/16`; the address must be the first of its range. Throws RangeError. */
export function parseCidr(text: string): Cidr {
  const [address = '', prefixText = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,2}$/.test(prefixText) || Number(prefixText) > 32) {
    throw new RangeError(`"${text}" is not a CIDR such as 10.42.0.0/16`);
  }
  const prefix = Number(prefixText);
  const base = parseIpv4(address);
  if (base % cidrSize({ base, prefix }) !== 0) {
    throw new RangeError(`"${text}" has bits set behind its prefix of ${prefix} bits`);
  }
  return { base, prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIpv4(cidr.base)}/${cidr.prefix}`;
}

/** How many addresses the range has. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (32 - cidr.prefix);
}

export function cidrContains(cidr: Cidr, address: number): boolean {
  return address >= cidr.base && address < cidr.base + cidrSize(cidr);
}

export function cidrsOverlap(left: Cidr, right: Cidr): boolean {
  return cidrContains(left, right.base) || cidrContains(right, left.base);
}
