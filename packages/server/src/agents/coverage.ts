import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { CoverageAccount } from './agent.ts';
import { HOUR_MS } from '../runtime/index.ts';

/** An agent should settle at least this share of its claims. */
const LEAST_SHARE = 0.5;
/** As for claims, and one bolder still: an agent that never records is asked about after 13 claims, not 20. */
const FRACTIONS = [0.1, 0.25, 0.5, 0.9] as const;
const CEILING = 1e9;

const freshCoverage: CoverageAccount = {
  made: 0,
  settled: 0,
  expired: 0,
  unclaimed: 0,
  ungraded: 0,
  silence: FRACTIONS.map(() => 1),
  from: 0,
  open: [],
};

type Counts = [number, number, number, number, number, number, readonly number[]];
type Packed = Counts | [...Counts, readonly number[]];

/** The account as it is stored with each check-in: a list, because its keys would be longer than all that it says. */
export const packCoverage = (account: CoverageAccount): Packed => {
  const { made, settled, expired, unclaimed, ungraded, from, open, silence } = account;
  const counts: Counts = [made, settled, expired, unclaimed, ungraded, from, open];
  // Before the first claim is settled or expired the bets say nothing.
  return silence.every((wealth) => wealth === 1) ? counts : [...counts, silence];
};

const isAccount = (stored: unknown): stored is CoverageAccount =>
  typeof stored === 'object' && stored !== null && 'made' in stored && 'open' in stored;

/** The account of {@link packCoverage}; throws on what that does not write, since lost claims must not read as none. */
export const unpackCoverage = (stored: unknown): CoverageAccount => {
  // Written before accounts were packed.
  if (isAccount(stored)) return stored;
  const numbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);
  if (!Array.isArray(stored) || !numbers(stored.slice(0, 6)) || stored.length < 7 || !numbers(stored[6])) {
    throw new Error(`stored coverage cannot be read: ${JSON.stringify(stored)}`);
  }
  const [made, settled, expired, unclaimed, ungraded, from, open, silence = freshCoverage.silence] = stored as Packed;
  return { made, settled, expired, unclaimed, ungraded, from, open, silence };
};

/** A claim counts as expired at the end of the hour in which it ran out. */
const hourOf = (expiresAt: number): number => Math.ceil(expiresAt / HOUR_MS);

/**
 * One claim that was settled or ran out: the bets of the claims detector, placed on coverage. Six digits are kept, so that
 * an account stays short in JSON.
 */
const bet = (silence: readonly number[], settled: boolean): number[] =>
  FRACTIONS.map((fraction, i) => {
    const growth = 1 + (fraction / (1 - LEAST_SHARE)) * (LEAST_SHARE - (settled ? 1 : 0));
    return Math.min(CEILING, Number((Math.max(silence[i] ?? 1, 1) * growth).toPrecision(6)));
  });

/** The account at `now` (ms): claims whose hour is over have expired. It notices lazily, and the same wherever it is asked. */
export const coverageAt = (stored: CoverageAccount | undefined, now: number): CoverageAccount => {
  const account = stored ?? freshCoverage;
  const over = Math.min(account.open.length, Math.max(0, Math.floor(now / HOUR_MS) - account.from + 1));
  if (over === 0) return account;
  const expired = account.open.slice(0, over).reduce((sum, count) => sum + count, 0);
  let { silence } = account;
  // Beyond the ceiling nothing changes any more.
  for (let i = 0; i < Math.min(expired, 1000); i += 1) silence = bet(silence, false);
  return {
    ...account,
    expired: account.expired + expired,
    silence,
    from: account.from + over,
    open: account.open.slice(over),
  };
};

/** A check-in at `now`: a claim that may be settled until `expiresAt`, or none when the agent reported no confidence. */
export const checkedIn = (
  stored: CoverageAccount | undefined,
  { claimed, expiresAt, now }: { readonly claimed: boolean; readonly expiresAt: number; readonly now: number },
): CoverageAccount => {
  const account = coverageAt(stored, now);
  if (!claimed) return { ...account, unclaimed: account.unclaimed + 1 };
  const hour = hourOf(expiresAt);
  const from = account.open.length === 0 ? hour : account.from;
  // A clock that was set back must not open a place before the first.
  const place = Math.max(0, hour - from);
  const open = Array.from({ length: Math.max(account.open.length, place + 1) }, (_, i) => account.open[i] ?? 0);
  open[place] = (open[place] ?? 0) + 1;
  return { ...account, made: account.made + 1, from, open };
};

/** A result at `now`; `claimExpiresAt` is that of the claim it was bound to, if any. */
export const resultRecorded = (
  stored: CoverageAccount | undefined,
  {
    graded,
    claimExpiresAt,
    now,
  }: { readonly graded: boolean; readonly claimExpiresAt: number | undefined; readonly now: number },
): CoverageAccount => {
  const account = coverageAt(stored, now);
  if (!graded) return { ...account, ungraded: account.ungraded + 1 };
  const place = claimExpiresAt === undefined ? -1 : hourOf(claimExpiresAt) - account.from;
  // A claim from before coverage was counted is in no place.
  if ((account.open[place] ?? 0) === 0) return account;
  const open = account.open.map((count, i) => (i === place ? count - 1 : count));
  while (open.at(-1) === 0) open.pop();
  return { ...account, settled: account.settled + 1, silence: bet(account.silence, true), open };
};

/** The silence detector's value: 1 says nothing; the larger, the stronger the evidence that most claims meet no result. */
export const silenceValue = ({ silence }: CoverageAccount): number =>
  silence.reduce((sum, wealth) => sum + wealth, 0) / silence.length;

/** Coverage as people and programs read it. */
export interface CoverageReading {
  readonly made: number;
  readonly settled: number;
  readonly expired: number;
  /** Claims that may still be settled. */
  readonly open: number;
  readonly unclaimed: number;
  readonly ungraded: number;
  /** Claims that no result has settled: those that expired, and those that are open. */
  readonly unobserved: number;
  /** Settled of all that were settled or expired, 0 to 1; null before the first. */
  readonly share: number | null;
  readonly silence: number;
}

/** What an account reads at `now`; of an agent without one: all zero. */
export const readCoverage = (stored: CoverageAccount | undefined, now: number): CoverageReading => {
  const account = coverageAt(stored, now);
  const { made, settled, expired, unclaimed, ungraded } = account;
  const open = account.open.reduce((sum, count) => sum + count, 0);
  return {
    made,
    settled,
    expired,
    open,
    unclaimed,
    ungraded,
    unobserved: expired + open,
    share: settled + expired === 0 ? null : settled / (settled + expired),
    silence: silenceValue(account),
  };
};

/**
 * The instant (ms) before which silence does not ask for a person, by an account alone; from then on {@link silenceAsks} says.
 * Of most accounts it is never.
 */
export const silenceAsksFrom = (stored: CoverageAccount | undefined): number => {
  if (stored === undefined) return Infinity;
  const { open, from } = stored;
  // No claim that runs out can double the evidence.
  let most = silenceValue(stored) + 1;
  if (most >= CLAIMS_LIMITS.pause) return -Infinity;
  for (const [i, expiring] of open.entries()) {
    most *= 2 ** Math.min(expiring, 1000);
    if (most >= CLAIMS_LIMITS.pause) return (from + i) * HOUR_MS;
  }
  return Infinity;
};

/** Whether silence asks for a person: never for a pause, because what is not recorded is no failure. */
export const silenceAsks = ({ silence }: Pick<CoverageReading, 'silence'>): boolean => silence >= CLAIMS_LIMITS.pause;
