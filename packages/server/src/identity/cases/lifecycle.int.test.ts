import { describe, expect, it } from 'vitest';
import { onboard, operator } from '../../../testing/calls.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld, type World } from '../../../testing/world.ts';
import { listOperators, revokeOperator } from '../operators.ts';
import { HOUR_MS } from '../../runtime/index.ts';

/** Fails with full confidence until the circuit breaker pauses the agent. */
const pause = async (w: World, client_session_id: string): Promise<void> => {
  for (let i = 0; i < 12; i += 1) {
    w.clock.advance(10_000);
    const claim = await w.call('sync_state', { client_session_id, response_text: `Claim ${i}`, confidence: 0.95 });
    const { prediction_id } = claim.body;
    const failed = await w.call('record_result', {
      client_session_id,
      prediction_id,
      outcome_type: 'test_failed',
      detail: { command: 'npm test', exit_code: 1 },
      verification_source: 'agent_reported_tool_result',
    });
    if (failed.body['paused'] === true) return;
  }
  throw new Error('the agent was never paused');
};

describe('an archived agent', async () => {
  const w = await testWorld();
  const archived = async () => {
    const agent = await onboard(w.call);
    const { ok } = await w.call('agent', { client_session_id: agent.secret, action: 'archive', reason: 'done' });
    expect(ok).toBe(true);
    return agent;
  };

  it('cases 37, A7: is not resumed by an old token, and none is minted for it', async () => {
    verifies('BW-identity.09', 'BW-identity.13');
    const { uuid, token } = await archived();
    const proof = { agent_uuid: uuid, continuity_token: token };
    const before = await w.count('core.agents');
    for (const [name, args] of [
      ['identity', proof],
      ['onboard', proof],
      ['onboard', { ...proof, reactivate: true }],
      ['agent', { ...proof, action: 'update', status: 'active' }],
      ['sync_state', { ...proof, response_text: 'x' }],
    ] as const) {
      expect((await w.call(name, args)).code, name).toMatch(/^AGENT_ARCHIVED$|^STRONG_IDENTITY_REQUIRED$/);
    }
    expect(await w.count('core.agents')).toBe(before);
    expect(await w.rows('SELECT status FROM core.identities WHERE agent_id = $1', uuid)).toEqual([
      { status: 'archived' },
    ]);
  });

  it('cases 42, 81: says so to its session, and comes back only when that is asked for', async () => {
    verifies('BW-identity.09');
    const { uuid, secret } = await archived();
    const proof = { client_session_id: secret };
    const { ok, body } = await w.call('identity', proof);
    expect(ok).toBe(true);
    expect(body).toMatchObject({ uuid, archived: true, resumed: false, identity_status: 'archived' });
    expect(body).not.toHaveProperty('continuity_token');
    expect((await w.call('onboard', proof)).code).toBe('AGENT_ARCHIVED');
    expect((await w.call('bind_session', { ...proof, resume: true })).code).toBe('AGENT_ARCHIVED');
    expect((await w.call('onboard', { ...proof, reactivate: true })).body).toMatchObject({
      uuid,
      is_new: false,
      auto_resumed: true,
      previous_status: 'archived',
    });
    const statuses = await w.rows(
      `SELECT i.status AS i, a.status AS a FROM core.identities i JOIN core.agents a ON a.id = i.agent_id WHERE a.id = $1`,
      uuid,
    );
    expect(statuses).toEqual([{ i: 'active', a: 'active' }]);
    expect((await w.trail(uuid)).slice(-2)).toEqual(['agent_archived', 'lifecycle_reactivated']);
  });

  it('by an operator comes back by an operator only', async () => {
    verifies('BW-identity.07');
    const { uuid, secret } = await onboard(w.call);
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'archivist');
    const asOperator = { operatorSecret };
    const target = { target_agent_id: uuid };
    expect((await w.call('agent', { ...target, action: 'archive' }, asOperator)).code).toBe('AGENT_LOOKS_LIVE');
    expect((await w.call('agent', { ...target, action: 'archive', force: true }, asOperator)).ok).toBe(true);
    const back = { client_session_id: secret, reactivate: true };
    expect((await w.call('onboard', back)).code).toBe('OPERATOR_REQUIRED');
    expect((await w.call('agent', { ...target, action: 'update', status: 'active' }, asOperator)).ok).toBe(true);
    expect((await w.call('onboard', { client_session_id: secret })).body).toMatchObject({ uuid, is_new: false });
    const [row] = await w.rows(
      `SELECT payload FROM audit.events WHERE agent_id = $1 AND event_type = 'agent_archived'`,
      uuid,
    );
    expect(row?.['payload']).toMatchObject({
      by: 'operator',
      operator: 'archivist',
      reason: 'Manual archive',
      forced: true,
    });
  });

  it('case 104: of any ended status is refused by name, and goes on reading itself', async () => {
    const { uuid, secret } = await onboard(w.call);
    const proof = { client_session_id: secret };
    for (const status of ['archived', 'disabled', 'deleted'] as const) {
      await w.rows(
        `UPDATE core.identities SET status = $2, sequence = sequence + 1,
           archive = '{"at":"2026-01-01T00:00:00.000Z","by":"operator","actor":null,"reason":"x"}' WHERE agent_id = $1`,
        uuid,
        status,
      );
      await w.node.agents.refresh([uuid]);
      const write = await w.call('sync_state', { ...proof, response_text: 'x' });
      expect(write).toMatchObject({ code: 'AGENT_ARCHIVED', body: { status } });
      expect((await w.call('check_working_state', proof)).ok).toBe(true);
    }
    await expect(w.rows(`UPDATE core.identities SET status = 'retired' WHERE agent_id = $1`, uuid)).rejects.toThrow(
      /check constraint/,
    );
  });
});

