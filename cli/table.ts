/** Rows as aligned text: three spaces between columns, nothing behind the last, as kubectl prints. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, seenLength(cell));
    });
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - seenLength(cell)))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** Without what only changes colours. */
function seenLength(cell: string): number {
  return cell.replaceAll(COLOUR, '').length;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what a colour begins with (ECMA-48)
const COLOUR = /\u001b\[\d+m/g;
