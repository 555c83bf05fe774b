import type { Failure } from './api.ts';

/** How the page hears of the server. */
export type Connection = 'connecting' | 'live' | 'reconnecting' | 'polling' | 'unavailable' | 'offline';

/** A route is asked for this often, in ms, unless its page says otherwise; only such routes follow each event. */
export const POLL_MS = 5_000;
const POLL_ALONE_MS = 2_000;
const HIDDEN_MS = 30_000;
const STALE_MS = 15_000;
/** So long the feed may be away before the page counts on asking alone. */
const RECONNECTING_MS = 10_000;

/** What is known of the way to the server; instants in ms since the epoch. */
export interface Link {
  readonly failure: Failure | undefined;
  /** When the server answered last; 0: never yet. */
  readonly answeredAt: number;
  readonly feedIsOpen: boolean;
  /** When the feed broke; undefined: it was never open, or is. */
  readonly feedLostAt: number | undefined;
}

/** The one word for it; what fails goes before what works. */
export const connectionOf = ({ failure, answeredAt, feedIsOpen, feedLostAt }: Link, now: number): Connection => {
  if (failure?.kind === 'offline') return 'offline';
  if (failure?.kind === 'unavailable') return 'unavailable';
  if (feedIsOpen) return 'live';
  if (answeredAt === 0) return 'connecting';
  return feedLostAt !== undefined && now - feedLostAt < RECONNECTING_MS ? 'reconnecting' : 'polling';
};

/** How often a route is asked for, in ms: seldom where nobody looks, more often where the feed tells nothing. */
export const paceOf = (everyMs: number, isHidden: boolean, feedIsOpen: boolean): number => {
  if (isHidden) return Math.max(everyMs, HIDDEN_MS);
  return feedIsOpen ? everyMs : Math.min(everyMs, POLL_ALONE_MS);
};

/** Whether what came `at` is older than it should be (BW-console.03). */
export const isOld = (at: number, now: number, everyMs: number): boolean =>
  now - at > STALE_MS + (everyMs > POLL_MS ? everyMs : 0);

const ONE_AGENT = /^\/api\/agents\/([0-9a-f]{8}-[0-9a-f-]{27})(?=[/?]|$)/;

/** Whether a message of the feed can change what a route says: what is of one agent alone does not follow the others. */
export const concerns = (route: string, message: unknown): boolean => {
  const agent = ONE_AGENT.exec(route)?.[1];
  if (agent === undefined || typeof message !== 'object' || message === null) return true;
  const { agent_id } = message as { readonly agent_id?: unknown };
  return typeof agent_id !== 'string' || agent_id === agent;
};
