import { tableLines } from './table.ts';
import { paint, tame, terminalOf } from './terminal.ts';
import { say } from './output.ts';

/** A time for people and programs: ISO 8601, UTC, to the second. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** Bytes for a person. */
export const sizeText = (bytes: number): string => {
  const unit = Math.min(3, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${['B', 'KB', 'MB', 'GB'][unit] ?? ''}`;
};

/** Prints rows under their headings, so that they fit the terminal; in full where standard output is none. */
export const printTable = (
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  /** Headings, the most wanted first: what is not among them gives way first on a narrow terminal. */
  wanted: readonly string[] = [],
): void => {
  const terminal = terminalOf(process.stdout);
  const [head = '', ...lines] = tableLines(headings, cells, terminal.columns, wanted);
  say([paint(head, 'bold', terminal), ...lines].join('\n'));
};

/** A time of the wire for a person: to the second, and a dash for one that is not known. */
export const instantText = (iso: string | null): string => (iso === null ? '-' : iso.replace(/\.\d{3}Z$/, 'Z'));

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** How long ago a moment was, or until it, in one unit, rounded to the nearest. */
export const agoText = (at: number, now: number): string => {
  const distance = Math.abs(now - at);
  const [ms, unit] = UNITS.find(([size]) => distance >= size) ?? [1000, 's'];
  const text = `${Math.round(distance / ms)} ${unit}`;
  return at > now ? `in ${text}` : `${text} ago`;
};

/** A time of the wire in a table: how long ago on a terminal, where a person reads it; exact anywhere else. */
export const whenText = (iso: string | null, now: number): string =>
  iso === null || !process.stdout.isTTY ? instantText(iso) : agoText(Date.parse(iso), now);

const NAME_WIDTH = 16;

/** Prints facts under each other, each after its name; what is null or empty is left out. */
export const printFacts = (facts: readonly (readonly [name: string, text: string | null])[]): void => {
  for (const [name, text] of facts) {
    if (text !== null && text !== '') say(`${name.padEnd(NAME_WIDTH)}${tame(text)}`);
  }
};
