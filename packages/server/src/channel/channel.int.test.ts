import { FAILURE_EVENTS } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { openDatabase, type Database } from '../postgres/index.ts';
import { systemIds, type Clock, type Timer } from '../runtime/index.ts';
import { createChannel } from './service.ts';

const NOW = Date.UTC(2026, 4, 5, 6, 7, 8, 9);
const { database } = await testDatabase({ at: NOW });

/** A clock whose timers fire when the test says, and which waits for what they started. */
const createClock = () => {
  const timers = new Set<() => void>();
  const clock: Clock = {
    now: () => NOW,
    monotonic: () => 0,
    after(_, fn): Timer {
      timers.add(fn);
      return { cancel: () => void timers.delete(fn) };
    },
  };
  const fire = () => {
    const due = [...timers];
    timers.clear();
    for (const fn of due) fn();
  };
  return { clock, fire, timers };
};

interface Row {
  readonly ts: number;
  readonly service: string;
  readonly event_type: string;
  readonly agent_id: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
}

const createFixture = (over: { database?: Database; capacity?: number; host: string }) => {
  const { clock, fire, timers } = createClock();
  const errors: unknown[] = [];
  const channel = createChannel({
    database: over.database ?? database,
    clock,
    ids: systemIds,
    context: { git_commit: 'abc', service_pid: 42, running_since: '2026-05-05T00:00:00.000Z', host: over.host },
    onError: (error) => errors.push(error),
    ...(over.capacity !== undefined && { capacity: over.capacity }),
  });
  const rows = () =>
    database.query<Row>({
      text: `SELECT ts, service, event_type, agent_id, payload, context FROM audit.coordination_events
             WHERE context->>'host' = $1 ORDER BY event_id`,
      values: [over.host],
    });
  return { channel, errors, fire, timers, rows };
};

/** The real database, away while `away.is`. */
const createFlaky = () => {
  const away = { is: true };
  const gone = openDatabase({ target: { url: 'postgres://127.0.0.1:1/none' }, onError: () => undefined });
  const flaky: Database = {
    ...database,
    query: (statement) => (away.is ? gone : database).query(statement),
  };
  return { away, flaky, gone };
};

