import { MEASUREMENT_EVENTS } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { listPartitions, openDatabase, type Database } from '../postgres/index.ts';
import { seededRandom, idsFrom } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { requestPayload } from './payloads.ts';
import { createChannel } from './service.ts';

const NOW = Date.UTC(2026, 4, 5, 6, 7, 8, 9);
const { database } = await testDatabase({ at: NOW });

interface Row {
  readonly ts: number;
  readonly event_type: string;
  readonly agent_id: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
}

let seed = 0;
const createFixture = (host: string, over: Partial<Parameters<typeof createChannel>[0]> = {}) => {
  const clock = new ManualClock(NOW);
  const errors: unknown[] = [];
  const channel = createChannel({
    database,
    clock,
    ids: idsFrom(seededRandom((seed += 1))),
    context: { service_pid: 42, running_since: '2026-05-05T00:00:00.000Z', host },
    onError: (error) => errors.push(error),
    ...over,
  });
  const rows = (type: string = MEASUREMENT_EVENTS.request) =>
    database.query<Row>({
      text: `SELECT ts, event_type, agent_id, payload, context FROM audit.coordination_measurements
             WHERE context->>'host' = $1 AND event_type = $2 ORDER BY ts, event_id`,
      values: [host, type],
    });
  const request = (ms = 1, agentId?: string) =>
    channel.measure(
      MEASUREMENT_EVENTS.request,
      requestPayload({ tool: 't', transport: 'rest', status: 200, outcome: 'ok', ms, crossings: 0 }),
      agentId,
    );
  return { channel, clock, errors, rows, request };
};

/** The real database, away while `away.is`. */
const createFlaky = () => {
  const away = { is: true };
  const gone = openDatabase({ target: { url: 'postgres://127.0.0.1:1/none' }, onError: () => undefined });
  const flaky: Database = { ...database, query: (statement) => (away.is ? gone : database).query(statement) };
  return { away, flaky, gone };
};

