import { refuse } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { giveRecord } from '../../testing/reviewer.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { verify } from './rules/canonical.ts';
import { Dialectic } from './service.ts';
import { HOUR_MS } from '../runtime/index.ts';

const CONDITIONS = ['Set complexity to 0.4', 'Monitor for 24 hours'];

/** Fails with full confidence until the circuit breaker pauses the agent. */
const pause = async (w: World, { secret }: Minted): Promise<void> => {
  const proof = { client_session_id: secret };
  // The agents that were paused before it would look like an outage that it shares.
  w.clock.advance(HOUR_MS);
  for (let i = 0; i < 12; i += 1) {
    w.clock.advance(10_000);
    const claim = await w.call('sync_state', { ...proof, response_text: `Claim ${i} of it`, confidence: 0.95 });
    const failed = await w.call('record_result', {
      ...proof,
      prediction_id: claim.body['prediction_id'],
      outcome_type: 'test_failed',
      detail: { command: 'npm test', exit_code: 1 },
      verification_source: 'agent_reported_tool_result',
    });
    if (failed.body['paused'] === true) return;
  }
  throw new Error('the agent was never paused');
};

const born = (w: World) => onboard(w.call, { force_new: true });
const working = async (w: World): Promise<Minted> => {
  const agent = await born(w);
  await w.call('sync_state', { client_session_id: agent.secret, response_text: 'work' });
  return agent;
};
const as = ({ secret }: Minted, args: Json = {}): Json => ({ client_session_id: secret, ...args });
const stored = async (w: World, sessionId: unknown) =>
  (await w.rows('SELECT * FROM core.dialectic_sessions WHERE session_id = $1', sessionId))[0]!;
const messages = (w: World, sessionId: unknown) => w.count('core.dialectic_messages WHERE session_id = $1', sessionId);
const statusOf = async (w: World, { uuid }: Minted) =>
  (await w.rows('SELECT status FROM core.identities WHERE agent_id = $1', uuid))[0]?.['status'];

/** An agent that may review. */
const reviewer = async (w: World): Promise<Minted> => {
  const agent = await working(w);
  await giveRecord(w.database, [agent.uuid], w.clock.now());
  await w.node.agents.refresh([agent.uuid]);
  return agent;
};

/** A world in which an agreement of peers lifts a pause of the claims detector by itself: what is tested comes after that. */
const peerWorld = async (): Promise<World> => {
  const w = await testWorld();
  await w.node.flags.set('claims_review', 'peer', 'test', 'the review itself is what is tested');
  return w;
};

/** A paused agent with an open review, and somebody who may answer it. */
const review = async (w: World, args: Json = {}) => {
  const paused = await born(w);
  const peer = await reviewer(w);
  await pause(w, paused);
  const opened = await w.call('request_review', as(paused, { reviewer_mode: 'manual', ...args }));
  return { paused, peer, id: opened.body['session_id'], opened };
};
/** The same, up to the synthesis. */
const discussed = async (w: World, args: Json = {}) => {
  const it = await review(w, { root_cause: 'rc', proposed_conditions: CONDITIONS, ...args });
  const answer = await w.call('submit_antithesis', as(it.peer, { session_id: it.id, reasoning: 'I see it otherwise' }));
  expect(answer.body).toMatchObject({ phase: 'synthesis', reviewer_auto_assigned: true, synthesis_round: 1 });
  return it;
};
const synthesis = (w: World, who: Minted, id: unknown, agrees: boolean | null, more: Json = {}) =>
  w.call(
    'submit_synthesis',
    as(who, { session_id: id, agrees, proposed_conditions: CONDITIONS, reasoning: 'so', ...more }),
  );