describe('the acts on an agent', async () => {
  const w = await testWorld();
  const mine = await onboard(w.call, { name: 'Mine' });
  const other = await onboard(w.call, { name: 'Other' });
  const asMe = { client_session_id: mine.secret };

  it('case A6: are for itself and for operators that may act, and for nobody else', async () => {
    verifies('BW-identity.07');
    const reading = await operator(w.node, w.database, 'operator:read', 'reader');
    const before = await w.rows('SELECT * FROM core.identities WHERE agent_id = $1', other.uuid);
    const acts = [
      { action: 'archive', force: true },
      { action: 'resume', unstick: true },
      { action: 'delete', confirm: true },
      { action: 'update', notes: 'was here' },
      { action: 'update', status: 'active' },
    ];
    for (const act of acts) {
      for (const target_agent_id of [other.uuid, 'Other']) {
        const args = { ...act, target_agent_id };
        expect((await w.call('agent', { ...args, ...asMe })).code).toBe('FORBIDDEN');
        expect((await w.call('agent', args)).code).toBe('IDENTITY_REQUIRED');
        expect((await w.call('agent', args, { operatorSecret: reading })).code).toBe('OPERATOR_REQUIRED');
      }
    }
    expect((await w.call('operator_resume_agent', { target_agent_id: other.uuid, reason: 'x', ...asMe })).code).toBe(
      'OPERATOR_REQUIRED',
    );
    expect((await w.call('archive_orphan_agents', { dry_run: false, ...asMe })).code).toBe('OPERATOR_REQUIRED');
    expect(await w.rows('SELECT * FROM core.identities WHERE agent_id = $1', other.uuid)).toEqual(before);
  });

  it('cases A4, A5, 103: are not given by a name or a tag that an agent takes', async () => {
    verifies('BW-identity.08');
    const act = { target_agent_id: other.uuid, reason: 'x' };
    expect((await w.call('onboard', { name: 'operator', force_new: true })).code).toBe('PARAMETER_ERROR');
    for (const name of ['operators', 'Lumen', 'admin', 'Other']) {
      const { uuid, secret, body } = await onboard(w.call, { name, force_new: true });
      const tags = await w.rows('SELECT tags FROM core.agents WHERE id = $1', uuid);
      expect(tags).toEqual([{ tags: ['ephemeral'] }]);
      expect(body['uuid']).not.toBe(other.uuid);
      expect((await w.call('operator_resume_agent', { ...act, client_session_id: secret })).code).toBe(
        'OPERATOR_REQUIRED',
      );
      expect((await w.call('agent', { ...act, action: 'archive', force: true, client_session_id: secret })).code).toBe(
        'FORBIDDEN',
      );
    }
    for (const tag of ['operator', 'persistent', 'admin', 'protected', 'pioneer', 'embodied', 'autonomous', 'anima']) {
      const tagged = await w.call('agent', { ...asMe, action: 'update', tags: ['ephemeral', tag] });
      if (tag !== 'operator') expect(tagged.code, tag).toBe('FORBIDDEN');
      expect((await w.call('operator_resume_agent', { ...act, ...asMe })).code).toBe('OPERATOR_REQUIRED');
    }
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'tagger');
    const given = { action: 'update', target_agent_id: mine.uuid, tags: ['persistent'] };
    expect((await w.call('agent', given, { operatorSecret })).ok).toBe(true);
    const kept = await w.call('agent', { ...asMe, action: 'update', tags: ['persistent', 'mine'] });
    expect(kept.body['agent']).toMatchObject({ tags: ['persistent', 'mine'] });
  });

  it('case 53: are known by the names of the reference, in any case', async () => {
    const calls = [
      w.call('list_agents', asMe),
      w.call('agent', { ...asMe, op: 'LIST' }),
      w.call('agent', { ...asMe, action: 'List' }),
      w.call('agent', asMe),
    ];
    for (const { ok, body } of await Promise.all(calls)) {
      expect(ok).toBe(true);
      expect(body['agents']).toBeInstanceOf(Array);
    }
    expect((await w.call('get_agent_metadata', { ...asMe, target_agent_id: mine.uuid })).body['id']).toBe(mine.uuid);
    expect((await w.call('archive_agent', { ...asMe, target_agent_id: other.uuid })).code).toBe('FORBIDDEN');
    expect((await w.call('agent', { ...asMe, action: 'explode' })).code).toBe('PARAMETER_ERROR');
    expect((await w.call('detect_gravity', asMe)).code).toBe('TOOL_NOT_FOUND');
  });

  it('case 54: that change something are in no list of reads', async () => {
    const changing = ['update', 'archive', 'resume', 'delete'];
    for (const action of changing)
      expect((await w.call('agent', { action, target_agent_id: mine.uuid })).ok).toBe(false);
    const before = await w.count('audit.events');
    for (const name of ['list_agents', 'get_agent_metadata', 'detect_stuck_agents', 'identity']) {
      await w.call(name, { target_agent_id: mine.uuid });
    }
    expect(await w.count('audit.events')).toBe(before);
  });

  it('cases 50, 51: never run for a refused caller, and take no word of the server from one', async () => {
    const before = await w.count('core.agent_state');
    const spoofed = {
      _middleware_identity_result: { agent_uuid: mine.uuid },
      _middleware_identity_session_key: mine.secret,
      csid_transport_injected: false,
      response_text: 'x',
    };
    expect((await w.call('sync_state', spoofed)).code).toBe('IDENTITY_REQUIRED');
    expect((await w.call('sync_state', { ...spoofed, client_session_id: 'stale' })).code).toBe('SESSION_UNKNOWN');
    expect(await w.count('core.agent_state')).toBe(before);
  });

  it('case 102: show the ids of others to operators only, and the own one always', async () => {
    verifies('BW-identity.14');
    const operatorSecret = await operator(w.node, w.database, 'operator:read', 'watcher');
    await w.call('agent', { ...asMe, action: 'update', purpose: `like ${other.uuid}`, notes: `of ${other.uuid}` });
    const child = await onboard(w.call, { force_new: true, parent_agent_id: other.uuid, spawn_reason: 'subagent' });
    const everything = async (args: Record<string, unknown>, seen = {}) => {
      const list = await w.call(
        'agent',
        { ...args, limit: 200, status_filter: 'all', include_test_agents: true },
        seen,
      );
      const gets = [mine, other, child].map(({ uuid }) =>
        w.call('agent', { ...args, action: 'get', target_agent_id: uuid }, seen),
      );
      const stuck = w.call('detect_stuck_agents', args, seen);
      return JSON.stringify([list.body, ...(await Promise.all([...gets, stuck])).map(({ body }) => body)]);
    };
    const byStranger = await everything({});
    for (const { uuid } of [mine, other, child]) {
      expect(byStranger).not.toContain(uuid);
      expect(byStranger).not.toContain(uuid.slice(0, 12));
    }
    const byMe = await everything(asMe);
    expect(byMe).toContain(mine.uuid);
    // What I wrote myself is mine to read; nothing else tells me who others are.
    expect(byMe.replaceAll(`of ${other.uuid}`, '')).not.toContain(other.uuid);
    expect(byMe).not.toContain(child.uuid);
    const byOperator = await everything({}, { operatorSecret });
    for (const { uuid } of [mine, other, child]) expect(byOperator).toContain(uuid);
  });
});

