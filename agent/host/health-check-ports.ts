import { createServer, type Server } from 'node:http';

/** What a load balancer asks: whether the node has endpoints of a Service. */
export interface HealthCheck {
  port: number;
  namespace: string;
  name: string;
  localEndpoints: number;
}

/**
 * Health-check node ports, on every address of the node: 200 with at least one local endpoint, 503 without, and the figures as JSON, as
 * kube-proxy answers.
 */
export class HealthCheckServers {
  readonly #onError: (message: string) => void;
  readonly #servers = new Map<number, Server>();
  #checks = new Map<number, HealthCheck>();

  /** `onError` is told of ports that cannot be opened. */
  constructor(onError: (message: string) => void) {
    this.#onError = onError;
  }

  /** Serves these and no others. */
  async serve(checks: readonly HealthCheck[]): Promise<void> {
    this.#checks = new Map(checks.map((check) => [check.port, check]));
    for (const [port, server] of this.#servers) {
      if (this.#checks.has(port)) continue;
      this.#servers.delete(port);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    for (const port of this.#checks.keys()) if (!this.#servers.has(port)) await this.#open(port);
  }

  async #open(port: number): Promise<void> {
    const server = createServer((_request, response) => {
      const check = this.#checks.get(port);
      const count = check?.localEndpoints ?? 0;
      response.writeHead(count > 0 ? 200 : 503, {
        'Content-Type': 'application/json',
        'X-Content-Type-Options': 'nosniff',
        'X-Load-Balancing-Endpoint-Weight': String(count),
      });
      const service = { namespace: check?.namespace, name: check?.name };
      response.end(JSON.stringify({ service, localEndpoints: count, serviceProxyHealthy: true }));
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, '0.0.0.0', resolve);
      });
      this.#servers.set(port, server);
    } catch (error) {
      this.#onError(`health-check node port ${port} cannot be opened: ${String(error)}`);
    }
  }
}
