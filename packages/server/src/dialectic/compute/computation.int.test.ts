import { FAILURE_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { testDatabase } from '../../../testing/database.ts';
import { verifies } from '../../../testing/verifies.ts';
import { createChannel } from '../../channel/index.ts';
import { systemClock, systemIds } from '../../runtime/index.ts';
import { Computation, computeFailurePayload, type Placement } from './computation.ts';

const { database } = await testDatabase();

const offer = { agent_id: 'a' };
const input = { message_a: offer, message_b: offer, transcript: [], session_type: 'review' };
const call = { mode: 'synthesize', sessionId: 's1', round: 2, input };

/** Asks twice at once for a computation that fails; gives the codes of the refusals, and what is stored. */
const failing = async (host: string, compute: Placement) => {
  const channel = createChannel({
    database,
    clock: systemClock,
    ids: systemIds,
    context: { service_pid: process.pid, running_since: new Date().toISOString(), host },
    onError: () => undefined,
  });
  const computation = new Computation({
    clock: systemClock,
    random: () => 0,
    budgetMs: 20,
    onFailure: (failure) => channel.fail(FAILURE_EVENTS.beamToPythonRequestFailed, computeFailurePayload(failure)),
    compute,
  });
  const outcomes = await Promise.all([computation.run(call), computation.run(call)]);
  await channel.stop();
  const rows = await database.query({
    text: `SELECT event_type, payload FROM audit.coordination_events WHERE context->>'host' = $1`,
    values: [host],
  });
  return { codes: outcomes.map((outcome) => !outcome.ok && outcome.refusal.code), rows };
};

const stored = (payload: Readonly<Record<string, unknown>>) => ({
  event_type: 'coordination_failure.beam_python_boundary.beam_to_python_request_failed',
  payload: {
    endpoint: '/v1/dialectic/compute',
    method: 'POST',
    incident_id: expect.any(String) as string,
    elapsed_ms: expect.any(Number) as number,
    mode: 'synthesize',
    session_id: 's1',
    round: 2,
    ...payload,
  },
});

it('a computation past its budget is stored once as a failure of the boundary', async () => {
  verifies('W3-5.06');
  let computed = 0;
  const { codes, rows } = await failing('late', () => {
    computed += 1;
    return new Promise(() => undefined);
  });
  expect(codes).toEqual(['TIMEOUT', 'TIMEOUT']);
  expect(rows).toEqual([stored({ error_class: 'timeout' })]);
  expect(computed).toBe(1);
});

it('a computation that is lost is stored once with its class and status', async () => {
  verifies('W3-6.04');
  const { codes, rows } = await failing('lost', () => ({
    ok: false,
    lost: { errorClass: 'non_200', statusCode: 502, reason: 'it answered 502' },
  }));
  expect(codes).toEqual(['NOT_READY', 'NOT_READY']);
  expect(rows).toEqual([stored({ error_class: 'non_200', status_code: 502, error: 'it answered 502' })]);
});
