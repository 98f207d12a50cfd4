/** Whether two JSON values say the same: order of keys is nothing, and a key whose value is undefined is absent. */
export function equalJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) return equalArrays(left, right);
  return equalObjects(left as Record<string, unknown>, right as Record<string, unknown>);
}

function equalArrays(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
  return left.every((item, index) => equalJson(item, right[index]));
}

function equalObjects(left: Record<string, unknown>, right: Record<string, unknown>): boolean {
  const present = (object: Record<string, unknown>) =>
    Object.keys(object).filter((key) => object[key] !== undefined);
  const keys = present(left);
  return (
    keys.length === present(right).length && keys.every((key) => equalJson(left[key], right[key]))
  );
}
