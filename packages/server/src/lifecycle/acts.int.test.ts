import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { giveRecord } from '../../testing/reviewer.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { reserve, review } from '../dialectic/testing/saga-fixture.ts';

const REASON = 'Because somebody has looked at it';

describe('what an operator does', async () => {
  const w = await testWorld();
  const ann = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'ann') };
  const eve = { operatorSecret: await operator(w.node, w.database, 'operator:read', 'eve') };
  const born = () => onboard(w.call, { force_new: true });
  const must = async (tool: string, args: Json, seen = {}): Promise<Json> => {
    const { ok, body } = await w.call(tool, args, seen);
    if (!ok) throw new Error(`${tool}: ${JSON.stringify(body)}`);
    return body;
  };

  const paused = async (): Promise<Minted> => {
    const agent = await born();
    await must('agent', { action: 'pause', target_agent_id: agent.uuid, reason: 'first' }, ann);
    return agent;
  };
  /** A paused agent with a review that nobody has taken, and somebody who can. */
  const inReview = async () => {
    const agent = await born();
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
         pause = '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","expires_at":"2099-01-01T00:00:00.000Z",
                   "sub_action":"claims_pause","reason":"r","evidence":{}}' WHERE agent_id = $1`,
      agent.uuid,
    );
    await w.node.agents.refresh([agent.uuid]);
    const opened = await must('request_review', {
      client_session_id: agent.secret,
      reviewer_mode: 'manual',
      reason: 'please',
      root_cause: 'rc',
      proposed_conditions: ['Set complexity to 0.4'],
    });
    return { agent, sessionId: opened['session_id'], peer: await born() };
  };
  /** A resolution that was given up. */
  const deadLetter = async (): Promise<string> => {
    const { session } = await review(w);
    const row = await reserve(w, w.node.saga, session);
    if (row === undefined) throw new Error('the saga was not begun');
    await w.rows(
      `UPDATE coordination.session_resolution_sagas SET dead_letter_at = now(), attempt_count = 5, last_error = 'never'
       WHERE saga_id = $1`,
      row.saga_id,
    );
    return row.saga_id;
  };
  let serial = 0;

  /** Each act: its call on something fresh, and the rows that say who did it and why. */
  const ACTS: Readonly<
    Record<string, { readonly tool: string; readonly args: () => Promise<Json>; readonly record: string }>
  > = {
    pause: {
      tool: 'agent',
      args: async () => ({ action: 'pause', target_agent_id: (await born()).uuid }),
      record: `audit.events WHERE event_type = 'lifecycle_paused' AND payload->>'operator' = 'ann' AND payload->>'reason' = $1`,
    },
    resume: {
      tool: 'operator_resume_agent',
      args: async () => ({ target_agent_id: (await paused()).uuid, force: true }),
      record: `audit.events WHERE event_type = 'lifecycle_resumed' AND payload->>'operator' = 'ann' AND payload->>'reason' = $1`,
    },
    archive: {
      tool: 'agent',
      args: async () => ({ action: 'archive', target_agent_id: (await born()).uuid, force: true }),
      record: `audit.events WHERE event_type = 'agent_archived' AND payload->>'operator' = 'ann' AND payload->>'reason' = $1`,
    },
    note: {
      tool: 'agent',
      args: async () => ({
        action: 'update',
        target_agent_id: (await born()).uuid,
        append_notes: true,
        notes: 'A note.',
      }),
      record: `audit.events WHERE event_type = 'agent_updated' AND payload->>'operator' = 'ann' AND payload->>'reason' = $1`,
    },
    'assign a reviewer': {
      tool: 'dialectic',
      args: async () => {
        const { sessionId, peer } = await inReview();
        return { action: 'reassign', session_id: sessionId, new_reviewer_id: peer.uuid };
      },
      record: `audit.events WHERE event_type = 'reviewer_assigned' AND payload->>'operator' = 'ann' AND payload->>'reason' = $1`,
    },
    'retry a resolution': {
      tool: 'saga',
      args: async () => ({ action: 'retry', saga_id: await deadLetter() }),
      record: `audit.events WHERE event_type = 'saga_retried' AND payload->>'by' = 'ann' AND payload->>'reason' = $1`,
    },
    'take a resolution back': {
      tool: 'saga',
      args: async () => ({ action: 'revert', saga_id: await deadLetter() }),
      record: `audit.events WHERE event_type = 'saga_reverted' AND payload->>'by' = 'ann' AND payload->>'reason' = $1`,
    },
    'flip a flag': {
      tool: 'flags',
      args: async () => ({ action: 'set', key: 'identity_strict_mode', value: ['off', 'observe'][(serial += 1) % 2] }),
      record: `core.feature_flag_history WHERE changed_by = 'ann' AND reason = $1`,
    },
    'revoke a credential': {
      tool: 'operators',
      args: async () => {
        const name = `bob ${(serial += 1)}`;
        await operator(w.node, w.database, 'operator:act', name);
        return { action: 'revoke', name };
      },
      record: `audit.events WHERE event_type = 'operator_revoked' AND payload->>'by' = 'ann' AND payload->>'reason' = $1`,
    },
  };

  /** Everything that an act can change, as PostgreSQL has it. */
  const state = async (): Promise<string> => {
    const parts = [
      'SELECT t::text AS line FROM core.identities t',
      'SELECT t::text FROM core.agents t',
      'SELECT t::text FROM core.dialectic_sessions t',
      'SELECT t::text FROM core.dialectic_messages t',
      'SELECT t::text FROM core.feature_flags t',
      'SELECT t::text FROM core.feature_flag_history t',
      'SELECT t::text FROM coordination.session_resolution_sagas t',
      'SELECT t::text FROM coordination.saga_reservations t',
      // Without when it was seen last.
      'SELECT concat(credential_hash, name, scopes, expires_at, revoked_at) FROM core.bindings',
    ];
    const lines = await w.rows(`SELECT line FROM (${parts.join(' UNION ALL ')}) AS all_of_it ORDER BY line`);
    return JSON.stringify(lines);
  };

  it.each(Object.keys(ACTS))('%s: is done by who may act, and stands in the record with who and why', async (name) => {
    verifies('BW-console.02');
    const { tool, args, record } = ACTS[name]!;
    const given = { ...(await args()), reason: REASON };
    const before = [await w.count(record, REASON), await state()];
    await must(tool, given, ann);
    expect(await w.count(record, REASON)).toBe(Number(before[0]) + 1);
    expect(await state()).not.toBe(before[1]);
  });

  it.each(Object.keys(ACTS))('%s: is refused to who may only look, and to nobody', async (name) => {
    verifies('BW-console.02');
    const { tool, args, record } = ACTS[name]!;
    const given = { ...(await args()), reason: REASON };
    const before = [await w.count(record, REASON), await state()];
    for (const seen of [eve, {}]) {
      const { ok, code } = await w.call(tool, given, seen);
      expect({
        ok,
        code: code?.replace(/^(IDENTITY_REQUIRED|FORBIDDEN|REASSIGN_FORBIDDEN)$/, 'OPERATOR_REQUIRED'),
      }).toEqual({
        ok: false,
        code: 'OPERATOR_REQUIRED',
      });
    }
    expect([await w.count(record, REASON), await state()]).toEqual(before);
  });

  it.each(['pause', 'resume', 'flip a flag', 'revoke a credential', 'retry a resolution', 'take a resolution back'])(
    '%s: needs a reason of 1 to 500 characters',
    async (name) => {
      verifies('BW-console.02');
      const { tool, args } = ACTS[name]!;
      const given = await args();
      const before = await state();
      for (const reason of [{}, { reason: ' ' }, { reason: 'x'.repeat(501) }]) {
        const { ok, body } = await w.call(tool, { ...given, ...reason }, ann);
        expect(ok).toBe(false);
        expect(JSON.stringify(body)).toContain('reason');
      }
      expect(await state()).toBe(before);
    },
  );

  it('who may only look sees what there is to answer', async () => {
    const sagaId = await deadLetter();
    const { sagas } = await must('saga', { action: 'list' }, eve);
    expect(sagas).toContainEqual(expect.objectContaining({ saga_id: sagaId, dead_letter: true, last_error: 'never' }));
    const { operators } = await must('operators', {}, eve);
    expect(operators).toContainEqual(expect.objectContaining({ name: 'ann', state: 'in force' }));
    for (const tool of ['saga', 'operators']) expect((await w.call(tool)).code).toBe('OPERATOR_REQUIRED');
  });

  it('an operator revokes its own credential, and is nobody from then on', async () => {
    verifies('BW-console.02');
    const own = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'zoe') };
    await must('operators', { action: 'revoke', name: 'zoe', reason: REASON }, own);
    await w.node.bindings.reconcile();
    expect((await w.call('operators', {}, own)).code).toBe('UNAUTHORIZED');
    expect(await w.call('operators', { action: 'revoke', name: 'zoe', reason: REASON }, ann)).toMatchObject({
      ok: false,
      code: 'PARAMETER_ERROR',
    });
  });

  it('a note is added to the others, and only one at work is paused', async () => {
    const agent = await born();
    const note = (notes: string) =>
      must('agent', { action: 'update', target_agent_id: agent.uuid, append_notes: true, notes, reason: REASON }, ann);
    await note('one');
    await note('two');
    const { notes } = await must('agent', { action: 'get', target_agent_id: agent.uuid }, eve);
    expect(notes).toBe('one\ntwo');
    const stop = { action: 'pause', target_agent_id: agent.uuid, reason: REASON };
    await must('agent', stop, ann);
    expect(await w.call('agent', stop, ann)).toMatchObject({ ok: false, code: 'INVALID_STATUS_TRANSITION' });
  });

  it('the feed tells of a pause by hand', async () => {
    const agent = await paused();
    const page = await w.node.feed.page({ agentId: agent.uuid, limit: 10 });
    if (!page.ok) throw new Error(page.refusal.message);
    expect(page.value.events).toContainEqual(
      expect.objectContaining({
        type: 'lifecycle_paused',
        details: { sub_action: 'operator_pause', reason: 'first', expires_at: null },
      }),
    );
  });

  it('a review that was under way does not lift what an operator paused meanwhile', async () => {
    verifies('BW-console.02');
    const { agent, sessionId, peer } = await inReview();
    const as = ({ secret }: Minted) => ({ client_session_id: secret, session_id: sessionId });
    // From before the pause that the fixture made.
    await giveRecord(w.database, [peer.uuid], Date.parse('2026-01-01T00:00:00.000Z'));
    await w.node.agents.refresh([peer.uuid]);
    await must('submit_antithesis', { ...as(peer), reasoning: 'I see it otherwise' });
    const target = { target_agent_id: agent.uuid };
    await must('operator_resume_agent', { ...target, reason: REASON, force: true }, ann);
    await must('agent', { action: 'pause', ...target, reason: REASON }, ann);
    const agreed = await must('submit_synthesis', {
      ...as(peer),
      agrees: true,
      reasoning: 'so',
      proposed_conditions: ['Set complexity to 0.4'],
    });
    expect(agreed).toMatchObject({
      phase: 'resolved',
      execution: {
        applied: false,
        agent_status: 'paused',
        warning: expect.stringContaining('an operator holds it') as string,
      },
    });
    const [row] = await w.rows('SELECT status, pause, conditions FROM core.identities WHERE agent_id = $1', agent.uuid);
    expect(row).toMatchObject({ status: 'paused', pause: { sub_action: 'operator_pause' }, conditions: [] });
    await must('operator_resume_agent', { ...target, reason: REASON, force: true }, ann);
  });

  it('what an operator paused, neither the agent nor a review lifts; its time does', async () => {
    const agent = await born();
    await must('agent', { action: 'pause', target_agent_id: agent.uuid, reason: REASON, hours: 2 }, ann);
    const own = { client_session_id: agent.secret };
    expect((await w.call('process_agent_update', { ...own, response_text: 'x' })).code).toBe('AGENT_PAUSED');
    expect((await w.call('self_recovery', { ...own, action: 'quick' })).code).toBe('FORBIDDEN');
    const reflection = 'I have thought about what went wrong.';
    expect((await w.call('self_recovery', { ...own, action: 'review', reflection })).code).toBe('FORBIDDEN');
    expect((await w.call('request_review', { ...own, reason: 'please' })).code).toBe('FORBIDDEN');
    expect((await w.call('agent', { ...own, action: 'pause', reason: 'again' })).code).toBe('OPERATOR_REQUIRED');
    w.clock.advance(2 * 3_600_000 + 1);
    expect((await w.call('process_agent_update', { ...own, response_text: 'y' })).ok).toBe(true);
  });
});