describe('a review', async () => {
  const w = await peerWorld();

  it('case 45: brings a paused agent back, under conditions that its check-ins keep and that end', async () => {
    verifies('W3-5.01', 'W3-5.02', 'BW-dialectic.06', 'W3-9.07');
    const { paused, peer, id } = await discussed(w);
    expect((await synthesis(w, peer, id, false)).body).toMatchObject({ converged: false, synthesis_round: 2 });
    const better = ['Set complexity to 0.3', 'Set risk to 0.6', 'Monitor for 24 hours'];
    expect((await synthesis(w, paused, id, false, { proposed_conditions: better })).body).toMatchObject({
      synthesis_round: 3,
    });
    const { body } = await synthesis(w, peer, id, true, { proposed_conditions: better });
    expect(body).toMatchObject({
      converged: true,
      action: 'resume',
      phase: 'resolved',
      execution: { applied: true, status: 'committed', agent_status: 'active' },
      resolution: { action: 'resume', conditions: better, signatureVersion: 2 },
      is_stable: true,
    });
    expect(await statusOf(w, paused)).toBe('active');
    const { dialectic } = w.node;
    const kept = (await dialectic.find(String(id)))!.resolution!;
    const keys = [dialectic.keyOf(paused.uuid), dialectic.keyOf(peer.uuid)] as const;
    expect(verify(kept, ...keys)).toBe(true);
    expect(verify({ ...kept, rootCause: 'another' }, ...keys)).toBe(false);
    const proof = as(paused, { response_text: 'back at work', response_mode: 'full', confidence: 0.5 });
    const capped = await w.call('sync_state', { ...proof, complexity: 0.9 });
    expect(capped.body['verdict']).not.toBe('pause');
    expect(JSON.stringify(capped.body)).toContain('complexity 0.90 capped to 0.30');
    await w.restart();
    const still = await w.call('sync_state', { ...proof, response_text: 'more work', complexity: 0.8 });
    expect(JSON.stringify(still.body)).toContain('capped to 0.30');
    w.clock.advance(25 * HOUR_MS);
    const free = await w.call('sync_state', { ...proof, response_text: 'even more work', complexity: 0.8 });
    expect(free.ok).toBe(true);
    expect(JSON.stringify(free.body)).not.toContain('capped');
  });

  it('is the same after a restart at any step', async () => {
    verifies('BW-dialectic.04');
    const { paused, peer, id } = await review(w);
    const look = async () => (await w.call('dialectic', as(peer, { action: 'get', session_id: id }))).body;
    const steps = [
      () => w.call('submit_thesis', as(paused, { session_id: id, root_cause: 'rc', proposed_conditions: CONDITIONS })),
      () => w.call('submit_antithesis', as(peer, { session_id: id, reasoning: 'no', concerns: ['one'] })),
      () => synthesis(w, peer, id, false),
      () => synthesis(w, peer, id, true),
    ];
    for (const step of steps) {
      expect((await step()).ok).toBe(true);
      const { server_time: _before, ...before } = await look();
      await w.restart();
      const { server_time: _after, ...after } = await look();
      expect(after).toEqual(before);
    }
    expect(await statusOf(w, paused)).toBe('active');
  });

  it('goes on in the next round when the terms cannot be computed in time', async () => {
    verifies('W3-5.06');
    const { paused, peer, id } = await discussed(w);
    // Both must have agreed for there to be something to compute.
    await w.rows(
      `INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp", agrees, proposed_conditions)
       VALUES ($1, $2, 'synthesis', now(), true, '["Set complexity to 0.5"]'),
              ($1, $3, 'synthesis', now(), NULL, '["Set complexity to 0.6"]')`,
      id,
      peer.uuid,
      paused.uuid,
    );
    const { agents, saga, clock } = w.node;
    const slow = new Dialectic({
      database: w.database,
      agents,
      saga,
      clock,
      random: () => 0,
      claimsReview: () => 'peer',
      duties: w.node.duties,
      computation: { synthesize: () => Promise.resolve(refuse('TIMEOUT', 'It took longer than 2 s.')) },
      secret: () => Buffer.alloc(32, 1),
      onCrash: () => undefined,
    });
    const said = { agentId: paused.uuid, agrees: true, conditions: CONDITIONS };
    const done = await slow.submitSynthesis(String(id), said, clock.now() + 5000);
    expect(done).toMatchObject({ value: { reply: { kind: 'round_failed', refusal: { code: 'TIMEOUT' } } } });
    expect(await stored(w, id)).toMatchObject({ phase: 'synthesis', synthesis_round: 2 });
    expect(await statusOf(w, paused)).toBe('paused');
    await slow.stop();
    const { body } = await synthesis(w, paused, id, true, { proposed_conditions: ['Set complexity to 0.4'] });
    expect(body).toMatchObject({ action: 'resume', execution: { applied: true } });
  });

  it('case 50: an agreement without conditions is refused before anything is written', async () => {
    verifies('BW-dialectic.03');
    const { peer, id } = await discussed(w);
    const before = await messages(w, id);
    expect((await synthesis(w, peer, id, true, { proposed_conditions: [] })).code).toBe('EMPTY_AGREEMENT');
    expect(await messages(w, id)).toBe(before);
  });

  it('rests for an hour after a cooldown, and is active under the conditions then', async () => {
    verifies('W3-9.07', 'BW-dialectic.06');
    const { paused, peer, id } = await discussed(w);
    const { body } = await synthesis(w, peer, id, true, { proposed_action: 'cooldown' });
    expect(body).toMatchObject({
      converged: true,
      action: 'cooldown',
      execution: { applied: true, agent_status: 'paused' },
    });
    const end = new Date(w.clock.now() + HOUR_MS).toISOString();
    const working = () =>
      w.call('sync_state', as(paused, { response_text: 'w', complexity: 0.9, response_mode: 'full' }));
    w.clock.advance(HOUR_MS - 1);
    const refused = await working();
    expect(refused).toMatchObject({ code: 'AGENT_PAUSED', body: { recovery: { expires_at: end } } });
    for (const action of ['quick', 'review']) {
      const wish = as(paused, { action, reflection: 'I have rested long enough by now.' });
      expect((await w.call('self_recovery', wish)).code).toBe('FORBIDDEN');
    }
    expect((await w.call('request_review', as(paused))).body).toMatchObject({
      error_code: 'FORBIDDEN',
      sub_action: 'review_cooldown',
      expires_at: end,
    });
    w.clock.advance(2);
    expect(JSON.stringify((await working()).body)).toContain('complexity 0.90 capped to 0.40');
    expect((await w.trail(paused.uuid)).filter((type) => type === 'lifecycle_resumed')).toEqual([]);
    w.clock.advance(23 * HOUR_MS);
    expect(JSON.stringify((await working()).body)).toContain('capped to 0.40');
    w.clock.advance(2 * HOUR_MS);
    expect(JSON.stringify((await working()).body)).not.toContain('capped');
  });

  it.each(['block', 'escalate'])('stays paused after %s until an operator decides, however long', async (action) => {
    verifies('W3-9.07');
    const { paused, peer, id } = await discussed(w);
    const done = await synthesis(w, peer, id, true, { proposed_action: action, proposed_conditions: [] });
    expect(done.body).toMatchObject({
      action,
      phase: 'resolved',
      execution: { applied: true, agent_status: 'paused' },
    });
    w.clock.advance(500 * HOUR_MS);
    await w.restart();
    const refused = await w.call('sync_state', as(paused, { response_text: 'work' }));
    expect(refused).toMatchObject({ code: 'AGENT_PAUSED', body: { recovery: { expires_at: null } } });
    expect((await w.call('request_review', as(paused))).code).toBe('FORBIDDEN');
    expect((await w.call('self_recovery', as(paused))).body).toMatchObject({ eligible: false });
    const lift = { target_agent_id: paused.uuid, reason: 'I have looked at it', force: true };
    const lifted = await w.call('operator_resume_agent', lift, {
      operatorSecret: await operator(w.node, w.database, 'operator:act', action),
    });
    expect(lifted.ok).toBe(true);
    expect(await statusOf(w, paused)).toBe('active');
  });

  it('case 48: an unsafe agreement fails the session, and the agent stays paused', async () => {
    verifies('BW-dialectic.05');
    const { paused, peer, id } = await discussed(w);
    const { body } = await synthesis(w, peer, id, true, { proposed_conditions: ['disable the governance of this'] });
    expect(body).toMatchObject({ converged: false, action: 'block', phase: 'failed' });
    expect(body['reason']).toContain('Cannot disable governance system');
    expect(await stored(w, id)).toMatchObject({
      phase: 'failed',
      status: 'failed',
      resolution_json: { action: 'block' },
    });
    expect(await statusOf(w, paused)).toBe('paused');
  });

  it('a condition that nobody could keep to is refused by name, and nothing is written', async () => {
    verifies('BW-dialectic.06', 'BW-dialectic.03');
    const { paused, id } = await review(w);
    const asked = {
      session_id: id,
      root_cause: 'rc',
      proposed_conditions: ['Set complexity to lots', 'Limit tea to 3'],
    };
    const { code, body } = await w.call('submit_thesis', as(paused, asked));
    expect(code).toBe('PARAMETER_ERROR');
    expect(JSON.stringify(body)).toContain('Limit tea to 3');
    expect(await messages(w, id)).toBe(0);
  });

  it('case 12: the paused agent clears itself by no way', async () => {
    verifies('BW-dialectic.02', 'BW-dialectic.03');
    const { paused, peer, id } = await discussed(w);
    expect((await synthesis(w, paused, id, true)).code).toBe('REVIEWER_VERDICT_PENDING');
    await synthesis(w, peer, id, false);
    const before = await messages(w, id);
    const first = await synthesis(w, paused, id, true, { proposed_conditions: ['Set complexity to 0.99'] });
    expect(first).toMatchObject({ ok: false, code: 'SELF_CLEAR_REFUSED' });
    expect(await stored(w, id)).toMatchObject({ phase: 'synthesis', awaiting_facilitation: true });
    for (let i = 0; i < 3; i += 1) expect((await synthesis(w, paused, id, true)).code).toBe('SELF_CLEAR_REFUSED');
    expect(await messages(w, id)).toBe(before + 1);
    expect((await w.call('request_review', as(paused))).code).toBe('SESSION_EXISTS');
    expect((await w.call('request_review', as(paused, { reviewer_mode: 'self' }))).code).toBe('PARAMETER_ERROR');
    expect(await statusOf(w, paused)).toBe('paused');
    // What was refused is no part of what the reviewer then agrees to.
    const { body } = await synthesis(w, peer, id, true);
    expect(body).toMatchObject({ resolution: { conditions: CONDITIONS } });
  });

  it('cases 64, 90: an outsider has no say, and two that agree at once end it once', async () => {
    verifies('W3-2.04', 'BW-dialectic.03');
    const { paused, peer, id } = await discussed(w);
    const outsider = await born(w);
    expect((await synthesis(w, outsider, id, true)).code).toBe('FORBIDDEN');
    await synthesis(w, peer, id, false);
    const both = await Promise.all([synthesis(w, peer, id, true), synthesis(w, peer, id, true)]);
    expect(both.filter(({ ok }) => ok)).toHaveLength(1);
    expect(both.find(({ ok }) => !ok)?.code).toMatch(/^INVALID_PHASE$|^SAGA_IN_FLIGHT$/);
    expect((await w.trail(paused.uuid)).filter((type) => type === 'lifecycle_resumed')).toHaveLength(1);
    expect(await w.count('coordination.session_resolution_sagas WHERE session_id = $1', id)).toBe(1);
  });

  it('case 58: of one agent is one at a time', async () => {
    const { paused, id } = await review(w);
    const again = await Promise.all([w.call('request_review', as(paused)), w.call('request_review', as(paused))]);
    for (const { code, body } of again) {
      expect(code).toBe('SESSION_EXISTS');
      expect(body['session_id']).toBe(id);
    }
  });

  it('case 61: one call asks and says; a thesis that is refused leaves the review open, and says so', async () => {
    const { opened } = await review(w, { root_cause: 'rc', proposed_conditions: CONDITIONS });
    expect(opened.body).toMatchObject({ one_call_review: true, thesis_recorded: true, phase: 'antithesis' });
    const { opened: refused } = await review(w, { root_cause: 'rc', proposed_conditions: ['Limit tea to 3'] });
    expect(refused.body).toMatchObject({
      session_created: true,
      thesis_recorded: false,
      phase: 'thesis',
      thesis_error: { error_code: 'PARAMETER_ERROR' },
    });
  });

  it('case 82: of an agent that is not paused is resolved, and changes nothing of it', async () => {
    const agent = await born(w);
    const peer = await reviewer(w);
    const ask = as(agent, { reviewer_mode: 'manual', root_cause: 'rc', proposed_conditions: CONDITIONS });
    const id = (await w.call('request_review', ask)).body['session_id'];
    await w.call('submit_antithesis', as(peer, { session_id: id, reasoning: 'r' }));
    const { body } = await synthesis(w, peer, id, true);
    expect(body).toMatchObject({ phase: 'resolved', execution: { applied: false, status: 'committed' } });
    expect(await statusOf(w, agent)).toBe('active');
  });

  it('cases 63, 102: needs a proof of who speaks, takes no word for it, and stores objects as objects', async () => {
    const { paused, id } = await review(w);
    const spoof = { session_id: id, _agent_uuid: paused.uuid, root_cause: 'x', proposed_conditions: ['plain words'] };
    expect((await w.call('submit_thesis', spoof)).code).toBe('IDENTITY_REQUIRED');
    expect((await w.call('request_review', {})).code).toBe('IDENTITY_REQUIRED');
    const kinds = await w.rows(
      `SELECT jsonb_typeof(paused_agent_state_json) AS state, paused_agent_state_json ->> 'evidence_status' AS evidence
       FROM core.dialectic_sessions WHERE session_id = $1`,
      id,
    );
    expect(kinds).toEqual([{ state: 'object', evidence: 'available' }]);
  });

  it('shows whose move it is, and hides who is who from strangers', async () => {
    const { paused, peer, id } = await discussed(w);
    const look = async (args: Json) => (await w.call('dialectic', { action: 'get', session_id: id, ...args })).body;
    expect(await look(as(peer))).toMatchObject({ whose_move: 'yours', paused_agent: paused.uuid, reviewer: peer.uuid });
    expect(await look(as(paused))).toMatchObject({ whose_move: 'not_yours', reviewer_verdict_pending: true });
    const stranger = JSON.stringify(await look({}));
    for (const { uuid } of [paused, peer]) expect(stranger).not.toContain(uuid);
  });
});

