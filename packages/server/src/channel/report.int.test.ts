import { FAILURE_EVENTS, MEASUREMENT_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { idsFrom, MINUTE_MS, seededRandom } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { boundaryFailure, measurementPayload, requestPayload } from './payloads.ts';
import { readReport } from './report.ts';
import { createChannel } from './service.ts';

const NOW = Date.UTC(2026, 4, 5, 6);
const { database } = await testDatabase({ at: NOW });

const clock = new ManualClock(NOW);
const channel = createChannel({
  database,
  clock,
  ids: idsFrom(seededRandom(1)),
  context: { service_pid: 1, running_since: '2026-05-05T00:00:00.000Z', host: 'h' },
  onError: () => undefined,
  capacity: 3,
});
const crossing = { endpoint: '/v1/dialectic/compute', method: 'POST' };
const request = (tool: string, ms: number, outcome = 'ok', agentId?: string) =>
  channel.measure(
    MEASUREMENT_EVENTS.request,
    requestPayload({ tool, transport: 'rest', status: 200, outcome, ms, crossings: 0 }),
    agentId,
  );

it('of a window counts types and endpoints, failures and measurements apart', async () => {
  verifies('W3-6.09', 'BW-channel.02');
  for (let ms = 1; ms <= 101; ms += 1) request('sync_state', ms, ms > 99 ? 'TIMEOUT' : 'ok', ms % 2 === 0 ? 'a' : 'b');
  request('onboard', 7);
  channel.measure(MEASUREMENT_EVENTS.boundaryRequest, measurementPayload({ ...crossing, elapsedMs: 3 }));
  const lost = (errorClass: 'timeout' | 'connect_error', incident_id: string, elapsedMs: number) =>
    channel.fail(
      FAILURE_EVENTS.beamToPythonRequestFailed,
      boundaryFailure({ ...crossing, errorClass, elapsedMs }, { incident_id }),
    );
  lost('timeout', 'one', 2000);
  lost('timeout', 'one', 2002);
  clock.advance(MINUTE_MS);
  lost('connect_error', 'two', 10);
  // No room for this one.
  channel.fail(FAILURE_EVENTS.eventLoopDelay, {});
  clock.advance(MINUTE_MS);
  await expect.poll(() => (clock.advance(200), channel.counters.waiting + channel.measurementCounters.waiting)).toBe(0);
  channel.fail(FAILURE_EVENTS.toolTimeout, { incident_id: 'three', tool_name: 't' }, 'a');
  await channel.stop();

  const report = await readReport(database, { from: NOW, to: NOW + 60 * MINUTE_MS });
  expect(report.failures).toEqual([
    {
      type: FAILURE_EVENTS.beamToPythonRequestFailed,
      endpoint: '/v1/dialectic/compute',
      tool: null,
      count: 3,
      incidents: 2,
      agents: 0,
      p50: 2000,
      p99: expect.closeTo(2002, 0) as number,
      first: NOW,
      last: NOW + MINUTE_MS,
      classes: { timeout: 2, connect_error: 1 },
    },
    expect.objectContaining({
      type: FAILURE_EVENTS.toolTimeout,
      endpoint: null,
      tool: 't',
      count: 1,
      incidents: 1,
      agents: 1,
      p50: null,
      p99: null,
      classes: {},
    }),
  ]);
  expect(report.measurements).toMatchObject([
    { type: MEASUREMENT_EVENTS.boundaryRequest, endpoint: '/v1/dialectic/compute', count: 1, p50: 3, classes: {} },
    {
      type: MEASUREMENT_EVENTS.request,
      endpoint: '/v1/tools/call',
      tool: 'sync_state',
      count: 101,
      agents: 2,
      p50: 51,
      p99: 100,
      classes: { TIMEOUT: 2 },
    },
    { type: MEASUREMENT_EVENTS.request, tool: 'onboard', count: 1, agents: 0, p50: 7, p99: 7, classes: {} },
    { type: MEASUREMENT_EVENTS.samplesDropped, count: 1 },
  ]);
  expect(report.dropped).toBe(1);
});

it('takes its begin and leaves its end out; where nothing is, it says so', async () => {
  verifies('W3-6.09');
  const counted = async (from: number, to: number) => {
    const { failures, measurements } = await readReport(database, { from, to });
    return [failures, measurements].map((lines) => lines.reduce((sum, { count }) => sum + count, 0));
  };
  expect(await counted(NOW, NOW + 1)).toEqual([2, 103]);
  expect(await counted(NOW + 1, NOW + MINUTE_MS)).toEqual([0, 0]);
  expect(await counted(NOW + MINUTE_MS, NOW + MINUTE_MS + 1)).toEqual([1, 0]);
  expect(await readReport(database, { from: 0, to: 1 })).toEqual({ failures: [], measurements: [], dropped: 0 });
});