describe('audit.coordination_measurements', () => {
  const insert = (over: Record<string, unknown>) => {
    const row = {
      ts: new Date(NOW).toISOString(),
      event_id: crypto.randomUUID(),
      service: 'governance_mcp',
      event_type: MEASUREMENT_EVENTS.request,
      payload: '{}',
      context: '{}',
      ...over,
    };
    return database.query({
      text: `INSERT INTO audit.coordination_measurements (${Object.keys(row).join()})
             VALUES (${Object.keys(row)
               .map((_, i) => `$${i + 1}`)
               .join()})`,
      values: Object.values(row),
    });
  };

  it('takes both families, with digits, and of every service', async () => {
    verifies('W3-6.01');
    for (const event_type of [MEASUREMENT_EVENTS.unavailable, 'telemetry.x_1.y', 'measurement.a.b.c']) {
      await insert({ event_type, context: '{"host": "families"}' });
    }
    for (const service of ['sentinel', 'governance_mcp', 'lease_plane', 'vigil', 'chronicler', 'watcher']) {
      await insert({ service });
    }
  });

  it.each([
    ['another service', { service: 'other' }],
    ['a family alone', { event_type: 'measurement' }],
    ['another family', { event_type: 'coordination_failure.x' }],
    ['capitals', { event_type: 'measurement.X' }],
    ['an empty segment', { event_type: 'measurement..x' }],
    ['something around the name', { event_type: ' measurement.x' }],
    ['a payload that is no object', { payload: '[]' }],
    ['a context that is no object', { context: '"x"' }],
  ])('refuses %s', async (_, over) => {
    verifies('W3-6.01');
    await expect(insert(over)).rejects.toMatchObject({ code: '23514' });
  });

  it('is keyed by time and id, and has a partition for each month', async () => {
    verifies('W3-6.01');
    const key = { ts: new Date(NOW).toISOString(), event_id: crypto.randomUUID() };
    await insert(key);
    await expect(insert(key)).rejects.toMatchObject({ code: '23505' });
    await insert({ ...key, ts: new Date(NOW + 1).toISOString() });
    const table = (await listPartitions(database)).find(({ table }) => table === 'coordination_measurements');
    expect(table?.partitions.map(({ name, from, to }) => [name, from, to])).toContainEqual([
      'coordination_measurements_2026_05',
      Date.UTC(2026, 4, 1),
      Date.UTC(2026, 5, 1),
    ]);
  });

  it('of failures takes failures only', async () => {
    verifies('W3-6.02');
    const failure = (event_type: string) =>
      database.query({
        text: `INSERT INTO audit.coordination_events (ts, event_id, service, event_type)
               VALUES ($1, gen_random_uuid(), 'governance_mcp', $2)`,
        values: [new Date(NOW).toISOString(), event_type],
      });
    await failure('coordination_failure.wave_3a.x');
    for (const type of ['measurement.x', 'coordination_failure', 'coordination_failure.', 'x.coordination_failure.y']) {
      await expect(failure(type)).rejects.toMatchObject({ code: '23514' });
    }
  });

  it('is shown in the flat shape of the reference, too', async () => {
    const { channel, request } = createFixture('flat');
    request(2.6);
    channel.measure(MEASUREMENT_EVENTS.boundaryRequest, { endpoint: '/x', elapsed_ms: 7, payload_bytes: 9 });
    channel.measure(MEASUREMENT_EVENTS.samplesDropped, { channel: 'failures', samples_dropped: 1 });
    await channel.stop();
    const rows = await database.query({
      text: `SELECT f.measurement_type, f.endpoint, f.elapsed_ms, f.status, f.payload_bytes, f.meta
             FROM audit.coordination_measurements_flat f JOIN audit.coordination_measurements m ON m.event_id = f.id
             WHERE m.context->>'host' = 'flat' ORDER BY m.event_id`,
    });
    expect(rows).toEqual([
      {
        measurement_type: MEASUREMENT_EVENTS.request,
        endpoint: '/v1/tools/call',
        elapsed_ms: 3,
        status: '200',
        payload_bytes: null,
        meta: { method: 'POST', tool: 't', crossings: 0 },
      },
      {
        measurement_type: MEASUREMENT_EVENTS.boundaryRequest,
        endpoint: '/x',
        elapsed_ms: 7,
        status: null,
        payload_bytes: 9,
        meta: {},
      },
      {
        measurement_type: MEASUREMENT_EVENTS.samplesDropped,
        endpoint: null,
        elapsed_ms: 0,
        status: null,
        payload_bytes: null,
        meta: { channel: 'failures', samples_dropped: 1 },
      },
    ]);
  });
});

