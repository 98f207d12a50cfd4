/** Always for `latest` (and for no tag), else IfNotPresent, when the pod names no policy. */
export function pullPolicy(container: { image?: string; imagePullPolicy?: string }): string {
  if (container.imagePullPolicy !== undefined && container.imagePullPolicy !== '') {
    return container.imagePullPolicy;
  }
  const last = (container.image ?? '').split('/').at(-1) ?? '';
  if (last.includes('@')) return 'IfNotPresent';
  return !last.includes(':') || last.endsWith(':latest') ? 'Always' : 'IfNotPresent';
}
