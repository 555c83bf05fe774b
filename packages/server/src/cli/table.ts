import { tame } from './terminal.ts';

const GAP = '  ';
/** A column of text is never cut below this: less says nothing. */
const SMALLEST = 8;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const NUMBER = /^[~<≤≥+-]?\d[\d,.]*( ?(%|ms|s|min|h|d|B|KB|MB|GB))?$/;
const ABSENT = new Set(['-', '']);

/** Characters as a person counts them, so that no cut leaves half of one. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
/** East Asian wide and full-width characters and emoji take two columns. */
const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;
const PLAIN = /^[\x20-\x7e]*$/;

const widthOf = (text: string): number => {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
};

const cut = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = used + (WIDE.test(segment) ? 2 : 1);
    if (next > width - 1) break;
    kept += segment;
    used = next;
  }
  return `${kept}…`;
};

const pad = (text: string, width: number, right: boolean): string => {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return right ? space + text : text + space;
};

/** Ids are copied into the next command, and what a row is called leads it: such columns are cut last. */
const isKept = (cells: readonly string[], column: number): boolean =>
  column === 0 || cells.some((cell) => UUID.test(cell));

/** A column of text that is cut below this tells its rows apart no more; others are left out first. */
const LEGIBLE = 16;
/** What a row is called and what is said of it stay, however narrow the terminal is. */
const LEAST_COLUMNS = 2;

/**
 * The columns that a width has room for, so that each stays legible: ids, numbers and the first column whole. Those that come
 * last in `wanted` go first, and the rightmost where it does not say.
 */
const roomFor = (
  headings: readonly string[],
  needs: readonly number[],
  columns: number,
  wanted: readonly string[],
): readonly number[] => {
  const rank = (i: number): number => {
    const at = wanted.indexOf(headings[i] ?? '');
    return at === -1 ? wanted.length + i : at;
  };
  const ranked = headings.map((_, i) => i).sort((a, b) => rank(a) - rank(b));
  const widthWith = (chosen: readonly number[]): number =>
    chosen.reduce((sum, i) => sum + (needs[i] ?? 0), 0) + GAP.length * (chosen.length - 1);
  let chosen = ranked;
  while (chosen.length > LEAST_COLUMNS && widthWith(chosen) > columns) chosen = chosen.slice(0, -1);
  return chosen.toSorted((a, b) => a - b);
};

/**
 * Lays rows out under their headings as lines. Each column is as wide as its widest cell; a column of numbers stands to
 * the right. Where `columns` is given and a line would be longer, the widest columns of text are cut, with an ellipsis; where
 * they would not be legible, columns are left out, those that `wanted` names last or not at all first, and a last line
 * names them. Ids and the first column are cut only when nothing else is left. Control characters are left out.
 */
export const tableLines = (
  allHeadings: readonly string[],
  cells: readonly (readonly string[])[],
  columns?: number,
  wanted: readonly string[] = [],
): string[] => {
  const allRows = cells.map((row) => row.map(tame));
  const shown =
    columns === undefined
      ? allHeadings.map((_, i) => i)
      : roomFor(allHeadings, needsOf(allHeadings, allRows), columns, wanted);
  const pick = (row: readonly string[]): string[] => shown.map((i) => row[i] ?? '');
  const lines = layOut(pick(allHeadings), allRows.map(pick), columns);
  const left = allHeadings.filter((_, i) => !shown.includes(i));
  const note = `(no room for ${left.join(', ')}: a wider terminal, a pipe or --json has all)`;
  return left.length === 0 ? lines : [...lines, cut(note, columns ?? note.length)];
};

const isNumbers = (column: readonly string[]): boolean =>
  column.some((cell) => NUMBER.test(cell)) && column.every((cell) => NUMBER.test(cell) || ABSENT.has(cell));

/** The least width at which each column is legible. */
const needsOf = (headings: readonly string[], rows: readonly (readonly string[])[]): readonly number[] =>
  headings.map((heading, i) => {
    const column = rows.map((row) => row[i] ?? '');
    const width = Math.max(widthOf(heading), ...column.map((cell) => widthOf(cell)));
    return isKept(column, i) || isNumbers(column) ? width : Math.min(width, Math.max(LEGIBLE, widthOf(heading)));
  });

const layOut = (headings: readonly string[], rows: readonly (readonly string[])[], columns?: number): string[] => {
  const columnsOf = headings.map((_, i) => rows.map((row) => row[i] ?? ''));
  const widths = headings.map((heading, i) =>
    Math.max(widthOf(heading), ...(columnsOf[i] ?? []).map((cell) => widthOf(cell))),
  );
  const right = columnsOf.map(isNumbers);
  const kept = columnsOf.map(isKept);
  const floorOf = (i: number): number => Math.max(SMALLEST, widthOf(headings[i] ?? ''));
  const needs = needsOf(headings, rows);
  const shrink = (over: number, may: (i: number) => boolean, least = floorOf): number => {
    let left = over;
    while (left > 0) {
      let widest = -1;
      for (let i = 0; i < widths.length; i += 1) {
        const width = widths[i] ?? 0;
        if (may(i) && width > least(i) && width > (widths[widest] ?? 0)) widest = i;
      }
      if (widest === -1) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      left -= 1;
    }
    return left;
  };
  if (columns !== undefined) {
    const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
    const isText = (i: number) => kept[i] !== true && right[i] !== true;
    const illegible = shrink(total - columns, isText, (i) => needs[i] ?? 0);
    const left = shrink(illegible, isText);
    if (left > 0) shrink(left, (i) => right[i] !== true);
  }
  return [headings, ...rows].map((row) =>
    row
      .map((cell, i) => pad(cut(cell, widths[i] ?? 0), widths[i] ?? 0, right[i] === true))
      .join(GAP)
      .trimEnd(),
  );
};
