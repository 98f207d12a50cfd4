import { defaultRouteAddress } from '../agent/host/kernel-routes.ts';

/** The address of this machine that others know: the one that the default route leaves from, else the loopback's. */
export function defaultAddress(): string {
  return defaultRouteAddress() ?? '127.0.0.1';
}
