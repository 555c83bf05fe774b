import { describe, expect, it } from 'vitest';
import type { Json } from '../../testing/rest.ts';
import { MOST_ANCESTORS } from '../agents/index.ts';
import { verifies } from '../../testing/verifies.ts';
import { heldWorld, HOUR } from './testing/held.ts';

const STRONG = { userAgent: 'agent/1' };

describe('the MCP session of a held agent', async () => {
  const { w, ann, onboard, pause } = await heldWorld();

  it('mints nobody, by whatever the call brings, and is not left to another agent', async () => {
    verifies('BW-breaker.03');
    const mcpSessionId = await w.node.identity.createMcpSession();
    const agent = await onboard({}, { mcpSessionId });
    const friend = await onboard();
    await pause(agent.uuid, 'operator_pause');
    const count = await w.count('core.agents');
    const tries: readonly (readonly [Json, Json])[] = [
      [{ force_new: true }, { mcpSessionId }],
      [{ force_new: true, client_session_id: agent.secret }, {}],
      [{ force_new: true, client_session_id: friend.secret }, { mcpSessionId }],
      [{ force_new: true, parent_agent_id: agent.uuid, spawn_reason: 'subagent' }, { mcpSessionId }],
      [{ force_new: true, client_session_id: 'not-a-secret-of-anybody' }, { mcpSessionId }],
      [{ force_new: true }, { sessionHeader: agent.secret }],
    ];
    for (const [args, seen] of tries) {
      const { code, body } = await w.call('onboard', args, seen);
      expect(code, JSON.stringify([args, body])).toBe('AGENT_PAUSED');
      expect(body['recovery']).toMatchObject({ action: expect.stringContaining('operator ann') as string });
    }
    expect(
      (await w.call('bind_session', { resume: true, client_session_id: friend.secret }, { mcpSessionId })).code,
    ).toBe('AGENT_PAUSED');
    // A friend that comes back through it keeps its own proof, and the session stays whose it was.
    expect((await w.call('onboard', { client_session_id: friend.secret }, { mcpSessionId })).ok).toBe(true);
    expect((await w.call('onboard', { force_new: true }, { mcpSessionId })).code).toBe('AGENT_PAUSED');
    // Ended by its agent, it is over and not free.
    await w.call('identity', { client_session_id: agent.secret, revoke: 'all' });
    expect((await w.call('onboard', { force_new: true }, { mcpSessionId })).ok).toBe(false);
    expect(await w.count('core.agents')).toBe(count);
    await w.call('agent', { action: 'resume', target_agent_id: agent.uuid }, ann);
  });
});

describe('a line of agents', async () => {
  const { w, onboard } = await heldWorld();
  const LINE = '00000000-0000-4000-8000-';
  const place = (n: number): string => LINE + String(n).padStart(12, '0');

  it('does not grow beyond what a check-in looks at, so that no descendant escapes a pause', async () => {
    verifies('BW-breaker.03');
    await w.database.query({
      text: `WITH line AS (SELECT '${LINE}' || lpad(n::text, 12, '0') AS id,
                                  CASE WHEN n > 0 THEN '${LINE}' || lpad((n - 1)::text, 12, '0') END AS parent
                           FROM generate_series(0, $1::int) n),
                  agents AS (INSERT INTO core.agents (id, parent_agent_id) SELECT id, parent FROM line)
             INSERT INTO core.identities (agent_id, parent_agent_id) SELECT id, parent FROM line`,
      values: [MOST_ANCESTORS],
    });
    await w.node.agents.load();
    const { code, body } = await w.call('onboard', {
      parent_agent_id: place(MOST_ANCESTORS),
      spawn_reason: 'subagent',
    });
    expect(code).toBe('PARAMETER_ERROR');
    expect(body).toMatchObject({ parameter: 'parent_agent_id', most: MOST_ANCESTORS });
    const last = await onboard({ parent_agent_id: place(MOST_ANCESTORS - 1), spawn_reason: 'subagent' });
    expect(last.uuid).toBeDefined();
  });
});

describe('a declared child of a held agent', async () => {
  const { w, ann, onboard, pause } = await heldWorld();
  const checkIn = (secret: string) =>
    w.call('process_agent_update', { client_session_id: secret, response_text: 'x', confidence: 0.5 });

  it('inherits the pause while it lasts, by any word and at any depth, born before or after', async () => {
    verifies('BW-breaker.03');
    const parent = await onboard();
    const before = await onboard({ parent_agent_id: parent.uuid, spawn_reason: 'subagent' });
    const grandchild = await onboard({ parent_agent_id: before.uuid, spawn_reason: 'compaction' });
    expect((await checkIn(grandchild.secret)).ok).toBe(true);
    await pause(parent.uuid, 'claims_pause');
    const after = await Promise.all(
      ['subagent', 'compaction', 'dispatch', 'explicit', 'new_session'].map((spawn_reason) =>
        onboard({ parent_agent_id: parent.uuid, spawn_reason }),
      ),
    );
    const family = [before, grandchild, ...after];
    for (const { secret } of family) {
      const { code, body } = await checkIn(secret);
      expect(code).toBe('AGENT_PAUSED');
      expect(body).toMatchObject({ held_by: parent.uuid, evidence: { paused_by: 'ann' } });
    }
    const resumed = await w.call(
      'operator_resume_agent',
      { target_agent_id: parent.uuid, reason: 'r', force: true },
      ann,
    );
    expect(resumed.ok).toBe(true);
    for (const { secret } of family) expect((await checkIn(secret)).ok).toBe(true);
    await pause(parent.uuid, 'claims_pause', 1);
    expect((await checkIn(before.secret)).code).toBe('AGENT_PAUSED');
    w.clock.advance(HOUR + 1);
    expect((await checkIn(before.secret)).ok).toBe(true);
  });
});

describe('a new identity from the place of a held agent', async () => {
  const { w, ann, onboard, pause } = await heldWorld();
  const here = { ...STRONG, address: '10.0.0.9' };
  const process = { host_id: 'h', pid: 7, pid_start_time: 70 };

  it('is linked with how strong the evidence is, in both trails, and is not held', async () => {
    const agent = await onboard({ process_fingerprint: process }, here);
    await pause(agent.uuid, 'claims_pause');
    const weak = await onboard({}, here);
    const strong = await onboard({ process_fingerprint: process }, here);
    const elsewhere = await onboard({}, { ...here, address: '10.0.0.10' });
    const { body } = await w.call('agent', { action: 'get', target_agent_id: agent.uuid }, ann);
    expect(body['successors']).toHaveLength(2);
    expect(body['successors']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ agent_id: weak.uuid, evidence: ['address_and_program'] }),
        expect.objectContaining({ agent_id: strong.uuid, evidence: ['process', 'address_and_program'] }),
      ]),
    );
    expect(await w.trail(agent.uuid)).toEqual(expect.arrayContaining(['successor_linked', 'successor_linked']));
    expect(await w.trail(strong.uuid)).toContain('successor_linked');
    expect(await w.trail(elsewhere.uuid)).not.toContain('successor_linked');
    const { ok } = await w.call('process_agent_update', { client_session_id: strong.secret, response_text: 'x' });
    expect(ok).toBe(true);
  });
});
