/** What {@link readTime} takes, in the words of a refusal. */
export const TIME_RULE = 'must be a time such as 2026-05-31T12:00:00Z or 2026-05-31T14:00+02:00, or a day (UTC)';

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):(\d{2}))?)?$/;
const MINUTE_MS = 60_000;
const FIRST_MS = -62_135_596_800_000; // 0001-01-01T00:00:00Z; PostgreSQL knows no year 0
const LAST_MS = 253_402_300_799_999; // the end of 9999

/**
 * The one reader of times that callers send: RFC 3339 with an offset or Z; without one it is UTC, seconds may be left out,
 * and a day alone is its first instant. Gives ms since the epoch, of the years 1 to 9999; undefined for anything else,
 * 30 February included, which a parser that is not strict takes for a day of March.
 */
export const readTime = (text: string): number | undefined => {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  // A group that matched nothing is undefined, whatever its type says.
  const number = (group: number): number => Number(parts[group] ?? 0);
  const [year, month, day, hour, minute, second] = [number(1), number(2), number(3), number(4), number(5), number(6)];
  const [offsetHours, offsetMinutes] = [number(10), number(11)];
  if (hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return undefined;
  const date = new Date(0);
  // Not Date.UTC: it takes the years 1 to 99 for those of the last century.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute, second, Number((parts[7] ?? '').padEnd(3, '0').slice(0, 3)));
  const offset = (offsetHours * 60 + offsetMinutes) * (parts[9] === '-' ? -MINUTE_MS : MINUTE_MS);
  const ms = date.getTime() - offset;
  return ms >= FIRST_MS && ms <= LAST_MS ? ms : undefined;
};
