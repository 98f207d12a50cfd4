import type { Status } from '../output/status.ts';

/** What a subresource that makes no object of its own answers. */
export const CREATED: Status = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
};