describe('what a call may not do', async () => {
  const w = await peerWorld();

  it('case 59: an agent that waits for input needs no review', async () => {
    const agent = await born(w);
    await w.rows(
      `UPDATE core.identities SET status = 'waiting_input', sequence = sequence + 1 WHERE agent_id = $1`,
      agent.uuid,
    );
    await w.node.agents.refresh([agent.uuid]);
    const { ok, body } = await w.call('request_review', as(agent));
    expect(ok).toBe(true);
    expect(body).toMatchObject({ skipped: true, status: 'waiting_input' });
    expect(await w.count('core.dialectic_sessions WHERE paused_agent_id = $1', agent.uuid)).toBe(0);
  });

  it('cases 62, 65: a handle speaks for nobody, and a taken place is not taken over', async () => {
    const { paused, peer, id } = await review(w, { root_cause: 'rc', proposed_conditions: CONDITIONS });
    await w.call('submit_antithesis', as(peer, { session_id: id, reasoning: 'mine' }));
    const before = await messages(w, id);
    const handle = (await w.call('identity', as(paused))).body['agent_id'];
    const said = { session_id: id, agrees: true, reasoning: 'so', proposed_conditions: CONDITIONS };
    for (const agent_id of [handle, peer.uuid]) {
      expect((await w.call('submit_synthesis', { ...said, agent_id })).code).toBe('IDENTITY_REQUIRED');
    }
    const outsider = await born(w);
    const takeOver = { session_id: id, reasoning: 'mine now', take_over_if_requested: true };
    expect((await w.call('submit_antithesis', as(outsider, takeOver))).code).toBe('FORBIDDEN');
    expect(await messages(w, id)).toBe(before);
    expect(await stored(w, id)).toMatchObject({ reviewer_agent_id: peer.uuid });
  });

  it('cases 71, 72: a stranger that looks changes nothing; a participant that looks ends what is over', async () => {
    const { paused, id } = await review(w, { root_cause: 'rc', proposed_conditions: CONDITIONS });
    w.clock.advance(7 * HOUR_MS);
    const before = await stored(w, id);
    expect((await w.call('dialectic', { action: 'get', session_id: id })).body['phase']).toBe('antithesis');
    expect(await stored(w, id)).toEqual(before);
    const looked = await w.call('dialectic', as(paused, { action: 'get', session_id: id }));
    expect(looked.body).toMatchObject({ phase: 'failed', timeout_action: 'failed' });
    expect(await stored(w, id)).toMatchObject({ phase: 'failed', status: 'failed' });
  });

  it('case 78: of an end and an agreement at the same moment one happens, whole', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { paused, peer, id } = await discussed(w);
      w.clock.advance(7 * HOUR_MS);
      await Promise.all([w.node.dialectic.sweep(w.clock.now() + HOUR_MS), synthesis(w, peer, id, true)]);
      const { phase } = await stored(w, id);
      expect(await statusOf(w, paused)).toBe(phase === 'resolved' ? 'active' : 'paused');
      expect(['resolved', 'failed']).toContain(phase);
    }
  });

  it('cases 51, 52: conditions is another word for proposed_conditions; manual chooses nobody', async () => {
    await working(w);
    const { paused, id, opened } = await review(w);
    expect(opened.body).toMatchObject({ reviewer: null, awaiting_facilitation: false });
    await w.call('submit_thesis', as(paused, { session_id: id, root_cause: 'rc', conditions: CONDITIONS }));
    const { body } = await w.call('dialectic', as(paused, { action: 'get', session_id: id }));
    expect((body['transcript'] as Json[])[0]).toMatchObject({ proposed_conditions: CONDITIONS });
  });
});

