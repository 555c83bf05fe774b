import type { Agent, CheckInReport } from './agent.ts';
import {
  BreakwaterError,
  PausedError,
  RateLimitedError,
  ApiError,
  UnavailableError,
  UnreachableError,
} from './errors.ts';
import { newKey } from './key.ts';
import type { CheckIn, Pause } from './results.ts';

/** What a turn is given. */
export interface LoopTurn {
  readonly agent: Agent;
  /** Aborted when the resident is to end; a turn that takes long should look at it. */
  readonly signal: AbortSignal;
  /** From 1. */
  readonly number: number;
}

/**
 * A resident: an agent that works in turns until its signal ends it. It does not work while it is paused, and starts no
 * turn before the report of the last one has arrived: nothing happens off the record.
 */
export interface LoopOptions {
  /** One turn of work; what it returns is checked in. Nothing: there is nothing to say. */
  work(turn: LoopTurn): Promise<CheckInReport | undefined> | CheckInReport | undefined;
  /** Rest between turns, in ms; 60,000 by default. */
  readonly everyMs?: number;
  /** After so long without a report the agent says that it lives, in ms; 30 minutes by default. */
  readonly heartbeatMs?: number;
  /** How often a paused agent asks whether it still is, in ms; 60,000 by default. */
  readonly pausePollMs?: number;
  /** Ends it: at once while it rests, else when the turn has ended. Without one it ends only by an error. */
  readonly signal?: AbortSignal;
  onCheckIn?(checkIn: CheckIn, report: CheckInReport): void | Promise<void>;
  /** Once for each pause, before it waits: the place to ask for a review. */
  onPause?(pause: Pause, agent: Agent): void | Promise<void>;
  onResume?(agent: Agent): void | Promise<void>;
  /** The server cannot be reached, or cannot serve; it is tried again. */
  onUnavailable?(error: UnavailableError | UnreachableError): void;
  /** A report was refused for good and is left out; the resident goes on. */
  onRefused?(error: ApiError, report: CheckInReport): void;
  /** A turn failed by itself. Without this its error ends the resident. */
  onError?(error: unknown): void | Promise<void>;
}

const EVERY_MS = 60_000;
const HEARTBEAT_MS = 1_800_000;
const PAUSE_POLL_MS = 60_000;
/** A pause is asked about a moment after its end, not a moment before. */
const AFTER_PAUSE_MS = 1000;

/** Refusals that say nothing about the report: the catalogue's `REPEATS` says to send it again, under the same key. */
export const SEND_AGAIN: ReadonlySet<string> = new Set([
  'INTERNAL_ERROR',
  'SAGA_IN_FLIGHT',
  'SEQUENCE_CONFLICT',
  'TIMEOUT',
]);
const MOST_TRIES = 3;

interface Pending {
  readonly report: CheckInReport & { readonly idempotencyKey: string };
  readonly isHeartbeat: boolean;
  tries: number;
}

/** An error of the turn itself, kept apart from those of the calls around it. */
class TurnFailed extends Error {
  constructor(cause: unknown) {
    super('The turn failed', { cause });
  }
}

/**
 * Runs a resident until its signal is aborted; then gives the report that could not be delivered any more, if there is one.
 * Rejects with what only a person can mend: an identity that is refused or drifts, an answer that cannot be read, a report
 * that breaks a rule.
 */
