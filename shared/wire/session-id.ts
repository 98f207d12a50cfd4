/**
 * A session is one connection of an agent: `<start>.<connection>`. `start` counts the agent's starts on its disk (saved before its
 * first use, so it only rises), `connection` the connections since. It is in the will and in the birth, so that the will of a connection that was taken
 * over does not speak for its successor, and in every later message, so that nothing of an earlier session can be played again.
 */
export interface Session {
  start: number;
  connection: number;
}

export function formatSession({ start, connection }: Session): string {
  return `${start}.${connection}`;
}

export function parseSession(text: string): Session | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text);
  return match ? { start: Number(match[1]), connection: Number(match[2]) } : undefined;
}

/** Whether `a` began after `b`. */
export function isLaterSession(a: Session, b: Session): boolean {
  return a.start > b.start || (a.start === b.start && a.connection > b.connection);
}
