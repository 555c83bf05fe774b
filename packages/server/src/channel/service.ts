import type { FailureEventType } from '@breakwater/contract';
import type { Database } from '../postgres/index.ts';
import type { Clock, Ids, Timer } from '../runtime/index.ts';
import { insertFailures, type FailureRow } from './sql.ts';

/** Who emits: built once, the same on every row. */
export interface EmitterContext {
  readonly service_pid: number;
  readonly running_since: string;
  readonly host: string;
  readonly git_commit?: string;
}

/** The failure channel, audit.coordination_events: what went wrong at the boundaries, for people and reports. */
export interface Channel {
  /**
   * Records a failure. Never throws and never waits (design 3.9): the event is buffered, and dropped and counted when
   * the buffer is full. Events that belong to one incident share `incident_id`; one without gets its own.
   */
  fail(type: FailureEventType, payload: Readonly<Record<string, unknown>>, agentId?: string): void;
  readonly counts: { readonly emitted: number; readonly written: number; readonly dropped: number };
  /** Writes what is buffered, once, then stops. */
  stop(): Promise<void>;
}

const FLUSH_MS = 200;
const MAX_BATCH = 500;

export const createChannel = (options: {
  database: Database;
  clock: Clock;
  ids: Ids;
  context: EmitterContext;
  /** Events that may wait for PostgreSQL. */
  capacity?: number;
  onError: (error: unknown) => void;
}): Channel => {
  const { database, clock, ids, onError } = options;
  const capacity = options.capacity ?? 10_000;
  const context = JSON.stringify(options.context);
  const counts = { emitted: 0, written: 0, dropped: 0 };
  let buffer: FailureRow[] = [];
  let timer: Timer | undefined;
  let stopped = false;

  const flush = async (): Promise<boolean> => {
    const rows = buffer.slice(0, MAX_BATCH);
    try {
      await database.query(insertFailures(rows, context));
      buffer = buffer.slice(rows.length);
      counts.written += rows.length;
      return true;
    } catch (error) {
      onError(error);
      return false;
    }
  };
  const schedule = (): void => {
    if (stopped || timer !== undefined) return;
    timer = clock.after(FLUSH_MS, () => {
      void flush().then(() => {
        timer = undefined;
        if (buffer.length > 0) schedule();
      });
    });
  };

  return {
    counts,
    fail(type, payload, agentId) {
      counts.emitted += 1;
      if (buffer.length >= capacity) {
        counts.dropped += 1;
        return;
      }
      const now = clock.now();
      const eventId = ids.rowId(now);
      let text: string;
      try {
        text = JSON.stringify({ incident_id: eventId, ...payload });
      } catch {
        text = JSON.stringify({ incident_id: eventId, unreadable: true });
      }
      buffer.push({ ts: new Date(now).toISOString(), eventId, type, agentId: agentId ?? null, payload: text });
      schedule();
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      while (buffer.length > 0 && (await flush())) continue;
    },
  };
};
