import type { GRPCAction } from '../../shared/schema/kubernetes-types.ts';
import { KUBERNETES_MINOR } from '../../shared/version.ts';
import { type GrpcAnswer, grpcCall } from '../host/grpc-call.ts';
import type { ProbeAnswer, ProbeTarget } from './handler.ts';

const UNIMPLEMENTED = 12;
const SERVING = 1;
/** HealthCheckResponse.ServingStatus. */
const STATUS = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** grpc.health.v1.Health/Check: that the service is SERVING is success. */
export async function probeGrpc(
  { port, service = '' }: GRPCAction,
  { host, timeoutMs, signal }: ProbeTarget,
): Promise<ProbeAnswer> {
  const userAgent = `kube-probe/${KUBERNETES_MINOR}`;
  const path = '/grpc.health.v1.Health/Check';
  const message = checkRequest(service);
  let answer: GrpcAnswer;
  try {
    answer = await grpcCall({ host, port, path, userAgent, message, timeoutMs, signal });
  } catch (error) {
    const words = `failed to connect service "${host}:${port}": ${(error as Error).message}`;
    return { outcome: 'failure', output: `timeout: ${words}` };
  }
  if (answer.status === UNIMPLEMENTED) {
    const words = 'this server does not implement the grpc health protocol (grpc.health.v1.Health)';
    return { outcome: 'failure', output: `error: ${words}: ${answer.words}` };
  }
  if (answer.status !== 0) {
    return { outcome: 'failure', output: `error: health rpc probe failed: ${answer.words}` };
  }
  const status = servingStatus(answer.message);
  if (status === SERVING) return { outcome: 'success', output: 'service healthy' };
  const said = STATUS[status] ?? status;
  return { outcome: 'failure', output: `service unhealthy (responded with "${said}")` };
}

/** HealthCheckRequest: field 1 is the service's name; none for the server as a whole. */
function checkRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  if (name.length === 0) return name;
  const length: number[] = [];
  for (let left = name.length; ; left >>= 7) {
    length.push(left > 0x7f ? (left & 0x7f) | 0x80 : left);
    if (left <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), name]);
}

/** HealthCheckResponse: field 1 is the status, absent for 0. */
function servingStatus(message: Buffer): number {
  return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