describe('lists', async () => {
  const w = await testWorld();

  it('cases 73, 74: refuse a limit that is none, cut one that is large, and are never empty for want of a database', async () => {
    const list = (args: Json) => w.call('dialectic', { action: 'list', ...args });
    expect((await list({})).body).toMatchObject({ session_count: 0, sessions: [], message: 'No review matches.' });
    for (const limit of [0, 'x']) expect((await list({ limit })).code).toBe('PARAMETER_ERROR');
    expect((await list({ limit: 500 })).body).toMatchObject({ filters_applied: { limit: 200 } });
    w.cutOff(true);
    expect((await list({})).code).toBe('STORAGE_UNAVAILABLE');
    w.cutOff(false);
    const { paused } = await review(w);
    expect((await list({ agent_id: paused.uuid, status: 'thesis' })).body).toMatchObject({ session_count: 1 });
    expect((await list({ status: 'resolved' })).body).toMatchObject({ session_count: 0 });
  });
});

describe('a reviewer', async () => {
  const w = await peerWorld();

  it('case 60: that nobody can be is asked for, durably and visibly; one that is free is chosen', async () => {
    verifies('BW-dialectic.07', 'BW-dialectic.09');
    const paused = await born(w);
    await pause(w, paused);
    const asked = await w.call('request_review', as(paused));
    expect(asked.body).toMatchObject({ reviewer: null, awaiting_facilitation: true });
    expect(await stored(w, asked.body['session_id'])).toMatchObject({ awaiting_facilitation: true });
    const free = await reviewer(w);
    const other = await born(w);
    await pause(w, other);
    const chosen = await w.call('request_review', as(other));
    expect(chosen.body).toMatchObject({ reviewer: free.uuid, awaiting_facilitation: false });
    // It is busy now, and nobody else is there.
    const third = await born(w);
    await pause(w, third);
    expect((await w.call('request_review', as(third))).body).toMatchObject({ reviewer: null });
  });

  it('case 54: of lately is none for the same two, in either part', async () => {
    verifies('BW-dialectic.09');
    const { paused, peer, id } = await discussed(w);
    await synthesis(w, peer, id, true);
    await pause(w, paused);
    const ask = as(paused, { reviewer_mode: 'manual', root_cause: 'rc', proposed_conditions: CONDITIONS });
    const back = await w.call('request_review', ask);
    const taking = () => w.call('submit_antithesis', as(peer, { session_id: back.body['session_id'], reasoning: 'r' }));
    expect(await taking()).toMatchObject({ code: 'FORBIDDEN', body: { reason: 'reviewed_within_24_h' } });
    expect(await stored(w, back.body['session_id'])).toMatchObject({ reviewer_agent_id: null });
  });

  it('cases 66, 67, 68, 69, 70: is replaced by an operator or itself, when that helps', async () => {
    verifies('BW-dialectic.11');
    const { paused, peer, id } = await review(w, { root_cause: 'rc', proposed_conditions: CONDITIONS });
    const next = await reviewer(w);
    const reassign = (who: Json, seen = {}) =>
      w.call('reassign_reviewer', { session_id: id, new_reviewer_id: next.uuid, reason: 'handing on', ...who }, seen);
    expect((await reassign(as(paused))).code).toBe('REASSIGN_FORBIDDEN');
    expect((await reassign({})).code).toBe('REASSIGN_FORBIDDEN');
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'facilitator');
    const asOperator = { operatorSecret };
    expect((await reassign({ new_reviewer_id: peer.uuid }, asOperator)).body).toMatchObject({
      reviewer: peer.uuid,
      reassigned_by_role: 'operator',
    });
    expect((await reassign(as(peer))).body).toMatchObject({ reassigned_by_role: 'current_reviewer' });
    expect(await stored(w, id)).toMatchObject({ reviewer_agent_id: next.uuid });
    await w.call('submit_antithesis', as(next, { session_id: id, reasoning: 'r' }));
    expect((await reassign({ new_reviewer_id: peer.uuid }, asOperator)).code).toBe('INVALID_PHASE');

    await synthesis(w, next, id, false);
    await synthesis(w, paused, id, true);
    w.clock.advance(5 * HOUR_MS);
    await w.node.dialectic.sweep(w.clock.now() + HOUR_MS);
    expect(await stored(w, id)).toMatchObject({ phase: 'failed', awaiting_facilitation: true });
    expect((await reassign({ new_reviewer_id: peer.uuid }, asOperator)).body).toMatchObject({
      phase: 'antithesis',
      reopened: true,
      awaiting_facilitation: false,
    });
    // Reopened, the objection of before still stands against the paused agent.
    await w.call('submit_antithesis', as(peer, { session_id: id, reasoning: 'again' }));
    expect((await synthesis(w, paused, id, true)).ok).toBe(false);
  });
});

