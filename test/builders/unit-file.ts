/** The settings of a systemd unit of all its sections (systemd.syntax(7)), the last of each name. */
export function unitSettings(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => /^[A-Za-z]/.test(line));
  return new Map(
    lines.map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
