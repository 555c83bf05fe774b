import { FAILURE_EVENTS, MEASUREMENT_EVENTS } from '@breakwater/contract';
import { beforeEach, describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { type Database } from '../postgres/index.ts';
import { idsFrom, seededRandom, type Job } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { requestPayload, unavailablePayload } from './payloads.ts';
import { rateBreachJob } from './rate-breach.ts';
import { createChannel } from './service.ts';

const NOW = Date.UTC(2026, 4, 5, 6, 7, 8);
const { database } = await testDatabase({ at: NOW });

interface Breach {
  readonly ts: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

let seed = 0;
/** A node that emits and looks at the rate; `stop` ends it with all that it emitted stored. */
const startNode = (clock: ManualClock, db: Database = database) => {
  const channel = createChannel({
    database: db,
    clock,
    ids: idsFrom(seededRandom((seed += 1))),
    context: { service_pid: 1, running_since: '2026-05-05T00:00:00.000Z', host: 'h' },
    onError: () => undefined,
  });
  const job: Job = rateBreachJob({ database: db, clock, channel });
  const request = (status = 200) =>
    channel.measure(
      MEASUREMENT_EVENTS.request,
      requestPayload({ tool: 't', transport: 'rest', status, outcome: 'ok', ms: 1, crossings: 0 }),
    );
  const unavailable = (endpoint = '/v1/tools/call') =>
    channel.measure(
      MEASUREMENT_EVENTS.unavailable,
      unavailablePayload({ endpoint, method: 'POST', elapsedMs: 1, reason: 'not_ready' }),
    );
  /** So many requests, of which so many found no service; all stored. */
  const serve = async (requests: number, without: number) => {
    for (let i = 0; i < requests; i += 1) request();
    for (let i = 0; i < without; i += 1) unavailable();
    await stored();
  };
  const stored = async () => {
    clock.advance(200);
    await expect.poll(() => channel.measurementCounters.waiting + channel.counters.waiting).toBe(0);
  };
  return { channel, job, serve, unavailable, stored, stop: () => channel.stop() };
};

const breaches = () =>
  database.query<Breach>({
    text: 'SELECT ts, payload FROM audit.coordination_events WHERE event_type = $1 ORDER BY ts',
    values: [FAILURE_EVENTS.cutover503RateBreach],
  });

describe('the 503 rate', () => {
  beforeEach(async () => {
    await database.query({ text: 'TRUNCATE audit.coordination_events, audit.coordination_measurements' });
  });

  it('over 1 % of the last minute is stored as a breach, with what it was computed from', async () => {
    verifies('W3-3.14');
    const clock = new ManualClock(NOW);
    const node = startNode(clock);
    expect([node.job.everyMs, node.job.singleton]).toEqual([15_000, true]);
    await node.serve(300, 3);
    await node.job.run();
    await node.serve(0, 1);
    await node.job.run();
    await node.stop();
    expect((await breaches()).map(({ payload }) => payload)).toEqual([
      {
        incident_id: expect.any(String) as string,
        window_seconds: 60,
        rate: 4 / 300,
        threshold: 0.01,
        count_503: 4,
        count_request: 300,
      },
    ]);
  });

  it('knows nothing of what is older than a minute', async () => {
    verifies('W3-3.14');
    const clock = new ManualClock(NOW);
    const node = startNode(clock);
    await node.serve(10, 10);
    clock.advance(30_000);
    await node.serve(10, 0);
    clock.advance(29_000);
    await node.job.run();
    await node.stored();
    expect((await breaches()).map(({ payload }) => payload['rate'])).toEqual([0.5]);
    clock.advance(1_000);
    await node.job.run();
    await node.stop();
    expect(await breaches()).toHaveLength(1);
  });

  it('is none without requests, whatever was refused', async () => {
    verifies('W3-3.15');
    const node = startNode(new ManualClock(NOW));
    await node.job.run();
    await node.serve(0, 50);
    await node.job.run();
    await node.stop();
    expect(await breaches()).toEqual([]);
  });

  it('leaves out what probes are told', async () => {
    const node = startNode(new ManualClock(NOW));
    for (const route of ['/health', '/health/ready']) for (let i = 0; i < 5; i += 1) node.unavailable(route);
    await node.serve(10, 0);
    await node.job.run();
    await node.stop();
    expect(await breaches()).toEqual([]);
  });

  it('is the same after a restart within the window, and the same incident goes on', async () => {
    verifies('W3-3.15', 'BW-channel.02');
    const clock = new ManualClock(NOW);
    const first = startNode(clock);
    await first.serve(40, 8);
    await first.job.run();
    await first.stop();
    clock.advance(15_000);
    const second = startNode(clock);
    await second.job.run();
    await second.stop();
    const [before, after, ...more] = await breaches();
    expect(after?.payload).toEqual(before?.payload);
    expect(before?.payload).toMatchObject({ rate: 0.2 });
    expect(more).toEqual([]);

    clock.advance(300_000);
    const third = startNode(clock);
    await third.serve(40, 8);
    await third.job.run();
    await third.stop();
    const last = (await breaches()).at(-1)?.payload;
    expect(last).toMatchObject({ rate: 0.2 });
    expect(last?.['incident_id']).not.toBe(before?.payload['incident_id']);
  });

  it('is computed from what all nodes stored', async () => {
    verifies('W3-3.14');
    const clock = new ManualClock(NOW);
    const [a, b] = [startNode(clock), startNode(clock)];
    await a.serve(10, 0);
    await b.serve(10, 1);
    await a.job.run();
    await Promise.all([a.stop(), b.stop()]);
    expect((await breaches()).map(({ payload }) => payload['count_request'])).toEqual([20]);
  });

  it('is not read from a standby', async () => {
    const node = startNode(new ManualClock(NOW), {
      ...database,
      transaction: (work) =>
        database.transaction((tx) =>
          work({
            query: async <R>(statement: Parameters<typeof tx.query>[0]) =>
              statement.text.includes('pg_is_in_recovery') ? ([{ recovering: true }] as R[]) : tx.query<R>(statement),
          }),
        ),
    });
    await node.serve(1, 1);
    await expect(node.job.run()).rejects.toThrow('standby');
    await node.stop();
    expect(await breaches()).toEqual([]);
  });
});