describe('measurements', () => {
  it('are stored with time, agent and context, each once', async () => {
    const { channel, clock, rows, request } = createFixture('arrive');
    request(1.25, 'agent-1');
    for (let i = 0; i < 1700; i += 1) request(i);
    expect(await rows()).toEqual([]);
    clock.advance(200);
    await expect.poll(() => channel.measurementCounters.stored).toBe(1701);
    const stored = await rows();
    expect(stored[0]).toEqual({
      ts: NOW,
      event_type: MEASUREMENT_EVENTS.request,
      agent_id: 'agent-1',
      payload: {
        endpoint: '/v1/tools/call',
        method: 'POST',
        status_code: 200,
        elapsed_ms: 1.25,
        tool: 't',
        crossings: 0,
      },
      context: { service_pid: 42, running_since: '2026-05-05T00:00:00.000Z', host: 'arrive' },
    });
    // Ids of one instant keep the order of the emissions.
    expect(stored.slice(1).map((row) => row.payload['elapsed_ms'])).toEqual(Array.from({ length: 1700 }, (_, i) => i));
    await channel.stop();
  });

  it('neither throw nor wait while PostgreSQL is away; what fits is kept, and what was dropped is told', async () => {
    verifies('BW-channel.01');
    const { away, flaky, gone } = createFlaky();
    const { channel, clock, errors, rows, request } = createFixture('away', { database: flaky });
    const started = performance.now();
    for (let i = 0; i < 30_000; i += 1) request(i);
    expect((performance.now() - started) / 30_000).toBeLessThan(0.1);
    expect(channel.measurementCounters).toEqual({ emitted: 30_000, stored: 0, dropped: 5_000, waiting: 25_000 });
    clock.advance(200);
    await expect.poll(() => errors.length).toBe(1);
    clock.advance(10_000);
    expect(channel.measurementCounters).toMatchObject({ stored: 0, waiting: 25_000 });
    away.is = false;
    await expect
      .poll(
        () => {
          clock.advance(2_000);
          return channel.measurementCounters;
        },
        { timeout: 30_000 },
      )
      .toEqual({ emitted: 30_001, stored: 25_001, dropped: 5_000, waiting: 0 });
    expect(await rows()).toHaveLength(25_000);
    expect((await rows(MEASUREMENT_EVENTS.samplesDropped)).map(({ payload }) => payload)).toEqual([
      { channel: 'measurements', samples_dropped: 5_000 },
    ]);
    // Told once.
    request();
    await channel.stop();
    expect(await rows(MEASUREMENT_EVENTS.samplesDropped)).toHaveLength(1);
    expect(errors).toHaveLength(1);
    await gone.close();
  });

  it('that find no room while a batch is on its way take none of those that wait with them', async () => {
    verifies('BW-channel.01');
    let arrived: () => void = () => undefined;
    let release: () => void = () => undefined;
    const onTheWay = new Promise<void>((resolve) => (arrived = resolve));
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow: Database = {
      ...database,
      async query<R>(statement: Parameters<Database['query']>[0]) {
        arrived();
        await released;
        return database.query<R>(statement);
      },
    };
    const { channel, clock, rows, request } = createFixture('meanwhile', { database: slow, measurementCapacity: 600 });
    for (let i = 0; i < 600; i += 1) request(i);
    clock.advance(200);
    await onTheWay;
    for (let i = 0; i < 50; i += 1) request();
    release();
    await channel.stop();
    expect(await rows()).toHaveLength(600);
    expect(channel.measurementCounters).toMatchObject({ dropped: 50, waiting: 0 });
  });

  it('are stored once when the end of a batch was not learned', async () => {
    let cut = true;
    const lossy: Database = {
      ...database,
      async query<R>(statement: Parameters<Database['query']>[0]) {
        const result = await database.query<R>(statement);
        if (!cut) return result;
        cut = false;
        throw new Error('Connection terminated unexpectedly');
      },
    };
    const { channel, clock, rows, errors, request } = createFixture('twice', { database: lossy });
    for (let i = 0; i < 10; i += 1) request(i);
    clock.advance(200);
    await expect.poll(() => errors.length).toBe(1);
    expect(await rows()).toHaveLength(10);
    await channel.stop();
    expect(await rows()).toHaveLength(10);
    expect(channel.measurementCounters).toEqual({ emitted: 10, stored: 10, dropped: 0, waiting: 0 });
  });

  it('lose only the one that cannot be stored for what it says', async () => {
    verifies('BW-channel.01');
    const { channel, rows, errors, request } = createFixture('poison');
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    for (let i = 0; i < 20; i += 1) request(i, i === 13 ? 'bad\0id' : 'good');
    channel.measure(MEASUREMENT_EVENTS.request, circular);
    channel.measure(MEASUREMENT_EVENTS.request, { elapsed_ms: 20, text: 'a\0b\ud800' });
    await channel.stop();
    const stored = await rows();
    expect(stored.map(({ payload }) => payload['elapsed_ms'])).toEqual(
      Array.from({ length: 21 }, (_, i) => i).filter((i) => i !== 13),
    );
    expect(stored.at(-1)?.payload['text']).toBe('a\ufffdb\ufffd');
    expect(channel.measurementCounters).toEqual({ emitted: 22, stored: 20, dropped: 2, waiting: 0 });
    expect(errors).toHaveLength(2);
  });

  it('wait for the tables that they are stored in', async () => {
    let open = false;
    let queries = 0;
    const counted: Database = { ...database, query: (statement) => ((queries += 1), database.query(statement)) };
    const { channel, clock, errors, rows, request } = createFixture('early', { database: counted, isOpen: () => open });
    request();
    for (let i = 0; i < 10; i += 1) {
      clock.advance(2_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([queries, channel.measurementCounters.waiting]).toEqual([0, 1]);
    open = true;
    await expect
      .poll(() => {
        clock.advance(2_000);
        return channel.measurementCounters.stored;
      })
      .toBe(1);
    expect((await rows()).map(({ ts }) => ts)).toEqual([NOW]);
    expect(errors).toEqual([]);
    await channel.stop();
  });
});
