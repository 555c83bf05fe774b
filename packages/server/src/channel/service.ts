import {
  FAILURE_EVENTS,
  MEASUREMENT_EVENTS,
  type FailureEventType,
  type IdentityEventType,
  type MeasurementEventType,
} from '@breakwater/contract';
import { classifyError, type Database } from '../postgres/index.ts';
import type { Clock, Ids } from '../runtime/index.ts';
import { createBuffer, type BufferCounters } from './buffer.ts';
import { payloadText, type FailureEvent, type Json } from './failure-event.ts';
import type { Measurement } from './measurement.ts';
import { droppedPayload } from './payloads.ts';
import * as sql from './sql.ts';

/** Facts about the emitting process, the same for every event. */
interface ChannelContext {
  readonly git_commit?: string;
  readonly service_pid: number;
  /** ISO 8601, UTC. */
  readonly running_since: string;
  readonly host: string;
}

export interface Channel {
  /**
   * Reports a failure, or a suspicion about identity. Never throws, never waits, writes nothing itself (BW-channel.01): the event goes into a bounded
   * buffer, and what does not fit there is counted. `payload.incident_id` is kept, or made when absent.
   */
  fail(type: FailureEventType | IdentityEventType, payload: Json, agentId?: string): void;
  /**
   * Records a measurement, under the promises of {@link Channel.fail} and in a buffer of its own. The payload must not be
   * changed afterwards. It is meant to be made by `payloads.ts`.
   */
  measure(type: MeasurementEventType, payload: Json, agentId?: string): void;
  /** Of failures and suspicions. */
  readonly counters: BufferCounters;
  readonly measurementCounters: BufferCounters;
  /** Stores what waits and ends; what PostgreSQL does not take now is counted as dropped. Never rejects. */
  stop(): Promise<void>;
}

const SERVICE = 'governance_mcp';
const FLUSH_MS = 200;
const MAX_BATCH = 500;
const FAILURES = 10_000;
/** Five seconds of five thousand requests. */
const MEASUREMENTS = 25_000;
const FAILURE_TYPES: ReadonlySet<string> = new Set(Object.values(FAILURE_EVENTS));

/**
 * Failure events into audit.coordination_events, suspicions into audit.events, measurements into
 * audit.coordination_measurements: buffered, bounded, stored in batches. What was dropped is told in a measurement, as soon
 * as one can be stored again.
 */
export const createChannel = (options: {
  database: Database;
  clock: Clock;
  ids: Ids;
  context: ChannelContext;
  /** Hears, once per outage, why events wait; of events that PostgreSQL refuses; and of those lost at the stop. */
  onError: (error: unknown) => void;
  /** False while the tables are not there yet; what is emitted before waits. Always true by default. */
  isOpen?: () => boolean;
  /** Failures that may wait. */
  capacity?: number;
  /** Measurements that may wait. */
  measurementCapacity?: number;
}): Channel => {
  const { database, clock, ids, onError } = options;
  const emitter = { service: SERVICE, context: JSON.stringify(options.context) };
  const stem = ids.rowId(clock.now());
  let place = 0;
  const told = { failures: 0, measurements: 0 };

  const tellDropped = () => {
    const counters = { failures: failures.counters, measurements: measurements.counters };
    for (const kind of ['failures', 'measurements'] as const) {
      const dropped = counters[kind].dropped - told[kind];
      if (dropped === 0 || !measurements.hasRoom) continue;
      told[kind] += dropped;
      channel.measure(MEASUREMENT_EVENTS.samplesDropped, droppedPayload(kind, dropped));
    }
  };
  const isOpen = options.isOpen ?? (() => true);
  const common = { clock, isOpen, flushMs: FLUSH_MS, maxBatch: MAX_BATCH, onError, onFlushed: tellDropped };
  const lost = (what: string) => (count: number) => onError(new Error(`${count} ${what} were lost at the stop`));

  const failures = createBuffer<FailureEvent>({
    ...common,
    capacity: options.capacity ?? FAILURES,
    store: (events) => database.query(sql.insertEvents(events, ({ type }) => FAILURE_TYPES.has(type), emitter)),
    isRefusal: (error) => classifyError(error) === 'data',
    onLost: lost('failure events'),
  });
  const measurements = createBuffer<Measurement>({
    ...common,
    capacity: options.measurementCapacity ?? MEASUREMENTS,
    store: async (batch, again) => database.query(sql.insertMeasurements(batch, again, stem, emitter)),
    // What JSON cannot say is found out when the batch is written down.
    isRefusal: (error) => classifyError(error) === 'data' || error instanceof TypeError,
    onLost: lost('measurements'),
  });

  const channel: Channel = {
    fail(type, payload, agentId) {
      if (!failures.hasRoom) {
        failures.drop();
        return;
      }
      try {
        const at = clock.now();
        const newId = () => ids.rowId(at);
        const text = payloadText(payload, newId);
        failures.push({ eventId: newId(), at, type, agentId: agentId ?? null, payload: text });
      } catch {
        failures.drop();
      }
    },
    measure(type, payload, agentId) {
      place += 1;
      measurements.push({ place, at: clock.now(), type, agentId: agentId ?? null, payload });
    },
    get counters() {
      return failures.counters;
    },
    get measurementCounters() {
      return measurements.counters;
    },
    async stop() {
      await failures.stop();
      await measurements.stop();
    },
  };
  return channel;
};