describe('the sweeper', async () => {
  const w = await peerWorld();
  const sweep = () => w.node.dialectic.sweep(w.clock.now() + HOUR_MS);

  it('cases 75, 76, 80, 81: ends what nobody works on, after the time that its waiting allows, and once', async () => {
    verifies('BW-dialectic.07', 'BW-dialectic.08', 'W3-5.03');
    const waiting = await born(w);
    await pause(w, waiting);
    const asked = await w.call('request_review', as(waiting));
    const { id: idle } = await review(w);
    w.clock.advance(2.1 * HOUR_MS);
    await sweep();
    expect(await stored(w, asked.body['session_id'])).toMatchObject({ phase: 'thesis', awaiting_facilitation: true });
    expect(await stored(w, idle)).toMatchObject({ phase: 'failed' });
    // What the server itself does, and looks, start no clock again.
    for (let i = 0; i < 4; i += 1) {
      w.clock.advance(0.5 * HOUR_MS);
      await w.call('dialectic', { action: 'get', session_id: asked.body['session_id'] });
      await sweep();
    }
    const ended = await stored(w, asked.body['session_id']);
    expect(ended).toMatchObject({ phase: 'failed', awaiting_facilitation: true });
    const count = await messages(w, asked.body['session_id']);
    for (let i = 0; i < 3; i += 1) {
      w.clock.advance(3 * HOUR_MS);
      await sweep();
    }
    expect(await messages(w, asked.body['session_id'])).toBe(count);
  });

  it('case 77: leaves an agreement alone that is being carried out, and begins one that was not', async () => {
    verifies('W3-9.22');
    const { paused, peer, id } = await discussed(w);
    // Another saga holds the agent: the agreement is recorded, and waits.
    await w.rows(
      `WITH s AS (INSERT INTO core.dialectic_sessions (session_id, paused_agent_id) VALUES ('holder', 'x')),
         g AS (INSERT INTO coordination.session_resolution_sagas (saga_id, session_id, paused_agent_id, state, outcome,
                 resolution_payload_json, resolution_payload_hash, dead_letter_at)
               VALUES ('00000000-0000-4000-8000-000000000001', 'holder', 'x', 'reserved', 'resolved', '{}', 'h', now()))
       INSERT INTO coordination.saga_reservations (agent_id, saga_id)
       SELECT $1, '00000000-0000-4000-8000-000000000001'`,
      paused.uuid,
    );
    const agreed = await synthesis(w, peer, id, true);
    expect(agreed.body).toMatchObject({
      converged: true,
      phase: 'synthesis',
      execution: { applied: false, status: 'waiting' },
    });
    expect((await synthesis(w, peer, id, true)).code).toBe('SAGA_IN_FLIGHT');
    w.clock.advance(3 * HOUR_MS);
    await sweep();
    expect(await stored(w, id)).toMatchObject({ phase: 'synthesis' });
    await w.node.dialectic.driveAgreed(w.clock.now() + HOUR_MS);
    expect(await statusOf(w, paused)).toBe('paused');
    await w.rows('DELETE FROM coordination.saga_reservations WHERE agent_id = $1', paused.uuid);
    w.clock.advance(11_000);
    await w.node.dialectic.driveAgreed(w.clock.now() + HOUR_MS);
    expect(await stored(w, id)).toMatchObject({ phase: 'resolved' });
    expect(await statusOf(w, paused)).toBe('active');
  });
});

