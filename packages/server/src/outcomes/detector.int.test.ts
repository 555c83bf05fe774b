import { ok, AUDIT_EVENTS, type Result } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { describe, expect, test } from 'vitest';
import { onboard, operator } from '../../testing/calls.ts';
import { born, testNode, type TestNode } from '../../testing/node.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { pauseChange, type Pause } from '../agents/index.ts';
import { HOUR_MS } from '../runtime/index.ts';

const world = await testWorld();
let serial = 0;

const agent = () => onboard(world.call, { force_new: true });
const claim = async (client_session_id: string, more: Json = {}): Promise<Json> =>
  (
    await world.call('sync_state', {
      client_session_id,
      response_text: `Piece ${(serial += 1)} ${crypto.randomUUID()}`,
      confidence: 0.95,
      response_mode: 'full',
      ...more,
    })
  ).body;
const settle = async (client_session_id: string, args: Json, id?: unknown) =>
  world.call('record_result', {
    client_session_id,
    prediction_id: id ?? (await claim(client_session_id))['prediction_id'],
    ...args,
  });
const failing = { outcome_type: 'test_failed', detail: { command: 'npm test', exit_code: 1 } };
const headOf = async (uuid: string): Promise<Json> =>
  (await world.rows('SELECT * FROM core.identities WHERE agent_id = $1', uuid))[0] ?? {};

describe('evidence and outcome', () => {
  test.each([
    [{ outcome_type: 'test_passed', detail: { command: 'x', exit_code: 1 } }, 'detail.exit_code', 'outcome_type'],
    [{ outcome_type: 'test_passed', detail: { command: 'x', exit_code: '1' } }, 'detail.exit_code', 'outcome_type'],
    [
      { outcome_type: 'task_failed', is_bad: true, outcome_score: 0.97, detail: { command: 'x', exit_code: 1 } },
      'outcome_score',
      'is_bad',
    ],
    [{ outcome_type: 'test_failed', is_bad: false, detail: { command: 'x', exit_code: 0 } }, 'is_bad', 'outcome_type'],
  ])('%j is refused by its fields, and leaves the claim open', async (args, field, against) => {
    verifies('BW-outcomes.05');
    const one = await agent();
    const id = (await claim(one.secret))['prediction_id'];
    const refused = await settle(one.secret, args, id);
    expect(refused.code).toBe('PARAMETER_ERROR');
    expect(JSON.stringify(refused.body)).toContain(field);
    expect(JSON.stringify(refused.body)).toContain(`"${against}"`);
    expect((await settle(one.secret, failing, id)).body).toMatchObject({ graded: true, is_bad: true });
  });

  test('is refused from an operator as well', async () => {
    verifies('BW-outcomes.05');
    const one = await agent();
    const secret = await operator(world.node, world.database, 'operator:act', `ci-${crypto.randomUUID().slice(0, 8)}`);
    const body = { agent_uuid: one.uuid, outcome_type: 'test_passed', detail: { ci: { conclusion: 'failure' } } };
    const refused = await world.node.harness.record(secret, body);
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'PARAMETER_ERROR' } });
    expect(await world.count('audit.outcome_events WHERE agent_id = $1', one.uuid)).toBe(0);
  });

  test('a tool result that contradicts itself is stored, not graded, and named', async () => {
    verifies('BW-outcomes.05');
    const one = await agent();
    const id = (await claim(one.secret))['prediction_id'];
    const said = await claim(one.secret, {
      recent_tool_results: [{ tool: 'npm', summary: 's', exit_code: 1, is_bad: false, prediction_id: id }],
    });
    expect(JSON.stringify(said['warnings'])).toContain('detail.exit_code says fail, which contradicts is_bad false');
    expect(await world.rows('SELECT graded FROM audit.outcome_events WHERE agent_id = $1', one.uuid)).toEqual([
      { graded: false },
    ]);
  });

  test('a tool result without a result has no score', async () => {
    verifies('BW-outcomes.05');
    const one = await agent();
    await claim(one.secret, { recent_tool_results: [{ tool: 'npm', summary: '3 tests failed: TypeError' }] });
    expect(await world.rows('SELECT outcome_score FROM audit.outcome_events WHERE agent_id = $1', one.uuid)).toEqual([
      { outcome_score: null },
    ]);
  });

  test('the answer says what is missing', async () => {
    const one = await agent();
    const { body } = await settle(one.secret, { outcome_type: 'test_passed', detail: { commit: 'abc' } });
    expect(body).toMatchObject({
      graded: false,
      warnings: [expect.stringContaining('{command, exit_code}') as string],
    });
  });
});

