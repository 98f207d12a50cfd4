import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { authenticate, authenticateExpired } from './authenticate.ts';

const subject = { CN: 'system:node:a', O: 'system:nodes' };
const raw = Buffer.from('certificate');

function connection(state: { authorized: boolean; authorizationError?: string }): Socket {
  return { ...state, getPeerCertificate: () => ({ subject, raw }) } as unknown as Socket;
}

test('the name and the groups come from a verified certificate', () => {
  expect(authenticate(connection({ authorized: true }))).toEqual({
    name: 'system:node:a',
    groups: ['system:nodes', 'system:authenticated'],
  });
  expect(authenticate(connection({ authorized: false }))).toBeUndefined();
});

test('an expired certificate is believed when the cluster made it', () => {
  const expired = connection({ authorized: false, authorizationError: 'CERT_HAS_EXPIRED' });
  expect(authenticate(expired)).toBeUndefined();
  expect(authenticateExpired(expired, (bytes) => raw.equals(bytes))?.name).toBe('system:node:a');
  expect(authenticateExpired(expired, () => false)).toBeUndefined();
});

test('a certificate that is wrong in another way is not believed, whoever made it', () => {
  const strange = connection({
    authorized: false,
    authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  });
  expect(authenticateExpired(strange, () => true)).toBeUndefined();
  expect(authenticateExpired(connection({ authorized: false }), () => true)).toBeUndefined();
});
