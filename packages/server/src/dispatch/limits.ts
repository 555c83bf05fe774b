import { refusal, type Refusal } from '@breakwater/contract';
import type { Clock } from '../runtime/index.ts';
import { RateLimiter, type RateLimits } from './rate-limiter.ts';

/** What is metered apart, so that one kind of call cannot use up another's. */
export type Meter = 'writes' | 'reads' | 'starts' | 'sessions';

/** What the calls of a meter are called in a refusal. */
const WORDS: Readonly<Record<Meter, string>> = {
  writes: 'writing calls',
  reads: 'reading calls',
  starts: 'new agents from one address',
  sessions: 'new MCP sessions from one address',
};

const UNLIMITED: RateLimits = { perMinute: 0, perHour: 0 };

/**
 * The limits of everybody but operators, by a meter for each kind of call. `principal` is the proven agent where there is one
 * and the address where there is none; never what a caller can choose, such as its User-Agent.
 */
export class Limits {
  readonly #meters: Readonly<Record<Meter, RateLimiter>>;
  readonly #clock: Pick<Clock, 'monotonic'>;

  /** A meter that is left out has no limit. */
  constructor(limits: Readonly<Partial<Record<Meter, RateLimits>>>, clock: Pick<Clock, 'monotonic'>) {
    const meter = (of: Meter) => new RateLimiter(limits[of] ?? UNLIMITED);
    this.#meters = {
      writes: meter('writes'),
      reads: meter('reads'),
      starts: meter('starts'),
      sessions: meter('sessions'),
    };
    this.#clock = clock;
  }

  /** Counts a call, or refuses it with RATE_LIMIT_EXCEEDED and the time after which one fits again. */
  take(meter: Meter, principal: string): Refusal | undefined {
    const exceeded = this.#meters[meter].take(principal, this.#clock.monotonic());
    if (exceeded === undefined) return undefined;
    const { limit, window, retryAfterSeconds } = exceeded;
    return refusal(
      'RATE_LIMIT_EXCEEDED',
      `More than ${limit} ${WORDS[meter]} in ${window === 'hour' ? 'an' : 'a'} ${window}.`,
      { details: { limit, window, metered: meter }, retryAfterSeconds },
    );
  }
}

/** The principal of a caller who proves no identity. */
export const principalOf = (peer: string): string => `peer:${peer}`;
