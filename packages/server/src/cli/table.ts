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

/**
 * Lays rows out under their headings as lines. Each column is as wide as its widest cell; a column of numbers stands to
 * the right. Where `columns` is given and a line would be longer, the widest columns of text are cut, with an ellipsis,
 * ids and the first column only when nothing else is left to cut. Control characters are left out.
 */
export const tableLines = (
  headings: readonly string[],
  cells: readonly (readonly string[])[],
  columns?: number,
): string[] => {
  const rows = cells.map((row) => row.map(tame));
  const columnsOf = headings.map((_, i) => rows.map((row) => row[i] ?? ''));
  const widths = headings.map((heading, i) =>
    Math.max(widthOf(heading), ...(columnsOf[i] ?? []).map((cell) => widthOf(cell))),
  );
  const right = columnsOf.map(
    (column) => column.some((cell) => NUMBER.test(cell)) && column.every((c) => NUMBER.test(c) || ABSENT.has(c)),
  );
  const kept = columnsOf.map(isKept);
  const floorOf = (i: number): number => Math.max(SMALLEST, widthOf(headings[i] ?? ''));
  const shrink = (over: number, may: (i: number) => boolean): number => {
    let left = over;
    while (left > 0) {
      let widest = -1;
      for (let i = 0; i < widths.length; i += 1) {
        const width = widths[i] ?? 0;
        if (may(i) && width > floorOf(i) && width > (widths[widest] ?? 0)) widest = i;
      }
      if (widest === -1) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      left -= 1;
    }
    return left;
  };
  if (columns !== undefined) {
    const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
    const left = shrink(total - columns, (i) => kept[i] !== true && right[i] !== true);
    if (left > 0) shrink(left, (i) => right[i] !== true);
  }
  return [headings, ...rows].map((row) =>
    row
      .map((cell, i) => pad(cut(cell, widths[i] ?? 0), widths[i] ?? 0, right[i] === true))
      .join(GAP)
      .trimEnd(),
  );
};
