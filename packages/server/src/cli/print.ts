/** A time for people and programs: ISO 8601, UTC, to the second. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/**
 * Prints rows under their headings, each column as wide as its widest cell. Control characters are left out: what agents
 * and operators wrote must not steer the terminal.
 */
export const printTable = (headings: readonly string[], cells: readonly (readonly string[])[]): void => {
  const rows = cells.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}+/gu, ' ')));
  const widths = headings.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [headings, ...rows]) {
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
};
