import { describe, expect, it } from 'vitest';
import { callsOf, dispatcherOf, onboard, operator, type Minted } from '../../testing/calls.ts';
import { testNode } from '../../testing/node.ts';
import type { Json } from '../../testing/rest.ts';
import { giveRecord } from '../../testing/reviewer.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { testOverview } from '../overview/testing/overview.ts';
import { HOUR_MS } from '../runtime/index.ts';

const CONDITIONS = ['Set complexity to 0.4'];
const THESIS = { root_cause: 'I claimed without tests.', proposed_conditions: CONDITIONS };

const as = ({ secret }: Minted, args: Json = {}): Json => ({ client_session_id: secret, ...args });
const born = (w: World, userAgent?: string, args: Json = {}) =>
  onboard(w.call, { force_new: true, ...args }, userAgent === undefined ? {} : { userAgent });
const checkIn = (w: World, who: Minted, args: Json = {}) =>
  w.call('sync_state', as(who, { response_text: `work ${w.clock.now()}`, ...args }));
/** An agent with the record of a reviewer, at work. */
const reviewer = async (w: World, userAgent?: string): Promise<Minted> => {
  const agent = await born(w, userAgent);
  await checkIn(w, agent);
  await giveRecord(w.database, [agent.uuid], w.clock.now());
  await w.node.agents.refresh([agent.uuid]);
  return agent;
};
/** Fails with full confidence until the claims detector pauses the agent. */
const pause = async (w: World, agent: Minted): Promise<void> => {
  for (let i = 0; i < 12; i += 1) {
    w.clock.advance(10_000);
    const claim = await checkIn(w, agent, { confidence: 0.95 });
    const failed = await w.call(
      'record_result',
      as(agent, {
        prediction_id: claim.body['prediction_id'],
        outcome_type: 'test_failed',
        detail: { command: 'npm test', exit_code: 1 },
        verification_source: 'agent_reported_tool_result',
      }),
    );
    if (failed.body['paused'] === true) return;
  }
  throw new Error('the agent was never paused');
};
const tag = async (w: World, agent: Minted): Promise<void> => {
  const { ok, body } = await w.call('agent', as(agent, { action: 'update', tags: ['build'] }));
  if (!ok) throw new Error(JSON.stringify(body));
};
const statusOf = async (w: World, { uuid }: Minted) =>
  (await w.rows('SELECT status FROM core.identities WHERE agent_id = $1', uuid))[0]?.['status'];
const needsOf = async (w: World) =>
  (await testOverview(w.database, w.node.agents.table, { clock: w.clock }).now()).needs;
const answer = (w: World, who: Minted, id: unknown) =>
  w.call('submit_antithesis', as(who, { session_id: id, reasoning: 'I see it otherwise.' }));
const agree = (w: World, who: Minted, id: unknown, more: Json = {}) =>
  w.call('submit_synthesis', as(who, { session_id: id, agrees: true, proposed_conditions: CONDITIONS, ...more }));
const confirm = async (w: World, id: unknown, args: Json = {}) =>
  w.call(
    'dialectic',
    { action: 'confirm', session_id: id, decision: 'accept', reason: 'I have looked at it', ...args },
    { operatorSecret: await operator(w.node, w.database, 'operator:act', `ann-${crypto.randomUUID()}`) },
  );
/** A paused agent whose review a reviewer has agreed to, under the default policy. */
const agreed = async (w: World, more: Json = {}) => {
  const peer = await reviewer(w);
  const paused = await born(w);
  await pause(w, paused);
  const { body } = await w.call('request_review', as(paused, { ...THESIS, reviewer_mode: 'manual' }));
  const id = body['session_id'];
  expect((await answer(w, peer, id)).ok).toBe(true);
  return { paused, peer, id, agreement: await agree(w, peer, id, more) };
};

