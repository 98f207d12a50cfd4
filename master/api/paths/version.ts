import type { Exchange } from '../exchange.ts';
import { respondJson } from '../output/respond.ts';

/** The Kubernetes version whose API is served. */
const KUBERNETES_VERSION = '1.33.13';

/** `v1.33.13+skerry.0.1.0`: what /version, nodes and clients see. */
function gitVersion(packageVersion: string): string {
  return `v${KUBERNETES_VERSION}+skerry.${packageVersion}`;
}

/** GET /version (apimachinery version.Info). */
export function respondVersion(exchange: Exchange): void {
  const [major = '', minor = ''] = KUBERNETES_VERSION.split('.');
  respondJson(exchange, 200, {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: gitVersion(exchange.parts.version),
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: process.version,
    compiler: 'node',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  });
}
