/** A host as it stands in a URL or before a port: an IPv6 address has brackets there (RFC 3986, section 3.2.2). */
export function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

/** The host of a URL as resolvers and sockets take it: without those brackets. */
export function unbracketed(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