describe('a paused agent', async () => {
  const w = await testWorld();

  it('is freed by none of its puppets: not by children, friends with its tags, or neighbours; a person is asked at once', async () => {
    verifies('BW-breaker.03', 'BW-dialectic.07');
    const max = await born(w, 'harness/1');
    await tag(w, max);
    const neighbour = await reviewer(w, 'harness/1');
    await checkIn(w, max);
    const elder = await born(w, 'elsewhere/2', { parent_agent_id: max.uuid, spawn_reason: 'subagent' });
    await checkIn(w, elder);
    await giveRecord(w.database, [elder.uuid], w.clock.now());
    await w.node.agents.refresh([elder.uuid]);
    await pause(w, max);
    w.clock.advance(1_000);
    const child = await born(w, 'elsewhere/3', { parent_agent_id: max.uuid, spawn_reason: 'subagent' });
    const friend = await born(w, 'elsewhere/4');
    await tag(w, friend);
    for (const puppet of [child, friend]) await checkIn(w, puppet);

    const asked = await w.call('request_review', as(max, THESIS));
    expect(asked.body).toMatchObject({ reviewer: null, awaiting_facilitation: true, phase: 'antithesis' });
    expect(asked.body['message']).toContain('an operator is asked to name the reviewer');
    const [need, ...others] = (await needsOf(w)).filter(({ agent }) => agent?.agent_id === max.uuid);
    expect(others).toEqual([]);
    expect(need).toMatchObject({ kind: 'review_waiting', severity: 'critical', acts: ['assign_reviewer', 'resume'] });
    expect(need?.evidence).toContainEqual({ name: 'reviewers', value: 'no agent that qualifies is free' });

    const conditionsOf = (body: Json) => (body['conditions'] as Json[]).map(({ condition }) => condition);
    for (const [puppet, condition] of [
      [friend, 'born_after_pause'],
      [neighbour, 'same_place'],
    ] as const) {
      const { code, body } = await answer(w, puppet, asked.body['session_id']);
      expect(code).toBe('REVIEWER_UNQUALIFIED');
      expect(conditionsOf(body)).toContain(condition);
      expect((await agree(w, puppet, asked.body['session_id'])).code).toBe('FORBIDDEN');
    }
    // Its children are held with it, whatever record they have.
    for (const puppet of [child, elder]) {
      expect((await answer(w, puppet, asked.body['session_id'])).code).toBe('AGENT_PAUSED');
      expect((await agree(w, puppet, asked.body['session_id'])).code).toBe('AGENT_PAUSED');
    }
    expect(await statusOf(w, max)).toBe('paused');
    expect(await w.count('core.dialectic_messages WHERE session_id = $1', asked.body['session_id'])).toBe(2);
  });
});

