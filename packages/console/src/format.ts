/** How times, numbers and words look in the console. Pure: the instant of now is passed in. */

const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;
/** An end that is less than this many seconds away is told in hours: "in 2 days" would hide most of a day. */
const IN_HOURS = 4 * DAY;

const told = (count: number, unit: string): string =>
  `${count} ${unit}${(unit === 'day' || unit === 'hour') && count !== 1 ? 's' : ''}`;

/** How long ago something was: whole units that have passed, so that nothing is older than it says by a unit. */
const ago = (seconds: number): string => {
  if (seconds < MINUTE) return told(seconds, 's');
  if (seconds < HOUR) return told(Math.floor(seconds / MINUTE), 'min');
  return seconds < DAY ? told(Math.floor(seconds / HOUR), 'hour') : told(Math.floor(seconds / DAY), 'day');
};

/** How far an end is away, to the nearest unit: a pause of 72 hours that began a minute ago still ends in 72 hours. */
const ahead = (seconds: number): string => {
  if (seconds < MINUTE) return told(seconds, 's');
  const minutes = Math.round(seconds / MINUTE);
  if (minutes < 60) return told(minutes, 'min');
  return seconds < IN_HOURS ? told(Math.round(seconds / HOUR), 'hour') : told(Math.round(seconds / DAY), 'day');
};

/** How long ago (or until when) something is, in one unit: `3 min ago`, `in 2 hours`, `now`. */
export const relativeTime = (at: string, now: number): string => {
  const seconds = Math.round((Date.parse(at) - now) / 1000);
  if (Math.abs(seconds) < 5) return 'now';
  return seconds < 0 ? `${ago(-seconds)} ago` : `in ${ahead(seconds)}`;
};

/** An instant in full, in the reader's time zone, which it names. */
export const exactTime = (at: string): string =>
  new Date(at).toLocaleString(undefined, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });

/** A clock time in the reader's time zone. */
export const clockTime = (at: number): string => new Date(at).toLocaleTimeString(undefined, { timeStyle: 'short' });

/**
 * The marks of a time axis, as the reader writes times: clock times, with seconds where marks are closer than a minute, and
 * with the day where the first mark is or midnight has passed. `splits` in seconds since the epoch, `step` between them.
 */
export const axisTimes = (
  splits: readonly number[],
  step: number,
  locale?: string,
  timeZone?: string,
): readonly string[] => {
  const day = new Intl.DateTimeFormat(locale, { month: 'short', day: 'numeric', timeZone });
  const time = new Intl.DateTimeFormat(locale, {
    hour: 'numeric',
    minute: '2-digit',
    ...(step < MINUTE && { second: '2-digit' }),
    timeZone,
  });
  let last: string | undefined;
  return splits.map((split) => {
    const at = new Date(split * 1000);
    const date = day.format(at);
    const isNew = date !== last;
    last = date;
    if (step >= DAY) return date;
    return isNew ? `${time.format(at)}\n${date}` : time.format(at);
  });
};

/** A number of at most `digits` places after the point; a dash for what is not known. */
export const number = (value: number | null | undefined, digits = 2): string =>
  value == null ? '–' : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: 0 });

/** A share as whole percent; a dash for what is not known. */
export const percent = (share: number | null | undefined): string =>
  share == null ? '–' : `${Math.round(share * 100)}%`;

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
