/** A record as PostgreSQL gave it. */
export type Row = Readonly<Record<string, unknown>>;

/** How records are written. */
export interface Format {
  /** What stands before the first record; undefined for nothing. */
  head(columns: readonly string[]): string | undefined;
  line(kind: string, columns: readonly string[], row: Row): string;
}

/** What a spreadsheet would take for a formula, which agents could have written (CWE-1236); full-width signs count for it, too. */
const FORMULA = /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/;

const cell = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

/** Tells a spreadsheet that the text is UTF-8; other programs take it for part of the first heading. */
const BYTE_ORDER_MARK = '\uFEFF';

const csvHead = (columns: readonly string[]): string => `${columns.join(',')}\r\n`;
const csvLine = (_kind: string, columns: readonly string[], row: Row): string =>
  `${columns.map((column) => cell(row[column])).join(',')}\r\n`;

/**
 * JSON Lines: each record an object with its kind before its columns. CSV (RFC 4180): a heading, then rows; lists and
 * objects stand in their cell as JSON, and a text that a spreadsheet would compute has an apostrophe before it. `csv-bom` begins with a byte order mark, for spreadsheets that want one.
 */
export const FORMATS = {
  jsonl: {
    head: () => undefined,
    line: (kind, _columns, row) => `${JSON.stringify({ kind, ...row })}\n`,
  },
  csv: { head: csvHead, line: csvLine },
  'csv-bom': { head: (columns) => BYTE_ORDER_MARK + csvHead(columns), line: csvLine },
} as const satisfies Record<string, Format>;