describe('a pause', async () => {
  const w = await testWorld();

  it('is lifted by an operator with a reason, never by the agent, and never above the hard limit', async () => {
    verifies('BW-identity.07', 'BW-identity.08');
    const { uuid, secret } = await onboard(w.call);
    const proof = { client_session_id: secret };
    await pause(w, secret);
    for (const act of [
      { action: 'resume' },
      { action: 'resume', unstick: true },
      { action: 'archive', force: true },
      { action: 'update', status: 'active' },
    ]) {
      expect((await w.call('agent', { ...proof, ...act })).code).toMatch(/^FORBIDDEN$|^INVALID_STATUS_TRANSITION$/);
    }
    expect((await w.call('onboard', { ...proof, reactivate: true })).body).toMatchObject({ uuid, status: 'paused' });
    expect((await w.call('sync_state', { ...proof, response_text: 'x' })).code).toBe('AGENT_PAUSED');

    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'medic');
    const lift = { target_agent_id: uuid, reason: 'the runner was broken' };
    expect((await w.call('operator_resume_agent', { target_agent_id: uuid }, { operatorSecret })).code).toBe(
      'MISSING_PARAMETER',
    );
    expect((await w.call('operator_resume_agent', { ...lift, reason: '  ' }, { operatorSecret })).code).toBe(
      'PARAMETER_ERROR',
    );
    const lifted = await w.call('operator_resume_agent', { ...lift, force: true }, { operatorSecret });
    expect(lifted.body).toMatchObject({ lifecycle_status: 'active' });
    const [row] = await w.rows(
      `SELECT payload FROM audit.events WHERE agent_id = $1 AND event_type = 'lifecycle_resumed'`,
      uuid,
    );
    expect(row?.['payload']).toMatchObject({ by: 'operator', operator: 'medic', reason: 'the runner was broken' });
    // The claims are settled: what paused it does not pause it again.
    await w.restart();
    const { body } = await w.call('sync_state', { ...proof, response_text: 'back at work' });
    expect(body['verdict']).not.toBe('pause');
    expect((await w.call('operator_resume_agent', lift, { operatorSecret })).code).toBe('AGENT_NOT_RESUMABLE');
  });
});

