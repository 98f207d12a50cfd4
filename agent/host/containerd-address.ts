/** containerd's socket: $CONTAINERD_ADDRESS, as for its own `ctr`, else where distributions put it. */
export function containerdAddress(environment: NodeJS.ProcessEnv = process.env): string {
  return environment['CONTAINERD_ADDRESS'] || '/run/containerd/containerd.sock';
}