export const runLoop = async (agent: Agent, resident: LoopOptions): Promise<CheckInReport | undefined> => {
  const { everyMs = EVERY_MS, heartbeatMs = HEARTBEAT_MS, pausePollMs = PAUSE_POLL_MS } = resident;
  const { signal = new AbortController().signal } = resident;
  const { clock } = agent.client;
  /** The report that is to be delivered next. */
  const outbox: { next: Pending | undefined } = { next: undefined };
  let lastSaid = clock.now();
  let turns = 0;
  let looked = false;
  let inPause = false;

  const keyed = (report: CheckInReport): Pending['report'] => ({
    ...report,
    idempotencyKey: report.idempotencyKey ?? newKey(),
  });

  /** The turn's report, or a sign of life when it is time for one. */
  const nextReport = async (): Promise<Pending | undefined> => {
    turns += 1;
    let report: CheckInReport | undefined;
    try {
      report = await resident.work({ agent, signal, number: turns });
    } catch (error) {
      throw error instanceof BreakwaterError ? error : new TurnFailed(error);
    }
    if (report !== undefined) return { report: keyed(report), isHeartbeat: false, tries: 0 };
    const silentMs = clock.now() - lastSaid;
    if (silentMs < heartbeatMs || signal.aborted) return undefined;
    const text = `Heartbeat: turn ${turns}, nothing to report for ${Math.round(silentMs / 1000)} s.`;
    return { report: keyed({ text }), isHeartbeat: true, tries: 0 };
  };

  const pauseWait = (): number => {
    const expires = Date.parse(agent.pause?.expiresAt ?? '');
    const left = expires - clock.now() + AFTER_PAUSE_MS;
    return left > 0 ? Math.min(pausePollMs, left) : pausePollMs;
  };

  /** One round; gives how long to rest after it. */
  const round = async (): Promise<number> => {
    if (!looked || inPause) {
      const state = await agent.state({ signal });
      looked = true;
      if (inPause && !state.paused) {
        inPause = false;
        await resident.onResume?.(agent);
      }
    }
    if (agent.pause === null) {
      outbox.next ??= await nextReport();
      if (outbox.next !== undefined && !signal.aborted) {
        const { report } = outbox.next;
        const checkIn = await agent.checkIn(report, { signal });
        outbox.next = undefined;
        lastSaid = clock.now();
        await resident.onCheckIn?.(checkIn, report);
      }
    }
    return await rest();
  };

  /** How long to rest; a pause that is new is told first. */
  const rest = async (): Promise<number> => {
    const { pause } = agent;
    if (pause === null) return everyMs;
    if (!inPause) {
      inPause = true;
      await resident.onPause?.(pause, agent);
    }
    return pauseWait();
  };

  const leaveOut = (error: ApiError): void => {
    if (outbox.next !== undefined) resident.onRefused?.(error, outbox.next.report);
    outbox.next = undefined;
  };

  /** What an error of a round means for the next one; throws what ends the resident. */
  const after = async (error: unknown): Promise<number> => {
    if (error instanceof TurnFailed) {
      if (resident.onError === undefined) throw error.cause;
      await resident.onError(error.cause);
      return everyMs;
    }
    if (error instanceof UnavailableError || error instanceof UnreachableError) {
      resident.onUnavailable?.(error);
      return error instanceof UnavailableError ? Math.max(everyMs, error.retryAfterSeconds * 1000) : everyMs;
    }
    if (error instanceof PausedError) return await rest();
    if (error instanceof RateLimitedError) {
      // The same words would be the same loop; a report that came too early is still to be made.
      if (error.code === 'LOOP_DETECTED') leaveOut(error);
      return Math.max(everyMs, (error.retryAfterSeconds ?? 0) * 1000);
    }
    if (error instanceof ApiError && SEND_AGAIN.has(error.code)) {
      if (outbox.next !== undefined) outbox.next.tries += 1;
      if ((outbox.next?.tries ?? 0) >= MOST_TRIES) leaveOut(error);
      return everyMs;
    }
    throw error;
  };

  const isOver = () => signal.aborted;
  while (!isOver()) {
    let restMs: number;
    try {
      restMs = await round();
    } catch (error) {
      const cause = error instanceof TurnFailed ? error.cause : error;
      if (isOver() && cause === signal.reason) break;
      restMs = await after(error);
    }
    await clock.sleep(restMs, signal);
  }
  return await deliverLast(agent, outbox.next);
};

/** One more try for what a turn left behind; gives it back when that fails. A heartbeat is not worth it. */
const deliverLast = async (agent: Agent, left: Pending | undefined): Promise<CheckInReport | undefined> => {
  if (left === undefined || left.isHeartbeat) return undefined;
  try {
    await agent.checkIn(left.report, { retry: false });
    return undefined;
  } catch {
    return left.report;
  }
};
