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

export interface EnrolmentAnswer {
  nodeName: string;
  clusterId: string;
  /** PEM. */
  certificate: string;
  /** From its issue to its end; certificates begin in 1970, so this is not in them. */
  lifetimeSeconds: number;
  ca: string;
  /** The master's Ed25519 public key, raw, base64. */
  masterSigningKey: string;
  /** mqtts://host:port or wss://host:port/mqtt; '' for the port at which the device reached the master. */
  broker: string;
}

/** What api/ needs of pki and fleet for POST /skerry/v1/enrol (bearer join token) and /skerry/v1/renew (client certificate). */
export interface NodeEnrolment {
  /** Throws ApiError: Unauthorized (unknown, expired, used up, malformed token), Conflict (name held by another device), BadRequest. */
  enrol(token: string, request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Throws ApiError: Forbidden (the node was removed), Conflict, BadRequest. */
  renew(nodeName: string, request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Whether the cluster's CA signed this certificate (DER), whatever its dates. */
  hasSigned(certificate: Uint8Array): boolean;
}
