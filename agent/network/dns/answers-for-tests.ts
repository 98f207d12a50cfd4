import { decodeQuery, encodeResponse, RCODE } from './packet.ts';
import type { ZoneRecord } from './records.ts';

/** What a server answers to the bytes of a query. */
export function encodeAnswer(
  bytes: Buffer,
  answers: readonly ZoneRecord[],
  {
    rcode = RCODE.noError,
    truncated = false,
    authorities = [],
  }: { rcode?: number; truncated?: boolean; authorities?: readonly ZoneRecord[] } = {},
): Buffer {
  const query = decodeQuery(bytes);
  if (typeof query === 'string') throw new Error(`the query is ${query}`);
  const response = encodeResponse(
    query,
    { rcode, authoritative: true, answers, authorities },
    65_535,
  );
  if (truncated) response.writeUInt8(response.readUInt8(2) | 0x02, 2);
  return response;
}
