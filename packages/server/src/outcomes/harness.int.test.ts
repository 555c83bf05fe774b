import { externalOutcomeAnswer } from '@breakwater/contract/tools';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { onboard, operator } from '../../testing/calls.ts';
import { postJson, type Json } from '../../testing/rest.ts';
import { serveWorld, type ServedWorld } from '../../testing/serving.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';

const world = await testWorld();
let served: ServedWorld;
let secret: string;
beforeAll(async () => {
  served = await serveWorld(world);
  secret = await operator(world.node, world.database, 'operator:act', 'ci');
});
afterAll(async () => {
  await served.close();
  await world.node.stop();
});

/** Reports an outcome; what a report is answered is held against the contract, here as no tool answers it. */
const report = async (body: Json) => {
  const answer = await postJson(served.url, '/v1/harness/outcome', body, { authorization: `Bearer ${secret}` });
  if (answer.status === 200 && answer.body['success'] === true) {
    const { success: _envelope, ...recorded } = answer.body;
    expect(externalOutcomeAnswer.parse(recorded)).toEqual(recorded);
  }
  return answer;
};
const agent = () => onboard(world.call, { force_new: true });
let serial = 0;
const claim = async (client_session_id: string, confidence = 0.9) =>
  (await world.call('sync_state', { client_session_id, response_text: `Piece ${(serial += 1)} is done.`, confidence }))
    .body['prediction_id'];
const row = async (outcomeId: unknown): Promise<Json> =>
  (await world.rows('SELECT * FROM audit.outcome_events WHERE outcome_id = $1', outcomeId))[0] ?? {};

