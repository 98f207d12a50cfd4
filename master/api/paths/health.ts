import type { Exchange, HealthCheck } from '../exchange.ts';
import { respondText } from '../output/respond.ts';

const PATH = /^\/(healthz|livez|readyz)(?:\/([^/]+))?\/?$/;

/** GET /healthz, /livez, /readyz, with ?verbose and ?exclude, and one check alone: /readyz/NAME. Undefined for other paths. */
export function healthHandler(path: string): ((exchange: Exchange) => void) | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, probe = '', name] = match;
  return (exchange) => {
    const checks = checksOf(exchange);
    if (name === undefined) {
      respondAll(exchange, probe, checks);
      return;
    }
    const check = checks.find((candidate) => candidate.name === name);
    if (check === undefined) respondText(exchange, 404, '404 page not found\n');
    else respondAll(exchange, name, [check]);
  };
}

const PING: HealthCheck = { name: 'ping', failure: () => undefined };

function checksOf({ parts, query }: Exchange): HealthCheck[] {
  const excluded = query.getAll('exclude');
  return [PING, ...parts.healthChecks].filter((check) => !excluded.includes(check.name));
}

function respondAll(exchange: Exchange, probe: string, checks: readonly HealthCheck[]): void {
  const results = checks.map(({ name, failure }) => ({ name, failure: failure() }));
  const failed = results.some((result) => result.failure !== undefined);
  if (!failed && !exchange.query.has('verbose')) {
    respondText(exchange, 200, 'ok');
    return;
  }
  const lines = results.map(({ name, failure }) =>
    failure === undefined ? `[+]${name} ok` : `[-]${name} failed: ${failure}`,
  );
  const verdict = `${probe} check ${failed ? 'failed' : 'passed'}`;
  respondText(exchange, failed ? 500 : 200, `${[...lines, verdict].join('\n')}\n`);
}
