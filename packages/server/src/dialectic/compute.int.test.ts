import { FAILURE_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import { createChannel } from '../channel/index.ts';
import { ensurePartitions } from '../postgres/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { Computation, computeTimeoutPayload } from './compute.ts';

const { database } = await testDatabase();
await ensurePartitions(database, systemClock.now());

it('a computation past its budget is stored once as a failure of the boundary', async () => {
  verifies('W3-5.06');
  const channel = createChannel({
    database,
    clock: systemClock,
    ids: systemIds,
    context: { service_pid: process.pid, running_since: new Date().toISOString(), host: 'compute' },
    onError: () => undefined,
  });
  let computed = 0;
  const computation = new Computation({
    clock: systemClock,
    random: () => 0,
    budgetMs: 20,
    onTimeout: (facts) => channel.fail(FAILURE_EVENTS.beamToPythonRequestFailed, computeTimeoutPayload(facts)),
    compute: () => {
      computed += 1;
      return new Promise(() => undefined);
    },
  });
  const offer = { agent_id: 'a' };
  const input = { message_a: offer, message_b: offer, transcript: [], session_type: 'review' };
  const call = { mode: 'synthesize', sessionId: 's1', round: 2, input };
  for (const outcome of await Promise.all([computation.run(call), computation.run(call)])) {
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'TIMEOUT' } });
  }
  await channel.stop();
  const rows = await database.query({
    text: `SELECT event_type, payload FROM audit.coordination_events WHERE context->>'host' = 'compute'`,
  });
  expect(rows).toEqual([
    {
      event_type: 'coordination_failure.beam_python_boundary.beam_to_python_request_failed',
      payload: {
        endpoint: '/v1/dialectic/compute',
        method: 'POST',
        error_class: 'timeout',
        incident_id: expect.any(String) as string,
        elapsed_ms: expect.any(Number) as number,
        mode: 'synthesize',
        session_id: 's1',
        round: 2,
      },
    },
  ]);
  expect(computed).toBe(1);
});
