import { tableLines } from './table.ts';
import { paint, tame, terminalOf } from './terminal.ts';

/** A time for people and programs: ISO 8601, UTC, to the second. */
export const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** Bytes for a person. */
export const sizeText = (bytes: number): string => {
  const unit = Math.min(3, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${(bytes / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${['B', 'KB', 'MB', 'GB'][unit] ?? ''}`;
};

/** Prints rows under their headings, so that they fit the terminal; in full where standard output is none. */
export const printTable = (headings: readonly string[], cells: readonly (readonly string[])[]): void => {
  const terminal = terminalOf(process.stdout);
  const [head = '', ...lines] = tableLines(headings, cells, terminal.columns);
  console.log([paint(head, 'bold', terminal), ...lines].join('\n'));
};

/** A time of the wire for a person: to the second, and a dash for one that is not known. */
export const instantText = (iso: string | null): string => (iso === null ? '-' : iso.replace(/\.\d{3}Z$/, 'Z'));

const NAME_WIDTH = 16;

/** Prints facts under each other, each after its name; what is null or empty is left out. */
export const printFacts = (facts: readonly (readonly [name: string, text: string | null])[]): void => {
  for (const [name, text] of facts) {
    if (text !== null && text !== '') console.log(`${name.padEnd(NAME_WIDTH)}${tame(text)}`);
  }
};
