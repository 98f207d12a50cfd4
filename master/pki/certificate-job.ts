/** One certificate to be signed. Keys and requests are PEM; plain data, because it crosses a process boundary. */
export interface CertificateJob {
  profile: 'authority' | 'server' | 'client';
  issuer: { commonName: string /** PKCS#8, P-256. */; privateKey: string };
  subject: { commonName: string; organization?: string };
  /** What is certified: a public key, or the one of a request whose signature proves that the sender holds the private one. */
  holder: { publicKey: string } | { request: string };
  dnsNames: readonly string[];
  addresses: readonly string[];
  /** Milliseconds since 1970. Every certificate begins in 1970, so that a device without a clock accepts it. */
  notAfterMs: number;
}

/** `refused`: the request is not a certificate request, is not signed by its own key, or holds another kind of key. */
export type CertificateOutcome = { certificate: string } | { refused: string };