describe('a pause', () => {
  test('stays as it is when a paused agent records what would pause it', async () => {
    const one = await agent();
    const ids: unknown[] = [];
    for (let i = 0; i < 8; i += 1) ids.push((await claim(one.secret))['prediction_id']);
    const now = world.clock.now();
    const pause: Pause = {
      actuation_id: crypto.randomUUID(),
      paused_at: new Date(now).toISOString(),
      expires_at: null,
      sub_action: 'operator_pause',
      reason: 'by hand',
      evidence: {},
    };
    const { event, ...change } = pauseChange(pause);
    const paused = await world.node.agents.act(one.uuid, Number.MAX_SAFE_INTEGER, () =>
      Promise.resolve(ok({ reply: null, change: { at: now, events: [event], ...change } })),
    );
    expect(paused.ok).toBe(true);
    let last: Json = {};
    for (const id of ids) last = (await settle(one.secret, failing, id)).body;
    expect(last).toMatchObject({ graded: true, claims: { graded: 8 } });
    expect((last['claims'] as Json)['value']).toBeGreaterThan(1000);
    expect(last).not.toHaveProperty('paused');
    expect((await headOf(one.uuid))['pause']).toEqual(pause);
    expect((await world.trail(one.uuid)).filter((type) => type === AUDIT_EVENTS.agentPaused)).toHaveLength(1);
  });

  test('by a check-in leaves its row with reason and evidence beside the check-in', async () => {
    const one = await agent();
    const ids: unknown[] = [];
    for (let i = 0; i < 6; i += 1) ids.push((await claim(one.secret))['prediction_id']);
    const results = ids.map((prediction_id) => ({ tool: 'npm', summary: 's', exit_code: 1, prediction_id }));
    world.clock.advance(1000);
    const said = await claim(one.secret, { recent_tool_results: results });
    expect(said['decision']).toMatchObject({ action: 'pause', sub_action: 'claims_pause' });
    const [checkIn, row, ...more] = await world.rows(
      `SELECT event_type, payload, ts FROM audit.events WHERE agent_id = $1 AND ts >= (
         SELECT ts FROM audit.events WHERE agent_id = $1 AND event_type = $2) ORDER BY chain_index`,
      one.uuid,
      AUDIT_EVENTS.agentPaused,
    );
    expect(more).toEqual([]);
    expect([checkIn?.['event_type'], row?.['event_type']]).toEqual([
      AUDIT_EVENTS.checkInRecorded,
      AUDIT_EVENTS.agentPaused,
    ]);
    expect(row?.['ts']).toEqual(checkIn?.['ts']);
    expect(row?.['payload']).toMatchObject({
      reason: (said['decision'] as Json)['reason'],
      evidence: { schema: 'dialectic.pause_evidence.v1' },
    });
  });
});

