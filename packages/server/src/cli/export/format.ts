/** A record as PostgreSQL gave it. */
export type Row = Readonly<Record<string, unknown>>;

/** How records are written. */
export interface Format {
  /** What stands before the first record; undefined for nothing. */
  head(columns: readonly string[]): string | undefined;
  line(kind: string, columns: readonly string[], row: Row): string;
}

/** What a spreadsheet would take for a formula, which agents could have written (CWE-1236). */
const FORMULA = /^[=+\-@\t\r]/;

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/**
 * JSON Lines: each record an object with its kind before its columns. CSV (RFC 4180): a heading, then rows; lists and
 * objects stand in their cell as JSON, and a text that a spreadsheet would compute has an apostrophe before it.
 */
export const FORMATS = {
  jsonl: {
    head: () => undefined,
    line: (kind, _columns, row) => `${JSON.stringify({ kind, ...row })}\n`,
  },
  csv: {
    head: (columns) => `${columns.join(',')}\r\n`,
    line: (_kind, columns, row) => `${columns.map((column) => cell(row[column])).join(',')}\r\n`,
  },
} as const satisfies Record<string, Format>;
