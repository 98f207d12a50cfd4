import { expect, it } from 'vitest';
import { type ApiClient, ApiFailure } from './api-client.ts';
import { chooseServer, serverForDevices } from './server-for-devices.ts';

const LOOPBACK = 'https://127.0.0.1:7443';

it('a master that this kubeconfig reaches by an outer address is reached so by devices', () => {
  const server = 'https://home.example.org';
  expect(chooseServer(server, { advertised: '10.0.0.5', endpoint: '10.0.0.6' })).toBe(
    'https://home.example.org:443',
  );
});

it('where the kubeconfig names the loopback, it is the address that the master was told, else the one that it found', () => {
  expect(chooseServer(LOOPBACK, { advertised: 'home.example.org', endpoint: '10.0.0.6' })).toBe(
    'https://home.example.org:7443',
  );
  expect(chooseServer(LOOPBACK, { advertised: undefined, endpoint: '10.0.0.6' })).toBe(
    'https://10.0.0.6:7443',
  );
  expect(
    chooseServer('https://localhost:6443', { advertised: undefined, endpoint: '10.0.0.6' }),
  ).toBe('https://10.0.0.6:6443');
});

it('a master that knows no address of its own cannot be named, and what to do is said', async () => {
  const client = {
    server: LOOPBACK,
    json: () => Promise.reject(new ApiFailure(404, 'NotFound', 'endpoints "kubernetes" not found')),
  } as unknown as ApiClient;
  await expect(serverForDevices(client)).rejects.toThrow(
    /^the master knows no address by which devices reach it: start it with --advertise-address ADDRESS/,
  );
});