describe('an account', () => {
  test('of version 1 is carried over, with the value that it had', async () => {
    const one = await agent();
    await settle(one.secret, failing);
    const version1 = {
      version: 1,
      claims: { bets: [2, 30, 700], graded: 4, sumClaim: 3.8, sumResult: 0, recent: [] },
      bins: Array.from({ length: 10 }, () => ({ n: 0, sumClaim: 0, sumResult: 0 })),
      recent: [],
    };
    await world.rows(
      'UPDATE core.identities SET evidence = $2::jsonb, sequence = sequence + 1 WHERE agent_id = $1',
      one.uuid,
      JSON.stringify(version1),
    );
    await world.restart();
    const read = (await claim(one.secret))['evidence'] as Json;
    expect((read['claims'] as Json)['value']).toBeCloseTo(244, 6);
    const passed = { outcome_type: 'test_passed', detail: { command: 'npm test', exit_code: 0 } };
    await settle(one.secret, passed, (await claim(one.secret, { confidence: 0.3 }))['prediction_id']);
    const { version, claims } = (await headOf(one.uuid))['evidence'] as { version: number; claims: { bets: number[] } };
    expect(version).toBe(2);
    expect(claims.bets.map((bet) => Math.round(bet * 1e6) / 1e6)).toEqual([1.8, 22.5, 350, 2, 30, 700]);
  });

  test('of coverage counts claims, and says the same after a restart', async () => {
    verifies('BW-outcomes.06');
    const one = await agent();
    await settle(one.secret, failing);
    await claim(one.secret);
    await claim(one.secret, { confidence: null });
    const { body } = await settle(one.secret, { outcome_type: 'task_completed' });
    expect(body['coverage']).toMatchObject({ made: 3, settled: 1, expired: 0, open: 2, unclaimed: 1, ungraded: 1 });
    const working = async () => (await world.call('check_working_state', { client_session_id: one.secret })).body;
    world.clock.advance(26 * HOUR_MS);
    const expired = { made: 3, settled: 1, expired: 2, open: 0, unclaimed: 1, ungraded: 1, share: 0.3333 };
    const before = (await working())['coverage'];
    expect(before).toMatchObject(expired);
    await world.restart();
    expect((await working())['coverage']).toEqual(before);
    expect((await claim(one.secret))['coverage']).toMatchObject({ claims: 3, settled: 1, expired: 2, unclaimed: 1 });
  });

  test('of an agent that records nothing guides it, and never pauses it', async () => {
    verifies('BW-outcomes.06');
    const one = await agent();
    for (let i = 0; i < 13; i += 1) {
      await claim(one.secret);
      world.clock.advance(60_000);
    }
    world.clock.advance(26 * HOUR_MS);
    expect((await claim(one.secret))['decision']).toMatchObject({
      action: 'proceed',
      sub_action: 'guide',
      reason: 'silence: 13 of 13 claims expired without a result',
    });
  });
});

describe('an outage', () => {
  const value = <T>(outcome: Result<T>): T => {
    if (!outcome.ok) throw new Error(JSON.stringify(outcome.refusal));
    return outcome.value;
  };
  const fail = async (node: TestNode, agentId: string): Promise<Json> => {
    const checkedIn = value(
      await node.checkIns.checkIn({
        args: processAgentUpdate.input.parse({ response_text: `Work ${(serial += 1)}`, confidence: 0.95 }),
        agentId,
        assurance: 'strong',
        sessionKey: 's',
        deadline: Number.MAX_SAFE_INTEGER,
      }),
    );
    return value(
      await node.outcomes.record({
        agentId,
        args: {
          outcome_type: 'test_failed',
          prediction_id: checkedIn['prediction_id'],
          detail: { command: 'npm test', exit_code: 1 },
          outcome_score: undefined,
          is_bad: undefined,
          confidence: undefined,
        },
        sessionKey: 's',
        deadline: Number.MAX_SAFE_INTEGER,
      }),
    );
  };

  test('places no bets, on any node, and a pause says how many failed beside it', async () => {
    verifies('BW-outcomes.07');
    // Nothing of the tests before counts any more.
    world.clock.advance(2 * HOUR_MS);
    await world.restart();
    const { node } = world;
    const lonely = (await born(node)).agentId;
    let paused: Json = {};
    const neighbour = (await born(node)).agentId;
    await fail(node, neighbour);
    for (let i = 0; i < 5; i += 1) paused = await fail(node, lonely);
    expect((paused['pause'] as Json)['reason']).toContain('1 of 1 other agents with results had failures');

    for (let i = 0; i < 4; i += 1) {
      const one = (await born(node)).agentId;
      for (let k = 0; k < 4; k += 1) await fail(node, one);
    }
    const held = await fail(node, neighbour);
    expect(held).toMatchObject({ graded: true, bet_held: true, claims: { graded: 1 } });
    expect(JSON.stringify(held['warnings'])).toContain('no bet was placed');
    const [row] = await world.rows('SELECT detail FROM audit.outcome_events WHERE outcome_id = $1', held['outcome_id']);
    expect(row?.['detail']).toMatchObject({ bet_held: { others: 21 } });

    const second = await testNode(world.database, { clock: world.clock });
    const now = world.clock.now();
    expect(second.outcomes.fleet.others(neighbour, now)).toEqual(node.outcomes.fleet.others(neighbour, now));
    await fail(second, (await born(second)).agentId);
    await node.outcomes.fleet.refresh();
    expect(node.outcomes.fleet.others(neighbour, now)).toEqual(second.outcomes.fleet.others(neighbour, now));
    await second.stop();
    await node.stop();
  });
});