describe('housekeeping', async () => {
  const w = await testWorld();

  it('finds and archives what nobody went on with, dry by default, and tells who is silent', async () => {
    const orphan = await onboard(w.call);
    const named = await onboard(w.call, { name: 'worker' });
    for (const { secret } of [orphan, named]) {
      await w.call('sync_state', { client_session_id: secret, response_text: 'x' });
    }
    const idle = await onboard(w.call);
    w.clock.advance(7 * HOUR_MS);
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'janitor');
    const sweep = (args: object) => w.call('archive_orphan_agents', { ...args }, { operatorSecret });
    expect((await sweep({})).body).toMatchObject({
      dry_run: true,
      archived_count: 0,
      would_archive_agents: [{ agentId: orphan.uuid }],
    });
    expect((await sweep({ dry_run: false })).body).toMatchObject({ archived_count: 1, archived_agents: [orphan.uuid] });
    const statusOf = async (id: string) =>
      (await w.call('agent', { action: 'get', target_agent_id: id }, { operatorSecret })).body['status'];
    expect(await Promise.all([orphan, named, idle].map(({ uuid }) => statusOf(uuid)))).toEqual([
      'archived',
      'active',
      'active',
    ]);
    const { body } = await w.call('detect_stuck_agents', {}, { operatorSecret });
    expect(body).toMatchObject({ stuck_count: 1, stuck_agents: [{ agent_id: named.uuid, label: 'worker' }] });
  });
});