describe('an operator', async () => {
  const w = await testWorld();

  it('names anybody but the agent and its relatives, and the session shows who named it', async () => {
    verifies('BW-breaker.03', 'BW-dialectic.11');
    const parent = await born(w);
    const max = await born(w, undefined, { parent_agent_id: parent.uuid, spawn_reason: 'subagent' });
    await pause(w, max);
    const child = await born(w, undefined, { parent_agent_id: max.uuid, spawn_reason: 'subagent' });
    const fresh = await born(w);
    const id = (await w.call('request_review', as(max, THESIS))).body['session_id'];
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'ann');
    const assign = (who: Minted) =>
      w.call(
        'reassign_reviewer',
        { session_id: id, new_reviewer_id: who.uuid, reason: 'knows the build' },
        { operatorSecret },
      );
    expect((await assign(child)).code, 'held with its parent').toBe('REVIEWER_PAUSED');
    const refused = await assign(parent);
    expect(refused).toMatchObject({ code: 'REVIEWER_UNQUALIFIED', body: { conditions: [{ condition: 'relative' }] } });
    expect((await assign(fresh)).body).toMatchObject({ reviewer: fresh.uuid, reviewer_assigned_by: 'operator ann' });
    const audited = `audit.events WHERE event_type = 'reviewer_assigned' AND payload->>'operator' = 'ann'
                     AND payload->>'reason' = 'knows the build'`;
    expect(await w.count(audited)).toBe(1);
    // A reviewer hands its place on to none that lacks what itself was spared.
    const other = await born(w);
    const handed = await w.call(
      'reassign_reviewer',
      as(fresh, { session_id: id, new_reviewer_id: other.uuid, reason: 'r' }),
    );
    expect(handed.code).toBe('REVIEWER_UNQUALIFIED');
  });

  it('confirms what a review of a claims pause agreed on; before that nothing of it is carried out', async () => {
    verifies('BW-breaker.03');
    const { paused, peer, id, agreement } = await agreed(w);
    expect(agreement.body).toMatchObject({
      converged: true,
      awaiting_confirmation: true,
      whose_move: 'not_yours',
      confirmation: { action: 'resume', why: ['claims_review'], decision: 'open' },
    });
    expect(await statusOf(w, paused)).toBe('paused');
    w.clock.advance(3 * HOUR_MS);
    await w.node.dialectic.driveAgreed(w.clock.now() + HOUR_MS);
    await w.node.dialectic.sweep(w.clock.now() + HOUR_MS);
    await w.node.saga.recover(true);
    expect(await statusOf(w, paused)).toBe('paused');
    expect((await agree(w, peer, id)).code).toBe('INVALID_PHASE');
    const needs = (await needsOf(w)).filter(({ agent }) => agent?.agent_id === paused.uuid);
    expect(needs).toMatchObject([{ kind: 'confirm_review', review_id: id, acts: ['confirm_review', 'reject_review'] }]);
    for (const who of [paused, peer]) {
      const self = await w.call(
        'dialectic',
        as(who, { action: 'confirm', session_id: id, decision: 'accept', reason: 'r' }),
      );
      expect(self.code).toBe('OPERATOR_REQUIRED');
    }
    expect((await confirm(w, id, { decision: 'maybe' })).code).toBe('PARAMETER_ERROR');
    expect((await confirm(w, id, { reason: '' })).code).toBe('MISSING_PARAMETER');
    const both = await Promise.all([confirm(w, id), confirm(w, id)]);
    expect(both.filter(({ ok }) => ok).map(({ body }) => body)).toMatchObject([
      { decision: 'confirmed', applied: true, agent_status: 'active', phase: 'resolved' },
    ]);
    expect(await statusOf(w, paused)).toBe('active');
    const [resumed] = await w.rows(
      `SELECT payload FROM audit.events WHERE agent_id = $1 AND event_type = 'lifecycle_resumed'`,
      paused.uuid,
    );
    expect(resumed?.['payload']).toMatchObject({
      by: 'review',
      confirmed_by: expect.stringMatching(/^ann-/) as string,
    });
    const row = `audit.events WHERE event_type = 'review_confirmed' AND agent_id = $1 AND payload->>'reason' = 'I have looked at it'`;
    expect(await w.count(row, paused.uuid)).toBe(1);
  });

  it('rejects it: the review has failed, the agent stays paused, and can ask again', async () => {
    verifies('BW-breaker.03');
    const { paused, id } = await agreed(w, { proposed_action: 'cooldown' });
    const rejected = await confirm(w, id, { decision: 'reject', reason: 'nothing was mended' });
    expect(rejected.body).toMatchObject({ decision: 'rejected', phase: 'failed', agent_status: 'paused' });
    const [row] = await w.rows(`SELECT payload FROM audit.events WHERE event_type = 'review_rejected'`);
    expect(row?.['payload']).toMatchObject({ session_id: id, action: 'cooldown', reason: 'nothing was mended' });
    w.clock.advance(20_000);
    await w.node.dialectic.driveAgreed(w.clock.now() + HOUR_MS);
    expect(await statusOf(w, paused)).toBe('paused');
    expect((await confirm(w, id)).code).toBe('INVALID_PHASE');
    expect((await w.call('request_review', as(paused, THESIS))).ok).toBe(true);
  });

  it('confirms nothing about a pause that is over: it would lift the next one', async () => {
    verifies('BW-breaker.03');
    const { paused, id } = await agreed(w);
    w.clock.advance(73 * HOUR_MS);
    await w.node.checkIns.expirePauseOf(paused.uuid, w.clock.now() + HOUR_MS);
    await pause(w, paused);
    expect((await confirm(w, id)).body).toMatchObject({ decision: 'lapsed', phase: 'failed', agent_status: 'paused' });
    expect(await statusOf(w, paused)).toBe('paused');
    const { paused: other, id: swept } = await agreed(w);
    w.clock.advance(73 * HOUR_MS);
    await w.node.checkIns.expirePauseOf(other.uuid, w.clock.now() + HOUR_MS);
    await w.node.dialectic.sweep(w.clock.now() + HOUR_MS);
    expect((await w.node.dialectic.find(String(swept)))?.phase).toBe('failed');
  });

  it('confirms on another node than the one that heard the agreement', async () => {
    verifies('BW-breaker.03');
    const { paused, id } = await agreed(w);
    const second = await testNode(w.database, { clock: w.clock });
    const call = callsOf(dispatcherOf(second, w.database));
    const operatorSecret = await operator(second, w.database, 'operator:act', 'eve');
    const args = { action: 'confirm', session_id: id, decision: 'accept', reason: 'from elsewhere' };
    expect((await call('dialectic', args, { operatorSecret })).body).toMatchObject({ applied: true });
    expect(await statusOf(w, paused)).toBe('active');
    await second.stop();
  });
});

