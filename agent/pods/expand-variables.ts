/**
 * Replaces `$(NAME)` by its value, as Kubernetes does in commands, arguments and variables: a name without a value stays as written,
 * `$$` is one `$`, so `$$(NAME)` becomes `$(NAME)`.
 */
export function expandVariables(text: string, value: (name: string) => string | undefined): string {
  return text.replace(/\$(?:\$|\(([^)]*)\))/g, (found, name: string | undefined) => {
    if (name === undefined) return '$';
    return value(name) ?? found;
  });
}
