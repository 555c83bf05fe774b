import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';

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
  const inReview = async (): Promise<{ session_id: unknown; new_reviewer_id: string }> => {
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
    return { session_id: opened['session_id'], new_reviewer_id: (await born()).uuid };
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
      args: async () => ({ action: 'reassign', ...(await inReview()) }),
      record: `core.dialectic_messages WHERE message_type = 'system' AND reasoning LIKE '%' || $1 || '%'`,
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

  it.each(Object.keys(ACTS))('%s: is done by who may act, and stands in the record with who and why', async (name) => {
    verifies('BW-console.02');
    const { tool, args, record } = ACTS[name]!;
    const before = await w.count(record, REASON);
    await must(tool, { ...(await args()), reason: REASON }, ann);
    expect(await w.count(record, REASON)).toBe(before + 1);
  });

  it.each(Object.keys(ACTS))('%s: is refused to who may only look, and to nobody', async (name) => {
    verifies('BW-console.02');
    const { tool, args, record } = ACTS[name]!;
    const given = { ...(await args()), reason: REASON };
    const before = await w.count(record, REASON);
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
    expect(await w.count(record, REASON)).toBe(before);
  });

  it.each(['pause', 'resume', 'flip a flag', 'revoke a credential'])('%s: needs a reason', async (name) => {
    verifies('BW-console.02');
    const { tool, args } = ACTS[name]!;
    const { ok, body } = await w.call(tool, await args(), ann);
    expect(ok).toBe(false);
    expect(JSON.stringify(body)).toContain('reason');
  });

  it('what an operator paused, neither the agent nor a review lifts; its time does', async () => {
    const agent = await born();
    await must('agent', { action: 'pause', target_agent_id: agent.uuid, reason: REASON, hours: 2 }, ann);
    const own = { client_session_id: agent.secret };
    expect((await w.call('process_agent_update', { ...own, response_text: 'x' })).code).toBe('AGENT_PAUSED');
    expect((await w.call('self_recovery', { ...own, action: 'quick' })).code).toBe('FORBIDDEN');
    expect((await w.call('request_review', { ...own, reason: 'please' })).code).toBe('FORBIDDEN');
    expect((await w.call('agent', { ...own, action: 'pause', reason: 'again' })).code).toBe('OPERATOR_REQUIRED');
    w.clock.advance(2 * 3_600_000 + 1);
    expect((await w.call('process_agent_update', { ...own, response_text: 'y' })).ok).toBe(true);
  });
});
