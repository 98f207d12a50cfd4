/** What all condition types share: pods', nodes', deployments', namespaces'. */
export interface AnyCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

export function findCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(
  conditions: readonly AnyCondition[] | undefined,
  type: string,
): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The conditions with `next` in the place of the one of its type. lastTransitionTime is the one of `next` (by default `now`) only when
 * the status changed; otherwise the old one stays. The list itself is returned when nothing changed.
 */
export function setCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  next: C,
  now: string,
): C[] {
  const list = conditions ?? [];
  const previous = findCondition(list, next.type);
  if (previous === undefined) {
    return [...list, { ...next, lastTransitionTime: next.lastTransitionTime ?? now }];
  }
  const lastTransitionTime =
    previous.status === next.status
      ? (previous.lastTransitionTime ?? now)
      : (next.lastTransitionTime ?? now);
  const merged = { ...next, lastTransitionTime };
  if (isSame(previous, merged)) return list as C[];
  return list.map((condition) => (condition === previous ? merged : condition));
}

export function removeCondition<C extends AnyCondition>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}

function isSame(a: AnyCondition, b: AnyCondition): boolean {
  const left = a as unknown as Record<string, unknown>;
  const right = b as unknown as Record<string, unknown>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => left[key] === right[key]);
}
