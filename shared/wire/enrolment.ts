/** The paths of the master by which a device joins: who the master is, the first certificate, each later one. */
export const ENROLMENT_PATHS = {
  ca: '/skerry/v1/ca',
  enrol: '/skerry/v1/enrol',
  renew: '/skerry/v1/renew',
} as const;

/** Of a Node: when the certificate of its device ends, RFC 3339. */
export const CERTIFICATE_END_ANNOTATION = 'skerry.dev/certificate-ends';

/** What a device sends to join: the keys it made itself. */
export interface EnrolmentRequest {
  nodeName: string;
  /** PEM, P-256. */
  csr: string;
  /** Raw public keys, base64. */
  signingKey: string;
  sealingKey: string;
  /** The agent's release; absent: not told. */
  release?: string;
}

/** What the master answers: what makes the device a member. */
export interface EnrolmentAnswer {
  nodeName: string;
  clusterId: string;
  /** PEM. */
  certificate: string;
  /** From its issue to its end; certificates begin in 1970, so this is not in them. */
  lifetimeSeconds: number;
  /** PEM. */
  ca: string;
  /** The master's Ed25519 public key, raw, base64. */
  masterSigningKey: string;
  /** mqtts://host:port or wss://host:port/mqtt; '' for the port at which the device reached the master. */
  broker: string;
}
