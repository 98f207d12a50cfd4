import type { TCPSocketAction } from '../../shared/schema/kubernetes-types.ts';
import { tcpAnswer } from '../host/tcp-answers.ts';
import { type ProbeAnswer, type ProbeTarget, resolvePort } from './handler.ts';

/** That the port accepts a connection is success. */
export async function probeTcp(action: TCPSocketAction, target: ProbeTarget): Promise<ProbeAnswer> {
  const peer = {
    address: action.host || target.host,
    port: resolvePort(action.port, target.container),
  };
  const answer = await tcpAnswer(peer, target.timeoutMs);
  if (answer === 'open') return { outcome: 'success', output: '' };
  const why = answer === 'closed' ? 'connect: connection refused' : 'i/o timeout';
  return { outcome: 'failure', output: `dial tcp ${peer.address}:${peer.port}: ${why}` };
}