describe('a second pause', async () => {
  const w = await testWorld();

  it('within a day of the end of the last one is confirmed by an operator, whatever the policy says, and Now says so', async () => {
    verifies('BW-breaker.03');
    await w.node.flags.set('claims_review', 'peer', 'test', 'peers decide');
    const { paused, peer, agreement } = await agreed(w);
    expect(agreement.body).toMatchObject({ converged: true, phase: 'resolved' });
    expect(await statusOf(w, paused)).toBe('active');
    const other = await reviewer(w);
    await pause(w, paused);
    const [need] = (await needsOf(w)).filter(({ agent }) => agent?.agent_id === paused.uuid);
    expect(need).toMatchObject({ kind: 'paused', severity: 'critical' });
    expect(need?.evidence.map(({ name }) => name)).toContain('paused again');
    const { body } = await w.call('request_review', as(paused, { ...THESIS, reviewer_mode: 'manual' }));
    expect((await answer(w, peer, body['session_id'])).code).toBe('FORBIDDEN');
    expect((await answer(w, other, body['session_id'])).ok).toBe(true);
    expect((await agree(w, other, body['session_id'])).body).toMatchObject({
      awaiting_confirmation: true,
      confirmation: { why: ['paused_again'] },
    });
    expect(await statusOf(w, paused)).toBe('paused');
  });
});

describe('whoever goes on without an operator', async () => {
  const w = await testWorld();

  it('is listed for a day, the newest first, with who, how, why and the review; what an operator did is not', async () => {
    verifies('BW-breaker.03');
    const now = () => testOverview(w.database, w.node.agents.table, { clock: w.clock }).now();
    const { paused: expired } = await agreed(w);
    w.clock.advance(73 * HOUR_MS);
    await w.node.checkIns.expirePauseOf(expired.uuid, w.clock.now() + HOUR_MS);
    const { id: confirmedId } = await agreed(w);
    expect((await confirm(w, confirmedId)).body).toMatchObject({ applied: true });
    await w.node.flags.set('claims_review', 'peer', 'test', 'peers decide');
    const { paused, peer, id } = await agreed(w);
    const recovered = await born(w);
    await checkIn(w, recovered);
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
         pause = '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","expires_at":"2099-01-01T00:00:00.000Z",
                   "sub_action":"risk_pause","reason":"r","evidence":{}}' WHERE agent_id = $1`,
      recovered.uuid,
    );
    await w.node.agents.refresh([recovered.uuid]);
    w.clock.advance(1_000);
    const itself = await w.call('self_recovery', as(recovered, { action: 'quick', reason: 'a hiccup' }));
    expect(itself.ok).toBe(true);
    const view = await now();
    expect(
      view.free_resumes?.map(({ agent, how, by, why, review_id }) => [
        agent.agent_id,
        how,
        by?.agent_id,
        why,
        review_id,
      ]),
    ).toEqual([
      [recovered.uuid, 'self_recovery', recovered.uuid, 'a hiccup', null],
      [paused.uuid, 'review', peer.uuid, THESIS.root_cause, id],
      [expired.uuid, 'expiry', undefined, expect.stringContaining('it had lasted'), null],
    ]);
    expect(view.more_free_resumes).toBe(0);
    w.clock.advance(25 * HOUR_MS);
    expect((await now()).free_resumes).toEqual([]);
  });
});