describe('the channel', () => {
  it('stores events with their context, time and incident', async () => {
    verifies('BW-channel.02');
    const { channel, rows, fire } = createFixture({ host: 'arrive' });
    channel.fail(FAILURE_EVENTS.toolTimeout, { incident_id: 'i1', tool_name: 't' }, 'agent-1');
    channel.fail(FAILURE_EVENTS.storageUnavailable, {});
    expect(await rows()).toEqual([]);
    fire();
    await expect.poll(() => channel.counters.stored).toBe(2);
    const context = {
      git_commit: 'abc',
      service_pid: 42,
      running_since: '2026-05-05T00:00:00.000Z',
      host: 'arrive',
    };
    const common = { ts: NOW, service: 'governance_mcp', context };
    expect(await rows()).toEqual(
      expect.arrayContaining([
        {
          ...common,
          event_type: FAILURE_EVENTS.toolTimeout,
          agent_id: 'agent-1',
          payload: { incident_id: 'i1', tool_name: 't' },
        },
        {
          ...common,
          event_type: FAILURE_EVENTS.storageUnavailable,
          agent_id: null,
          payload: { incident_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown },
        },
      ]),
    );
    await channel.stop();
  });

  it('keeps what it was told, whatever becomes of the object afterwards', async () => {
    const { channel, rows } = createFixture({ host: 'snapshot' });
    const payload = { incident_id: 'i', step: 1 };
    channel.fail(FAILURE_EVENTS.handlerCrashed, payload);
    payload.step = 2;
    await channel.stop();
    expect((await rows()).map((row) => row.payload)).toEqual([{ incident_id: 'i', step: 1 }]);
  });

  it('neither throws nor waits while PostgreSQL is away, keeps what fits, and counts the rest', async () => {
    verifies('BW-channel.01');
    const { away, flaky, gone } = createFlaky();
    const { channel, rows, fire, errors, timers } = createFixture({ host: 'away', database: flaky, capacity: 1000 });
    const emit = () => channel.fail(FAILURE_EVENTS.eventLoopDelay, { max_ms: 600 }, 'a');
    const started = performance.now();
    for (let i = 0; i < 5000; i += 1) emit();
    const perEventMs = (performance.now() - started) / 5000;
    expect(perEventMs).toBeLessThan(1);
    expect(channel.counters).toEqual({ emitted: 5000, stored: 0, dropped: 4000, waiting: 1000 });
    fire();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      await expect.poll(() => timers.size).toBe(1);
      fire();
    }
    expect(errors).toHaveLength(1);
    expect(channel.counters).toMatchObject({ stored: 0, waiting: 1000 });
    away.is = false;
    await expect
      .poll(() => {
        fire();
        return channel.counters;
      })
      .toEqual({ emitted: 5000, stored: 1000, dropped: 4000, waiting: 0 });
    expect(await rows()).toHaveLength(1000);
    expect(errors).toHaveLength(1);
    await channel.stop();
    await gone.close();
  });

  it('counts what is lost when PostgreSQL is still away at the stop, and what comes after it', async () => {
    verifies('BW-channel.01');
    const { flaky, gone } = createFlaky();
    const { channel, errors, timers } = createFixture({ host: 'lost', database: flaky });
    for (let i = 0; i < 3; i += 1) channel.fail(FAILURE_EVENTS.handlerCrashed, {});
    await channel.stop();
    channel.fail(FAILURE_EVENTS.handlerCrashed, {});
    expect(channel.counters).toEqual({ emitted: 4, stored: 0, dropped: 4, waiting: 0 });
    expect(String(errors.at(-1))).toContain('3 failure events were lost');
    expect(timers.size).toBe(0);
    await gone.close();
  });

  it('stores a batch again whose end it did not learn, without doubling it', async () => {
    let cut = true;
    const lossy: Database = {
      ...database,
      async query<R>(statement: Parameters<Database['query']>[0]): Promise<R[]> {
        const rows = await database.query<R>(statement);
        if (!cut) return rows;
        cut = false;
        throw new Error('Connection terminated unexpectedly');
      },
    };
    const { channel, rows, errors, fire } = createFixture({ host: 'twice', database: lossy });
    for (let i = 0; i < 10; i += 1) channel.fail(FAILURE_EVENTS.handlerCrashed, { i });
    fire();
    await expect.poll(() => errors.length).toBe(1);
    expect(await rows()).toHaveLength(10);
    expect(channel.counters).toMatchObject({ stored: 0, waiting: 10 });
    await channel.stop();
    expect(await rows()).toHaveLength(10);
    expect(channel.counters).toEqual({ emitted: 10, stored: 10, dropped: 0, waiting: 0 });
  });

  it('loses only the event that PostgreSQL refuses for what it says', async () => {
    verifies('BW-channel.01');
    const { channel, rows, errors } = createFixture({ host: 'poison' });
    for (let i = 0; i < 20; i += 1) {
      // NUL is no text for PostgreSQL; in the payload it is replaced, in an agent's id it cannot be.
      channel.fail(FAILURE_EVENTS.handlerCrashed, { i, text: 'a\0b' }, i === 13 ? 'bad\0id' : 'good');
    }
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    channel.fail(FAILURE_EVENTS.handlerCrashed, circular);
    await channel.stop();
    const kept = (await rows()).map((row) => row.payload['i'] as number).sort((a, b) => a - b);
    expect(kept).toEqual(Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== 13));
    expect(channel.counters).toEqual({ emitted: 21, stored: 19, dropped: 2, waiting: 0 });
    expect(errors).toHaveLength(1);
  });

  it('stores more than one batch, each event once, also when the stop comes in the middle', async () => {
    const { channel, rows, fire } = createFixture({ host: 'many' });
    for (let i = 0; i < 1700; i += 1) channel.fail(FAILURE_EVENTS.handlerCrashed, { incident_id: systemIds.uuid() });
    fire();
    await channel.stop();
    expect(channel.counters).toEqual({ emitted: 1700, stored: 1700, dropped: 0, waiting: 0 });
    expect(await rows()).toHaveLength(1700);
  });
});
