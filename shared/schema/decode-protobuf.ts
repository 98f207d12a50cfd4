import { badRequest } from '../errors.ts';
import type { KubeObject } from '../meta/kube-object.ts';
import type { Gvk } from './gvk.ts';

/** Decodes a body of `application/vnd.kubernetes.protobuf`. */
export function decodeProtobuf(_kind: Gvk, _body: Uint8Array): KubeObject {
  throw badRequest('protobuf bodies are not supported yet');
}
