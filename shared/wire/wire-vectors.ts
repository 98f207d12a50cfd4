/**
 * One message in every form that both ends must agree on, made with fixed keys: the master's and the agent's own cryptography are
 * tested against it. Keys are raw, base64 unless named Hex.
 */
export const WIRE_VECTORS = {
  address: { cluster: 'c1', node: 'pi.lan', leaf: 'd' },
  /** Seed of the Ed25519 key that signed the frame. */
  signingSeedHex: '11'.repeat(32),
  signingPublicKey: '0EqyMnQrtKs6E2i9RhXk5tAiSrcaAWuvhSCjMsl3hzc=',
  header: { kind: 'seen', session: '7.2', epoch: 1, term: 3, generation: 12, sequence: 5 },
  body: '{"sequence":9,"refused":[]}',
  frame:
    'AXEk7Kds5hzIWqe4dyMdDZfci3TSs7LwMJA8hYXmVo92CGucETniso3mI64PbYdNMN7yY/8nJ+UaiCGl73E4EQoAAC97ImsiOiJzZWVuIiwieCI6IjcuMiIsImUiOjEsInQiOjMsImciOjEyLCJzIjo1fXsic2VxdWVuY2UiOjksInJlZnVzZWQiOltdfQ==',
  /** Private X25519 key of the node. */
  sealingSeedHex: '22'.repeat(32),
  sealingPublicKey: 'D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA=',
  document: { key: 'secrets/default/token', version: 'u1.12.k1' },
  plain: '{"data":{"password":"czNjcjN0"}}',
  sealed:
    'AXsNR9k0J/gxEWB4HHxzP9ifiJcK70kNiqDuGaTLihsURERERERERERERERE4oiBN6DhtWIEqm6BIZ4CknM0LCjHB62B/Ofi+bEDK+0OU5y05/8JbJ5WIXPXk2u2',
  documents: [
    { key: 'pods/default/web', version: 'v1' },
    { key: 'nodes//pi.lan', version: 'v2' },
  ],
  stateHash: '90fa9698b43f70bf20bdfcef575188b3b64df689ae35c570378231623be49096',
} as const;
