/** A number, or a string that is a percentage (`25%`) or a name, depending on the field. */
export type IntOrString = number | string;

/**
 * The whole number that a number or a percentage of `total` stands for (intstr.GetScaledValueFromIntOrPercent). Undefined for a string
 * that is not a percentage.
 */
export function scaledValue(
  value: IntOrString,
  total: number,
  rounding: 'up' | 'down',
): number | undefined {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined) return undefined;
  const scaled = (percent * total) / 100;
  return rounding === 'up' ? Math.ceil(scaled) : Math.floor(scaled);
}

/** The number before the percent sign; undefined when the text is no percentage. */
export function percentOf(value: IntOrString): number | undefined {
  if (typeof value === 'number') return undefined;
  const digits = /^(\d+)%$/.exec(value)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The value as Go's %#v prints an intstr.IntOrString, which some messages show. */
export function goIntOrString(value: IntOrString | undefined): string {
  const [type, int, text] = typeof value === 'string' ? [1, 0, value] : [0, value ?? 0, ''];
  return `intstr.IntOrString{Type:${type}, IntVal:${int}, StrVal:${JSON.stringify(text)}}`;
}
