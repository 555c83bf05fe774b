import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operator } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { verdictOf, type Act } from './rules/acts.ts';
import type { Standing } from './rules/standings.ts';

const HOUR = 3_600_000;
const STRONG = { userAgent: 'agent/1' };

/** How each pause stands in the row of its agent; null: nothing says why it is paused. */
const PAUSES: Readonly<Partial<Record<Standing, string | null>>> = {
  claims_pause: 'claims_pause',
  risk_pause: 'risk_pause',
  conditions_pause: 'conditions_pause',
  operator_pause: 'operator_pause',
  review_cooldown: 'review_cooldown',
  review_held: 'review_block',
  unknown_pause: 'a_kind_of_tomorrow',
};

const fixture = async () => {
  const w = await testWorld();
  const ann = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'ann') };
  const onboard = async (args: Json = {}, seen = {}): Promise<{ uuid: string; secret: string }> => {
    const { ok, body } = await w.call('onboard', { force_new: true, ...args }, seen);
    if (!ok) throw new Error(JSON.stringify(body));
    return { uuid: body['uuid'] as string, secret: body['client_session_id'] as string };
  };
  const pause = async (uuid: string, kind: string, hours: number | null = 72): Promise<void> => {
    const at = w.clock.now();
    const stored = {
      actuation_id: `a-${at}`,
      paused_at: new Date(at).toISOString(),
      expires_at: hours === null ? null : new Date(at + hours * HOUR).toISOString(),
      sub_action: kind,
      reason: 'because of the test',
      evidence: { paused_by: 'ann' },
    };
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1, pause = $2::jsonb WHERE agent_id = $1`,
      uuid,
      JSON.stringify(stored),
    );
    await w.node.agents.refresh([uuid]);
  };
  /** All that a refusal must leave as it was: the agent's rows, and its trail. */
  const stateOf = async (uuid: string): Promise<string> => {
    const rows = await w.rows(
      `SELECT md5(concat_ws('|', to_jsonb(a)::text, to_jsonb(i)::text,
         (SELECT string_agg(e.event_id::text, ',' ORDER BY e.event_id) FROM audit.events e WHERE e.agent_id = a.id),
         (SELECT count(*) FROM core.agents))) AS state
       FROM core.agents a JOIN core.identities i ON i.agent_id = a.id WHERE a.id = $1`,
      uuid,
    );
    return rows[0]?.['state'] as string;
  };
  return { w, ann, onboard, pause, stateOf };
};

/** The calls that each act of the table is, made by the agent itself. */
const CALLS: readonly (readonly [act: Act, tool: string, args: Json])[] = [
  ['read', 'get_governance_metrics', {}],
  ['read', 'identity', {}],
  ['read', 'agent', { action: 'get' }],
  ['read', 'self_recovery', { action: 'check' }],
  ['record_result', 'outcome_event', { outcome_type: 'test_passed', detail: { exit_code: 0 } }],
  ['check_in', 'process_agent_update', { response_text: 'x', confidence: 0.5 }],
  ['update', 'agent', { action: 'update', tags: ['a'] }],
  ['update', 'agent', { action: 'update', notes: 'n' }],
  ['update', 'agent', { action: 'update', purpose: 'p' }],
  ['update', 'agent', { action: 'update', preferences: { verbosity: 'full' } }],
  ['reactivate', 'agent', { action: 'update', status: 'active' }],
  ['rename', 'identity', { name: 'another' }],
  ['archive', 'agent', { action: 'archive' }],
  ['delete', 'agent', { action: 'delete', confirm: true }],
  ['resume', 'agent', { action: 'resume' }],
  ['unstick', 'agent', { action: 'resume', unstick: true }],
  ['pause', 'agent', { action: 'pause', reason: 'r' }],
  ['recover', 'self_recovery', { action: 'review', reflection: 'I have thought about it for long enough.' }],
  ['mint', 'onboard', { force_new: true }],
  ['mint', 'onboard', { resume: false }],
  ['write_knowledge', 'store_knowledge_graph', { summary: 's', discovery_type: 'note' }],
];

describe('what a held agent may do to itself', async () => {
  const { w, onboard, pause, stateOf } = await fixture();

  it.each([...Object.keys(PAUSES), 'inherited'] as Standing[])(
    '%s: every call says what the table says',
    async (standing) => {
      verifies('BW-breaker.03');
      verifies('BW-breaker.04');
      for (const [act, tool, args] of CALLS) {
        const parent = await onboard();
        const agent =
          standing === 'inherited' ? await onboard({ parent_agent_id: parent.uuid, spawn_reason: 'subagent' }) : parent;
        await pause(parent.uuid, PAUSES[standing] ?? 'claims_pause');
        const before = await stateOf(agent.uuid);
        const { ok, body, code } = await w.call(tool, { client_session_id: agent.secret, ...args });
        const verdict = verdictOf('owner', act, standing);
        const what = `${standing}: ${tool} ${JSON.stringify(args)} → ${JSON.stringify(body)}`;
        // Of a risk that nobody measured, self recovery says so; the table only opens the door.
        if (act === 'recover' && verdict === 'yes') expect(code, what).toBe('SOFT_SAFETY_FAILED');
        else expect(ok ? 'yes' : code, what).toBe(verdict);
        if (!ok && code !== 'SOFT_SAFETY_FAILED') {
          expect(await stateOf(agent.uuid), what).toBe(before);
          if (code === 'AGENT_PAUSED') {
            expect(body['recovery'], what).toMatchObject({ action: expect.any(String) });
            expect(JSON.stringify(body), what).toContain('because of the test');
          }
        }
        if (tool === 'get_governance_metrics') expect(body['next_step'], what).toEqual(expect.any(String));
      }
    },
  );
});

describe('the MCP session of a held agent', async () => {
  const { w, ann, onboard, pause } = await fixture();

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
      expect(body['recovery']).toMatchObject({ action: expect.stringContaining('operator ann') });
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

describe('a declared child of a held agent', async () => {
  const { w, ann, onboard, pause } = await fixture();
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
  const { w, ann, onboard, pause } = await fixture();
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

/** Longer by hand: `BREAKWATER_MODEL_RUNS=500 npx vitest run --project int …/breaker.int.test.ts`. */
const RUNS = Number(globalThis.process.env['BREAKWATER_MODEL_RUNS'] ?? 6);

describe('a pause against everything that agents do', async () => {
  const { w, onboard, pause } = await fixture();
  const KINDS = ['claims_pause', 'conditions_pause', 'operator_pause', 'review_cooldown', 'review_block', 'tomorrow'];
  /** What any of the group does: a call, by whom, with arguments that may name another of the group. */
  const anyAct = fc.record({
    call: fc.constantFrom<readonly [string, Json]>(
      ...CALLS.filter(([act]) => act !== 'read').map(([, tool, args]) => [tool, args] as const),
      ['self_recovery', { action: 'quick' }],
      ['identity', { revoke: 'all' }],
      ['bind_session', { resume: true }],
      ['onboard', {}],
      ['onboard', { reactivate: true }],
      ['onboard', { name: 'somebody' }],
      ['request_review', { reason: 'r', root_cause: 'rc', proposed_conditions: ['Monitor for 24 hours'] }],
      ['request_review', { reason: 'r', root_cause: 'rc', reviewer_mode: 'manual' }],
      ['submit_antithesis', { reasoning: 'fine', concerns: [] }],
      ['submit_synthesis', { agrees: true, reasoning: 'fine', proposed_conditions: ['Monitor for 24 hours'] }],
      ['dialectic', { action: 'reassign' }],
    ),
    by: fc.nat(2),
    at: fc.constantFrom('itself', 'paused'),
    inSession: fc.boolean(),
    minutes: fc.nat(20),
  });

  it(`never ends by an act of the agent, its child or its friend (${RUNS} runs)`, { timeout: 600_000 }, async () => {
    verifies('BW-breaker.03');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...KINDS),
        fc.array(anyAct, { minLength: 5, maxLength: 20 }),
        async (kind, acts) => {
          const mcpSessionId = await w.node.identity.createMcpSession();
          const agent = await onboard({}, { mcpSessionId });
          const child = await onboard({ parent_agent_id: agent.uuid, spawn_reason: 'subagent' });
          const friend = await onboard();
          const group = [agent, child, friend];
          await pause(agent.uuid, kind, 72);
          for (const { call, by, at, inSession, minutes } of acts) {
            const [tool, args] = call;
            const open = await w.rows(
              `SELECT session_id FROM core.dialectic_sessions WHERE paused_agent_id = $1 AND phase NOT IN ('resolved', 'failed')`,
              agent.uuid,
            );
            const who = group[by] ?? agent;
            await w.call(
              tool,
              {
                client_session_id: who.secret,
                ...args,
                ...(at === 'paused' && tool !== 'onboard' && { target_agent_id: agent.uuid }),
                ...(open[0] !== undefined && { session_id: open[0]['session_id'] }),
                ...(tool === 'dialectic' && { new_reviewer_id: friend.uuid, reason: 'r' }),
              },
              inSession ? { mcpSessionId } : {},
            );
            w.clock.advance(minutes * 60_000);
            const head = await w.node.agents.find(agent.uuid);
            expect([head?.status, head?.pause?.sub_action]).toEqual(['paused', kind]);
            expect(
              (await w.call('process_agent_update', { client_session_id: agent.secret, response_text: 'x' })).ok,
            ).toBe(false);
            expect(
              (await w.call('process_agent_update', { client_session_id: child.secret, response_text: 'x' })).ok,
            ).toBe(false);
          }
        },
      ),
      { numRuns: RUNS, verbose: 1 },
    );
  });
});
