import type { FailureEventType, IdentityEventType } from '@breakwater/contract';
import { classifyError, type Database } from '../postgres/index.ts';
import type { Clock, Ids, Timer } from '../runtime/index.ts';
import { payloadText, type FailureEvent } from './failure-event.ts';
import * as sql from './sql.ts';

/** Facts about the emitting process, the same for every event. */
interface ChannelContext {
  readonly git_commit?: string;
  readonly service_pid: number;
  /** ISO 8601, UTC. */
  readonly running_since: string;
  readonly host: string;
}

/** Since the start; `waiting` is now. Every emission is in exactly one of stored, dropped and waiting. */
interface ChannelCounters {
  readonly emitted: number;
  readonly stored: number;
  readonly dropped: number;
  readonly waiting: number;
}

export interface Channel {
  /**
   * Reports a failure, or a suspicion about identity. Never throws, never waits, writes nothing itself (BW-channel.01): the event goes into a bounded
   * buffer, and what does not fit there is counted. `payload.incident_id` is kept, or made when absent.
   */
  fail(type: FailureEventType | IdentityEventType, payload: Readonly<Record<string, unknown>>, agentId?: string): void;
  readonly counters: ChannelCounters;
  /** Stores what waits and ends; what PostgreSQL does not take now is counted as dropped. Never rejects. */
  stop(): Promise<void>;
}

const SERVICE = 'governance_mcp';
const FLUSH_MS = 200;
/** While PostgreSQL is away. */
const RETRY_MS = 2_000;
const MAX_BATCH = 500;
const DEFAULT_CAPACITY = 10_000;

/** Failure events into audit.coordination_events, suspicions into audit.events: buffered, bounded, stored in batches. */
export const createChannel = (options: {
  database: Database;
  clock: Clock;
  ids: Ids;
  context: ChannelContext;
  /** Hears, once per outage, why events wait; of events that PostgreSQL refuses; and of those lost at the stop. */
  onError: (error: unknown) => void;
  /** Events that may wait. */
  capacity?: number;
}): Channel => {
  const { database, clock, ids, onError } = options;
  const capacity = options.capacity ?? DEFAULT_CAPACITY;
  const context = JSON.stringify(options.context);
  let waiting: FailureEvent[] = [];
  let emitted = 0;
  let stored = 0;
  let dropped = 0;
  let timer: Timer | undefined;
  let flushing: Promise<void> | undefined;
  let stopped = false;
  let away = false;

  const insert = async (events: readonly FailureEvent[]): Promise<void> => {
    await database.query(sql.insertEvents(events, SERVICE, context));
    stored += events.length;
  };

  /** Stores a batch; one that PostgreSQL refuses for its content is halved until the bad event stands alone. */
  const store = async (events: readonly FailureEvent[]): Promise<void> => {
    try {
      await insert(events);
    } catch (error) {
      if (classifyError(error) !== 'data') throw error;
      if (events.length === 1) {
        dropped += 1;
        onError(error);
        return;
      }
      const middle = Math.ceil(events.length / 2);
      await store(events.slice(0, middle));
      await store(events.slice(middle));
    }
  };

  /** Stores all that waits; false when PostgreSQL did not take it, which leaves it waiting. */
  const flush = async (): Promise<boolean> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH);
      const before = stored + dropped;
      try {
        await store(batch);
        away = false;
      } catch (error) {
        if (!away) onError(error);
        away = true;
        return false;
      } finally {
        // Events are settled from the front, so this many of the batch are done even when a later half failed.
        waiting = waiting.slice(stored + dropped - before);
      }
    }
    return true;
  };

  const schedule = (ms: number) => {
    timer ??= clock.after(ms, () => {
      flushing = flush().then((done) => {
        timer = undefined;
        flushing = undefined;
        if (!stopped && waiting.length > 0) schedule(done ? FLUSH_MS : RETRY_MS);
      });
    });
  };

  return {
    fail(type, payload, agentId) {
      emitted += 1;
      try {
        if (stopped || waiting.length >= capacity) throw new Error('no room');
        const at = clock.now();
        const newId = () => ids.rowId(at);
        waiting.push({ eventId: newId(), at, type, agentId: agentId ?? null, payload: payloadText(payload, newId) });
        schedule(FLUSH_MS);
      } catch {
        dropped += 1;
      }
    },
    get counters() {
      return { emitted, stored, dropped, waiting: waiting.length };
    },
    async stop() {
      if (stopped) return flushing;
      stopped = true;
      timer?.cancel();
      await flushing;
      await flush();
      if (waiting.length > 0) onError(new Error(`${waiting.length} failure events were lost at the stop`));
      dropped += waiting.length;
      waiting = [];
    },
  };
};