describe("an outcome that an operator's program saw", () => {
  test.each([
    { verification_source: undefined, detail: undefined, grade: 'externally_verified', weight: 1 },
    { verification_source: 'external_signal', detail: { ci: 'run 7' }, grade: 'externally_verified', weight: 1 },
    { verification_source: 'server_observation', detail: {}, grade: 'substrate_observed', weight: 0.85 },
    {
      verification_source: 'agent_reported_tool_result',
      detail: { ci: 'run 7', verified: true },
      grade: 'self_report_with_refs',
      weight: 0.35,
    },
    {
      verification_source: 'external_signal',
      detail: { command: 'make', exit_code: 0, verified: false },
      grade: 'tool_observed',
      weight: 0.65,
    },
    { verification_source: 'server_observation', detail: { verified: false }, grade: 'claim_only', weight: 0.1 },
  ])('$verification_source with $detail is $grade, $weight', async ({ grade, weight, ...sent }) => {
    verifies('BW-outcomes.01');
    const one = await agent();
    const { status, body } = await report({
      agent_uuid: one.uuid,
      outcome_type: 'test_passed',
      prediction_id: await claim(one.secret),
      ...sent,
    });
    expect([status, body]).toMatchObject([
      200,
      { success: true, corroboration_grade: grade, evidence_weight: weight, graded: weight >= 0.65 },
    ]);
    expect(await row(body['outcome_id'])).toMatchObject({
      agent_id: one.uuid,
      verification_source: sent.verification_source ?? 'external_signal',
      corroboration_grade: grade,
      evidence_weight: weight,
      confidence: 0.9,
    });
    const [event] = await world.rows(
      "SELECT payload FROM audit.events WHERE agent_id = $1 AND event_type = 'outcome_recorded'",
      one.uuid,
    );
    expect(event?.['payload']).toMatchObject({ operator: 'ci', outcome_id: body['outcome_id'] });
  });

  test('keeps its own markers, and cannot write the notes of the server', async () => {
    const one = await agent();
    const { body } = await report({
      agent_uuid: one.uuid,
      outcome_type: 'test_passed',
      detail: { verified: true, grade: 'A', server_snapshot: { channel: 'lint' }, snapshot_missing: false },
    });
    expect((await row(body['outcome_id']))['detail']).toEqual({ verified: true, grade: 'A', snapshot_missing: true });
    expect(body).toMatchObject({ snapshot_missing: true, graded: false, prediction_source: 'no_binding' });
  });

  test('settles only a prediction of that agent, once', async () => {
    verifies('BW-outcomes.02');
    const [one, other] = [await agent(), await agent()];
    const prediction_id = await claim(one.secret);
    const body = { outcome_type: 'test_passed', prediction_id };
    const answers = [];
    for (const agent_uuid of [other.uuid, one.uuid, one.uuid])
      answers.push((await report({ ...body, agent_uuid })).body);
    expect(answers.map(({ prediction_source, graded }) => [prediction_source, graded])).toEqual([
      ['missing_prediction', false],
      ['registry', true],
      ['missing_prediction', false],
    ]);
  });

  test('pauses the agent in the transaction that records it, when its claims demand it', async () => {
    verifies('BW-checkin.16');
    const one = await agent();
    let paused: Json | undefined;
    for (let i = 0; i < 8 && paused === undefined; i += 1) {
      const prediction_id = await claim(one.secret);
      const { body } = await report({ agent_uuid: one.uuid, outcome_type: 'test_failed', prediction_id });
      if (body['paused'] === true) paused = body;
    }
    expect(paused).toMatchObject({ pause: { reason: expect.stringContaining('Claims run ahead') as string } });
    const refused = await world.call('sync_state', { client_session_id: one.secret, response_text: 'going on' });
    expect(refused.code).toBe('AGENT_PAUSED');
  });

  test('is no activity of the agent in another session', async () => {
    const one = await agent();
    await claim(one.secret);
    const session = () =>
      world.rows('SELECT active_session_key, node_index FROM core.identities WHERE agent_id = $1', one.uuid);
    const before = await session();
    await report({ agent_uuid: one.uuid, outcome_type: 'task_completed', session_id: 'ci-session' });
    expect(await session()).toEqual(before);
    expect(await world.count("audit.outcome_events WHERE agent_id = $1 AND session_id = 'ci-session'", one.uuid)).toBe(
      1,
    );
  });

  test('is recorded once however often it is sent with one key', async () => {
    const one = await agent();
    const body = { agent_uuid: one.uuid, outcome_type: 'test_passed', idempotency_key: 'run-7' };
    const [first, second] = [await report(body), await report(body)];
    expect(second.body).toEqual(first.body);
    expect(await world.count('audit.outcome_events WHERE agent_id = $1', one.uuid)).toBe(1);
    const other = await report({ ...body, outcome_type: 'test_failed' });
    expect([other.status, other.body['error_code']]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    // The agent's own keys are of another kind.
    const own = await world.call('record_result', {
      client_session_id: one.secret,
      outcome_type: 'test_passed',
      idempotency_key: 'run-7',
    });
    expect(own.ok).toBe(true);
  });

  test.each([
    [{ outcome_type: undefined }, 'outcome_type'],
    [{ outcome_type: 'test_exploded' }, 'outcome_type'],
    [{ agent_uuid: undefined }, 'agent_uuid'],
    [{ agent_uuid: 'Ada' }, 'agent_uuid'],
    [{ verification_source: 'god' }, 'verification_source'],
    [{ outcome_score: 1.5 }, 'outcome_score'],
    [{ confidence: 'NaN' }, 'confidence'],
    [{ detail: [] }, 'detail'],
    [{ detail: { log: 'x'.repeat(17_000) } }, 'detail'],
    [{ evidence_weight: 1 }, 'evidence_weight'],
  ])('with %j is refused, and the refusal names it', async (wrong, named) => {
    const one = await agent();
    const { status, body } = await report({ agent_uuid: one.uuid, outcome_type: 'test_passed', ...wrong });
    expect([status, body['error_code']]).toEqual([400, 'PARAMETER_ERROR']);
    expect(JSON.stringify([body['error'], body['problems']])).toContain(named);
    expect(await world.count('audit.outcome_events WHERE agent_id = $1', one.uuid)).toBe(0);
  });

  test('of an agent that is not there is 404, of one that has ended 409, and no object is 400', async () => {
    const nobody = await report({ agent_uuid: crypto.randomUUID(), outcome_type: 'test_passed' });
    expect([nobody.status, nobody.body['error_code']]).toEqual([404, 'AGENT_NOT_FOUND']);
    const one = await agent();
    await world.call('agent', { client_session_id: one.secret, action: 'archive', force: true });
    const gone = await report({ agent_uuid: one.uuid, outcome_type: 'test_passed' });
    expect([gone.status, gone.body['error_code']]).toEqual([409, 'AGENT_ARCHIVED']);
    expect((await report([] as unknown as Json)).status).toBe(400);
  });

  test('is refused when the operator was ended', async () => {
    const one = await agent();
    const ended = await operator(world.node, world.database, 'operator:act', 'ended');
    const send = () =>
      postJson(
        served.url,
        '/v1/harness/outcome',
        { agent_uuid: one.uuid, outcome_type: 'test_passed' },
        { 'x-breakwater-operator': ended },
      );
    expect((await send()).status).toBe(200);
    world.clock.advance(86_400_001);
    expect((await send()).status).toBe(403);
  });
});

describe('what the server notes beside an outcome', () => {
  test('the state and the nature of the claim, as they were', async () => {
    const one = await agent();
    const checkedIn = await world.call('process_agent_update', {
      client_session_id: one.secret,
      response_text: 'Rewrote the scheduler and its tests.',
      confidence: 0.7,
      complexity: 0.9,
      epistemic_class: 'prediction',
      response_mode: 'full',
    });
    const { body } = await world.call('record_result', {
      client_session_id: one.secret,
      outcome_type: 'task_completed',
      prediction_id: checkedIn.body['prediction_id'],
      detail: { kind: 'lint', tool: 'eslint', exit_code: 0 },
    });
    const { continuity } = checkedIn.body['scoring'] as { continuity: Json };
    const raw = (body['raw_governance'] ?? body) as Json;
    expect(raw['snapshot_missing']).toBeUndefined();
    const kept = await row(body['outcome_id'] ?? raw['outcome_id']);
    expect((kept['detail'] as Json)['server_snapshot']).toMatchObject({
      channel: 'lint',
      claim_class: 'prediction',
      complexity_gap: expect.closeTo(continuity['complexity_divergence'] as number, 3) as number,
      ended_healthy: expect.any(Boolean) as boolean,
    });
    expect(kept).toMatchObject({ channel: 'lint', claim_class: 'prediction', eisv_coherence: 0.5 });
  });

  test('no complexity gap when the agent reported no complexity', async () => {
    const one = await agent();
    const { body } = await world.call('record_result', {
      client_session_id: one.secret,
      outcome_type: 'test_passed',
      prediction_id: await claim(one.secret),
      detail: { command: 'npm test', exit_code: 0 },
      include_semantics: true,
    });
    const raw = (body['raw_governance'] ?? body) as Json;
    expect(await row(raw['outcome_id'])).toMatchObject({
      channel: 'tests',
      claim_class: 'agent_report',
      complexity_gap: null,
    });
    expect(raw['semantics']).toMatchObject({ graded_from: 0.65, grades: { externally_verified: { weight: 1 } } });
  });
});
