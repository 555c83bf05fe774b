import { ok, readTime, refuse, type Result } from '@breakwater/contract';

/** From `from` up to, and without, `to`; ms since the epoch, UTC. */
export interface ReportWindow {
  readonly from: number;
  readonly to: number;
}

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
/** Longer than anything is kept. */
const MAX_DAYS = 3650;

const bad = (field: string, why: string) =>
  refuse('PARAMETER_ERROR', `--${field} ${why}`, {
    details: { field },
    recovery: {
      action: `Give --${field} as a time back from now (30m, 24h, 14d, 8w), or as 2026-05-31 or 2026-05-31T12:00Z (UTC).`,
    },
  });

const timeOf = (field: string, text: string, now: number): Result<number> => {
  const [, count, unit] = /^(\d{1,9})([mhdw])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    const back = Number(count) * (UNITS[unit] ?? Number.NaN);
    if (back === 0) return bad(field, 'must be more than 0.');
    return back > MAX_DAYS * 86_400_000 ? bad(field, `must be at most ${MAX_DAYS}d.`) : ok(now - back);
  }
  const time = readTime(text);
  return time !== undefined
    ? ok(time)
    : bad(field, `is neither a duration nor a date; given ${JSON.stringify(text.slice(0, 40))}.`);
};

/** Reads the window of a report: each end is a duration back from `now`, or a date; the end is `now` when not given. */
export const reportWindow = (since: string, until: string | undefined, now: number): Result<ReportWindow> => {
  const from = timeOf('since', since, now);
  if (!from.ok) return from;
  const to = until === undefined ? ok(now) : timeOf('until', until, now);
  if (!to.ok) return to;
  return from.value < to.value
    ? ok({ from: from.value, to: to.value })
    : bad('since', `must be earlier than ${until === undefined ? 'now' : '--until'}.`);
};