describe('a silent reviewer', async () => {
  const w = await peerWorld();

  it('case 79: is replaced by another one that qualifies', async () => {
    verifies('W3-5.03');
    const silent = await reviewer(w);
    const paused = await born(w);
    await pause(w, paused);
    const ask = as(paused, { root_cause: 'rc', proposed_conditions: CONDITIONS });
    const asked = await w.call('request_review', ask);
    expect(asked.body).toMatchObject({ reviewer: silent.uuid, phase: 'antithesis' });
    w.clock.advance(2.1 * HOUR_MS);
    const fresh = await reviewer(w);
    await w.node.dialectic.sweep(w.clock.now() + HOUR_MS);
    expect(await stored(w, asked.body['session_id'])).toMatchObject({
      reviewer_agent_id: fresh.uuid,
      phase: 'antithesis',
    });
  });
});

describe('self recovery', async () => {
  const w = await testWorld();

  it('lifts no pause that the claims detector put in force, and tells of the ways that do', async () => {
    verifies('BW-dialectic.10');
    const agent = await born(w);
    const { body } = await w.call('self_recovery', as(agent));
    expect(body).toMatchObject({ action: 'check' });
    expect((await w.call('self_recovery', as(agent, { action: 'quick' }))).code).toBe('AGENT_NOT_RESUMABLE');
    await pause(w, agent);
    for (const args of [
      { action: 'quick' },
      { action: 'review', reflection: 'I claimed far too much, and will not.' },
    ]) {
      const refused = await w.call('self_recovery', as(agent, args));
      expect(refused.code).toBe('FORBIDDEN');
      expect(JSON.stringify(refused.body)).toContain('request_review');
    }
    expect(await statusOf(w, agent)).toBe('paused');
  });

  it('lifts another pause by its thresholds, durably before it shows', async () => {
    verifies('BW-dialectic.10');
    const agent = await working(w);
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
         pause = '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","expires_at":"2099-01-01T00:00:00.000Z",
                   "sub_action":"risk_pause","reason":"r","evidence":{}}' WHERE agent_id = $1`,
      agent.uuid,
    );
    await w.node.agents.refresh([agent.uuid]);
    expect((await w.call('self_recovery', as(agent, { action: 'review', reflection: 'short' }))).code).toBe(
      'REFLECTION_REQUIRED',
    );
    const risk = (value: number) =>
      w
        .rows(
          `UPDATE core.identities SET vitals = vitals || jsonb_build_object('risk', $2::float8), sequence = sequence + 1
           WHERE agent_id = $1`,
          agent.uuid,
          value,
        )
        .then(() => w.node.agents.refresh([agent.uuid]));
    await risk(0.7);
    const reflection = 'I did not look at the results.';
    expect((await w.call('self_recovery', as(agent, { action: 'review', reflection }))).code).toBe(
      'SOFT_SAFETY_FAILED',
    );
    expect(await statusOf(w, agent)).toBe('paused');
    expect(
      (await w.rows(`SELECT payload FROM audit.events WHERE event_type = 'lifecycle_recovery_refused'`))[0],
    ).toMatchObject({ payload: { reflection, risk: 0.7, limit: 0.65 } });
    await risk(0.1);
    w.cutOff(true);
    expect((await w.call('self_recovery', as(agent, { action: 'quick' }))).ok).toBe(false);
    w.cutOff(false);
    expect(w.node.agents.table.read(agent.uuid)).toMatchObject({ value: { status: 'paused' } });
    expect((await w.call('self_recovery', as(agent, { action: 'quick' }))).body).toMatchObject({
      action: 'resumed',
      lifecycle_status: 'active',
    });
    expect(await statusOf(w, agent)).toBe('active');
  });
});
