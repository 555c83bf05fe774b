import type { Figure } from './figure.ts';

/** A number at the length that somebody reads: shares with three digits, counts with as many as tell something. */
const shown = (x: number, unit: Figure['unit']): string => {
  if (!Number.isFinite(x)) return '∞';
  if (unit === 'share') return x.toFixed(x < 0.01 && x > 0 ? 4 : 3);
  if (x >= 1_000) return Math.round(x).toLocaleString('en');
  return x.toFixed(x >= 100 || Number.isInteger(x) ? 0 : 1);
};

/** The value as text: what is said in place of a number that stands for nothing. */
export const valueText = ({ value, instead, unit }: Pick<Figure, 'value' | 'instead' | 'unit'>): string =>
  instead ?? shown(value, unit);

/** The interval as text. */
export const intervalText = ({ low, high, unit }: Pick<Figure, 'low' | 'high' | 'unit'>): string =>
  low === high ? 'exact' : `${shown(low, unit)} to ${shown(high, unit)}`;

const aimText = ({ aim, met }: Figure): string => {
  if (aim === undefined || met === null) return '';
  const limit = aim.most === undefined ? `≥ ${aim.least ?? ''}` : `≤ ${aim.most}`;
  return `${met ? 'pass' : 'MISS'} (${limit}${aim.byInterval === true ? ', by interval' : ''})`;
};

/** The table of a run: ours with its interval, the study's figure beside it, and whether the aim is met. */
export const tableOf = (figures: readonly Figure[]): string => {
  const rows = [
    ['WHAT', 'OURS', '95 %', 'STUDY', 'AIM, AND WHAT ELSE'],
    ...figures.map((one) => [
      one.says,
      valueText(one),
      intervalText(one),
      one.study ?? '',
      [aimText(one), one.note ?? ''].filter((text) => text !== '').join('; '),
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};
