/**
 * The kinds whose shape is generated into shared/schema/, by the file name of their model in @kubernetes/client-node 1.3.0;
 * everything that they refer to follows. A new kind: add its name here, then run `npx tsx .ci/generate-types.ts` and
 * `npx tsx .ci/generate-schema.ts`.
 */
export const KIND_MODELS = [
  'V1Namespace',
  'V1Node',
  'V1Pod',
  'V1ReplicaSet',
  'V1Deployment',
  'V1Service',
  'V1Endpoints',
  'V1EndpointSlice',
  'V1ConfigMap',
  'V1Secret',
  'V1ServiceAccount',
  'CoreV1Event',
  'V1Lease',
  'V1Scale',
  'V1Binding',
  'V1Status',
  'V1DeleteOptions',
];

/** Kinds that are only decoded and described; no code works with their type. */
export const SCHEMA_ONLY_MODELS = ['V1Eviction'];