describe('a reviewer is told', async () => {
  const w = await testWorld();

  it('of the review that waits for it, by its check-in and its own state, on every node, until it has answered', async () => {
    const peer = await reviewer(w);
    const max = await born(w);
    await pause(w, max);
    const told = async (call = w.call) => {
      const checked = await call('sync_state', as(peer, { response_text: `w ${w.clock.now()}`, confidence: 0.6 }));
      w.clock.advance(20_000);
      const state = await call('check_working_state', as(peer));
      expect(state.body['review_waiting']).toEqual(checked.body['review_waiting']);
      expect(JSON.stringify(checked.body).length).toBeLessThan(1_024);
      return checked.body['review_waiting'] as Json | undefined;
    };
    expect(await told()).toBeUndefined();
    const opened = await w.call('request_review', as(max));
    const id = opened.body['session_id'];
    expect(opened.body).toMatchObject({ reviewer: peer.uuid, phase: 'thesis' });
    expect(await told(), 'the thesis is not there yet').toBeUndefined();
    const second = await testNode(w.database, { clock: w.clock, listen: true });
    const elsewhere = callsOf(dispatcherOf(second, w.database));
    await w.call('submit_thesis', as(max, { session_id: id, ...THESIS }));
    const waits = { session_id: id, next_call: `dialectic(action=antithesis, session_id=${String(id)})` };
    const queries = w.queries;
    expect(w.node.duties.viewFor(peer.uuid)).toEqual(waits);
    expect(w.queries).toBe(queries);
    expect(await told()).toEqual(waits);
    await second.duties.load();
    expect(await told(elsewhere)).toEqual(waits);
    expect((await answer(w, peer, id)).ok).toBe(true);
    expect(await told()).toMatchObject({ next_call: `dialectic(action=synthesis, session_id=${String(id)})` });
    await agree(w, peer, id);
    expect(await told()).toBeUndefined();
    await second.stop();
  });
});

describe('two nodes', async () => {
  const w = await testWorld();

  it('that take two answers for one place: the second sees the first, and is refused', async () => {
    verifies('W3-2.09');
    const [one, other] = [await reviewer(w), await reviewer(w)];
    const max = await born(w);
    await pause(w, max);
    const { body } = await w.call('request_review', as(max, { ...THESIS, reviewer_mode: 'manual' }));
    const id = body['session_id'];
    const second = await testNode(w.database, { clock: w.clock });
    const elsewhere = callsOf(dispatcherOf(second, w.database));
    const said = { session_id: id, reasoning: 'mine' };
    // The row is held while both come: each then has to look again, one after the other.
    const release = Promise.withResolvers<null>();
    const held = w.database.transaction(async (tx) => {
      await tx.query({ text: 'SELECT FROM core.dialectic_sessions WHERE session_id = $1 FOR UPDATE', values: [id] });
      await release.promise;
    });
    const both = [w.call('submit_antithesis', as(one, said)), elsewhere('submit_antithesis', as(other, said))];
    const waiting = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => w.count(waiting), { timeout: 10_000, interval: 20 }).toBe(2);
    release.resolve(null);
    await held;
    const answers = await Promise.all(both);
    expect(answers.map(({ code }) => code).sort()).toEqual(['FORBIDDEN', undefined]);
    expect(await w.count(`core.dialectic_messages WHERE session_id = $1 AND message_type = 'antithesis'`, id)).toBe(1);
    await second.stop();
  });
});
