/** How times, numbers and words look in the console. Pure: the instant of now is passed in. */

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['min', 60],
] as const;

/** How long ago (or until when) something is, in one unit: `3 min ago`, `in 2 hours`, `now`. */
export const relativeTime = (at: string, now: number): string => {
  const seconds = Math.round((Date.parse(at) - now) / 1000);
  const size = Math.abs(seconds);
  if (size < 5) return 'now';
  const [unit, length] = UNITS.find(([, from]) => size >= from) ?? (['s', 1] as const);
  const count = Math.floor(size / length);
  const words = `${count} ${unit}${(unit === 'day' || unit === 'hour') && count !== 1 ? 's' : ''}`;
  return seconds < 0 ? `${words} ago` : `in ${words}`;
};

/** An instant in full, in the reader's time zone. */
export const exactTime = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** A clock time in the reader's time zone. */
export const clockTime = (at: number): string => new Date(at).toLocaleTimeString(undefined, { timeStyle: 'short' });

/** A number of at most `digits` places after the point; a dash for what is not known. */
export const number = (value: number | null | undefined, digits = 2): string =>
  value == null ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });

/** A share as whole percent; a dash for what is not known. */
export const percent = (share: number | null | undefined): string =>
  share == null ? '–' : `${Math.round(share * 100)} %`;

/** A gap between claim and result in points of percent, with its sign: above 0 the claims run ahead. */
export const points = (gap: number | null | undefined): string => {
  if (gap == null) return '–';
  const whole = Math.round(gap * 100);
  return `${whole > 0 ? '+' : ''}${whole === 0 ? 0 : whole}`;
};

/** A size in bytes, in the largest unit that keeps it above 1; a dash for what is not known. */
export const size = (bytes: number | null): string => {
  if (bytes === null) return '–';
  const unit = Math.min(4, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${number(bytes / 1024 ** unit, unit === 0 ? 0 : 1)} ${['B', 'KB', 'MB', 'GB', 'TB'][unit] ?? ''}`;
};

/** A word of the wire for a person: `waiting_input` is "waiting input". */
export const words = (text: string): string => text.replaceAll('_', ' ');

/** `1 agent`, `2 agents`. */
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;

/** Anything that JSON can say, on one line for a cell. */
export const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
