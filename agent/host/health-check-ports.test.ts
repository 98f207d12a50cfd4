import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HealthCheckServers } from './health-check-ports.ts';

const problems: string[] = [];
const servers = new HealthCheckServers((message) => problems.push(message));
const check = (port: number, localEndpoints: number) => ({
  port,
  namespace: 'default',
  name: 'web',
  localEndpoints,
});

afterEach(async () => {
  await servers.serve([]);
  problems.length = 0;
});

describe('health-check node ports', () => {
  it('answer 200 with local endpoints, 503 without, and the figures', async () => {
    const port = await freePort();
    await servers.serve([check(port, 2)]);
    const good = await fetch(`http://127.0.0.1:${port}/healthz`);
    expect([good.status, good.headers.get('x-load-balancing-endpoint-weight')]).toEqual([200, '2']);
    expect(await good.json()).toEqual({
      service: { namespace: 'default', name: 'web' },
      localEndpoints: 2,
      serviceProxyHealthy: true,
    });
    await servers.serve([check(port, 0)]);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(503);
  });

  it('are closed when no Service names them', async () => {
    const port = await freePort();
    await servers.serve([check(port, 1)]);
    await servers.serve([]);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it('report a port that another program holds, and take it once it is free', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '0.0.0.0', resolve));
    const { port } = other.address() as { port: number };
    await servers.serve([check(port, 1)]);
    expect(problems).toEqual([expect.stringContaining(`health-check node port ${port} cannot`)]);
    await new Promise((resolve) => other.close(resolve));
    await servers.serve([check(port, 1)]);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
