import type { EnrolmentAnswer, EnrolmentRequest } from '../../shared/wire/enrolment.ts';

/** What api/ needs of pki and fleet for POST /skerry/v1/enrol (bearer join token) and /skerry/v1/renew (client certificate). */
export interface NodeEnrolment {
  /** Throws ApiError: Unauthorized (unknown, expired, used up, malformed token), Conflict (name held by another device), BadRequest. */
  enrol(token: string, request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Throws ApiError: Forbidden (the node was removed), Conflict, BadRequest. */
  renew(nodeName: string, request: EnrolmentRequest): Promise<EnrolmentAnswer>;
  /** Whether the cluster's CA signed this certificate (DER), whatever its dates. */
  hasSigned(certificate: Uint8Array): boolean;
}
