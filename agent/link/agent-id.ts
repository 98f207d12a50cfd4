/** 12 hex digits, from the file at `path`. Throws on anything else: with '' the things of every agent of the machine would look like its own. */
export function agentIdFrom(text: string, path: string): string {
  const id = text.trim();
  if (/^[0-9a-f]{12}$/.test(id)) return id;
  throw new Error(
    `${path} is damaged: put it back from a backup; the names of the agent's containers have the id: skerry-<id>-…`,
  );
}
