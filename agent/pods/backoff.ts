/** How long to wait before the next try of one thing, and when that was decided; times on the agent's own steady axis. */
export interface BackoffEntry {
  delayMs: number;
  updatedAtMs: number;
}

export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/** The kubelet's own figures for restarts (CrashLoopBackOff) and for pulls (ImagePullBackOff): 10 s, doubling to 5 min. */
export const KUBELET_BACKOFF: BackoffLimits = { firstMs: 10_000, maxMs: 300_000 };

/**
 * Milliseconds still to wait when the thing failed at `eventAtMs`; 0: try now. Times in the future (the clock went back) count as now,
 * so the wait is never longer than the delay. Like client-go's flowcontrol.Backoff.IsInBackOffSince.
 */
export function backoffLeftMs(
  entry: BackoffEntry | undefined,
  eventAtMs: number,
  nowMs: number,
  limits: BackoffLimits = KUBELET_BACKOFF,
): number {
  if (entry === undefined || isStable(entry, eventAtMs, limits)) return 0;
  const sinceMs = Math.max(0, nowMs - eventAtMs);
  return Math.max(0, entry.delayMs - sinceMs);
}

/** The entry after another try: the delay doubles, or starts anew when the thing had been well for twice the largest delay. */
export function nextBackoff(
  entry: BackoffEntry | undefined,
  eventAtMs: number,
  nowMs: number,
  limits: BackoffLimits = KUBELET_BACKOFF,
): BackoffEntry {
  if (entry === undefined || isStable(entry, eventAtMs, limits)) {
    return { delayMs: limits.firstMs, updatedAtMs: nowMs };
  }
  return { delayMs: Math.min(limits.maxMs, entry.delayMs * 2), updatedAtMs: nowMs };
}

function isStable(entry: BackoffEntry, eventAtMs: number, limits: BackoffLimits): boolean {
  return eventAtMs - entry.updatedAtMs > 2 * limits.maxMs;
}

/** Whole seconds as Go prints a duration: `10s`, `1m20s`, `5m0s`. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${seconds % 60}s`;
  if (hours > 0) return `${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
