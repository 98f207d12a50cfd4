import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { certificateRequest } from './certificate-request.ts';

test('openssl finds the request well formed, signed by its own key, and for that key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  for (const name of ['system:node:pi-1', `system:node:${'long.'.repeat(48)}name`]) {
    const request = certificateRequest(privateKey, name);
    const read = (...args: string[]) =>
      execFileSync('openssl', ['req', '-verify', '-noout', ...args], {
        input: request,
        stdio: ['pipe', 'pipe', 'pipe'],
      }).toString();
    expect(read('-pubkey')).toContain(publicKey.export({ type: 'spki', format: 'pem' }).toString());
    expect(read('-subject', '-nameopt', 'RFC2253')).toContain(`CN=${name}`);
  }
});
