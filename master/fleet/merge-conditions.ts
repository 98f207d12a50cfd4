interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/**
 * The conditions of an object after a report: those that were reported, and those of other types, which others keep. A condition
 * whose status did not change keeps the time of its transition; one that did gets `nowText` where the report has no time.
 */
export function mergeConditions<T extends Condition>(
  current: readonly T[] | undefined,
  reported: readonly T[] | undefined,
  nowText: string,
): T[] {
  const before = new Map(current?.map((condition) => [condition.type, condition]));
  const merged = (reported ?? []).map((condition) => {
    const known = before.get(condition.type);
    before.delete(condition.type);
    const lastTransitionTime =
      known?.status === condition.status ? known.lastTransitionTime : condition.lastTransitionTime;
    return { ...condition, lastTransitionTime: lastTransitionTime ?? nowText };
  });
  return [...before.values(), ...merged];
}