describe('an operator', async () => {
  const w = await testWorld();

  it('case 100: is one, however many calls come at once; revoked it is nobody at once; its secret is nowhere', async () => {
    verifies('BW-identity.08', 'BW-identity.05');
    const operatorSecret = await operator(w.node, w.database, 'operator:read', 'the-one');
    const before = await w.count('core.agents');
    const answers = await Promise.all(Array.from({ length: 10 }, () => w.call('identity', {}, { operatorSecret })));
    for (const { body } of answers)
      expect(body).toMatchObject({ identity_status: 'operator', operator: { name: 'the-one' } });
    expect(await w.count('core.agents')).toBe(before);
    const everything = await w.rows(
      `SELECT to_jsonb(b)::text AS row FROM core.bindings b UNION ALL SELECT to_jsonb(e)::text FROM audit.events e`,
    );
    expect(JSON.stringify(everything)).not.toContain(operatorSecret);

    expect((await revokeOperator(w.database, 'the-one', w.clock.now(), 'root')).ok).toBe(true);
    await w.node.bindings.reconcile();
    expect((await w.call('identity', {}, { operatorSecret })).code).toBe('UNAUTHORIZED');
    expect((await w.call('agent', {}, { operatorSecret })).code).toBe('UNAUTHORIZED');
    const trail = await w.rows(
      `SELECT event_type, payload FROM audit.events WHERE payload ->> 'name' = 'the-one' ORDER BY event_type`,
    );
    expect(trail).toMatchObject([
      { event_type: 'operator_created', payload: { scopes: ['operator:read'], by: 'test' } },
      { event_type: 'operator_revoked', payload: { by: 'root' } },
    ]);
    expect((await w.call('agent', {}, { operatorSecret: 'bwo_made-up' })).code).toBe('UNAUTHORIZED');
  });

  it('is on record with when it was seen last, to the minute', async () => {
    const operatorSecret = await operator(w.node, w.database, 'operator:read', 'seen');
    const lastSeen = async () => (await listOperators(w.database)).find(({ name }) => name === 'seen')?.lastSeenAt;
    expect(await lastSeen()).toBeNull();
    const at: number[] = [];
    for (const wait of [0, 30_000, 60_000]) {
      w.clock.advance(wait);
      expect((await w.call('agent', {}, { operatorSecret })).ok).toBe(true);
      await w.node.bindings.renew();
      at.push((await lastSeen()) ?? 0);
    }
    expect(at).toEqual([w.clock.now() - 90_000, w.clock.now() - 90_000, w.clock.now()]);
    // Seen is not prolonged.
    const [row] = await w.rows(
      `SELECT extract(epoch FROM expires_at - created_at)::int AS seconds FROM core.bindings WHERE name = 'seen'`,
    );
    expect(row).toEqual({ seconds: 86_400 });
  });

  it('expires, and cannot be taken for a session, nor a session for it', async () => {
    verifies('BW-identity.05');
    const operatorSecret = await operator(w.node, w.database, 'operator:act', 'brief');
    const { secret } = await onboard(w.call);
    expect((await w.call('identity', { client_session_id: operatorSecret })).code).toBe('SESSION_UNKNOWN');
    expect((await w.call('agent', {}, { operatorSecret: secret })).code).toBe('UNAUTHORIZED');
    w.clock.advance(25 * HOUR_MS);
    expect((await w.call('agent', {}, { operatorSecret })).code).toBe('UNAUTHORIZED');
  });
});
