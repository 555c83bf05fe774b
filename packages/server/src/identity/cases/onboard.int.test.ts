import { describe, expect, it } from 'vitest';
import { onboard, operator } from '../../../testing/calls.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld, type World } from '../../../testing/world.ts';
import { ensurePartitions } from '../../postgres/index.ts';
import { credentialHash } from '../binding.ts';
import { DAY_MS } from '../../runtime/index.ts';

const HALF_HOUR = 1_800_000;
const HERE = { address: '1.2.3.4', userAgent: 'agent/1' };

const pinsOf = async (w: World, agentId: string) =>
  w.rows(`SELECT credential_hash, expires_at FROM core.bindings WHERE kind = 'pin' AND agent_id = $1`, agentId);

describe('a pin', async () => {
  const w = await testWorld();
  const forget = async () => {
    await w.rows(`DELETE FROM core.bindings WHERE kind = 'pin'`);
    await w.node.bindings.load();
  };
  const suspicions = () => w.node.reports.filter(({ type }) => type === 'identity_hijack_suspected').length;
  const inMode = async (mode: typeof w.node.gates.pins, work: () => Promise<void>) => {
    w.node.gates.pins = mode;
    await forget();
    await work();
    w.node.gates.pins = 'enforce';
  };

  it('case 12: is written for three scopes, for half an hour', async () => {
    verifies('W3-3.06');
    const { uuid } = await onboard(w.call, { client_hint: 'cursor', model_type: 'claude' }, HERE);
    const pins = await pinsOf(w, uuid);
    expect(pins.map((pin) => pin['expires_at'])).toEqual(Array(3).fill(w.clock.now() + HALF_HOUR));
    const { uuid: alone } = await onboard(w.call, { force_new: true }, { userAgent: '' });
    expect(await pinsOf(w, alone)).toEqual([]);
  });

  it('case 13: lives again when it is used, and is over half an hour after its last use', () =>
    inMode('observe', async () => {
      verifies('W3-3.06');
      const { uuid } = await onboard(w.call, {}, HERE);
      w.clock.advance(HALF_HOUR - 1);
      expect((await onboard(w.call, {}, HERE)).uuid).toBe(uuid);
      await w.node.bindings.renew();
      w.clock.advance(HALF_HOUR - 1);
      expect((await onboard(w.call, {}, HERE)).uuid).toBe(uuid);
      await w.node.bindings.renew();
      w.clock.advance(HALF_HOUR + 1);
      expect((await onboard(w.call, {}, HERE)).uuid).not.toBe(uuid);
    }));

  it('case 15: of no scope is not used by a call that names its model', () =>
    inMode('observe', async () => {
      const { uuid } = await onboard(w.call, {}, HERE);
      expect((await onboard(w.call, { model_type: 'claude' }, HERE)).uuid).not.toBe(uuid);
    }));

  it('cases 16, 17: of a parent is left alone by the child that it sent, and taken by anybody else', async () => {
    await forget();
    const parent = await onboard(w.call, {}, HERE);
    const child = await onboard(w.call, { spawn_reason: 'subagent', parent_agent_id: parent.uuid }, HERE);
    expect(await pinsOf(w, parent.uuid)).toHaveLength(1);
    expect(await pinsOf(w, child.uuid)).toHaveLength(0);
    const other = await onboard(w.call, {}, HERE);
    expect(await pinsOf(w, parent.uuid)).toHaveLength(0);
    expect(await pinsOf(w, other.uuid)).toHaveLength(1);
    await forget();
    const first = await onboard(w.call, { spawn_reason: 'subagent' }, HERE);
    expect(await pinsOf(w, first.uuid)).toHaveLength(1);
  });

  it('case 18: resumes nobody by default, and is reported', async () => {
    await forget();
    const { uuid } = await onboard(w.call, {}, HERE);
    const before = suspicions();
    const { uuid: other, body } = await onboard(w.call, {}, HERE);
    expect(other).not.toBe(uuid);
    expect(body).toMatchObject({ is_new: true, identity_resolution_outcome: 'minted_fresh' });
    expect(suspicions()).toBe(before + 1);
    expect(w.node.reports.at(-1)).toMatchObject({ agentId: uuid });
  });

  it('case 19: an onboard with an agent_id passes through enforced pins, unreported, as nobody but itself', async () => {
    verifies('W3-7.05', 'W3-3.06', 'BW-identity.02');
    await forget();
    const { uuid } = await onboard(w.call, {}, HERE);
    const before = suspicions();
    for (const agent_id of [uuid, crypto.randomUUID(), 'my-name']) {
      const { ok, body } = await w.call('onboard', { agent_id }, HERE);
      expect(ok).toBe(true);
      expect(body).toMatchObject({ is_new: true });
      expect(body['uuid']).not.toBe(uuid);
    }
    expect(suspicions()).toBe(before);
  });

  it('case 20: resumes under observe, weakly, with a report; and under off without', async () => {
    for (const [mode, reports] of [
      ['observe', 1],
      ['off', 0],
    ] as const) {
      await inMode(mode, async () => {
        const { uuid } = await onboard(w.call, {}, HERE);
        const before = suspicions();
        const { uuid: again, body, secret } = await onboard(w.call, {}, HERE);
        expect(again).toBe(uuid);
        expect(body).toMatchObject({ is_new: false, identity_assurance: { tier: 'weak', caller_proven: false } });
        expect(body).not.toHaveProperty('continuity_token');
        expect(suspicions()).toBe(before + reports);
        // What was handed out on an inference proves no more than the inference, for ever.
        const { body: seen } = await w.call('identity', { client_session_id: secret });
        expect(seen).toMatchObject({ uuid, identity_assurance: { tier: 'weak', caller_proven: false } });
        expect((await w.call('identity', { client_session_id: secret, revoke: 'all' })).code).toBe(
          'STRONG_IDENTITY_REQUIRED',
        );
        const archived = await w.call('agent', { client_session_id: secret, action: 'archive', force: true });
        expect(archived.code).toBe('STRONG_IDENTITY_REQUIRED');
      });
    }
  });

  it('case 21: is not asked when a new identity is', () =>
    inMode('observe', async () => {
      const { uuid } = await onboard(w.call, {}, HERE);
      const before = suspicions();
      expect((await onboard(w.call, { force_new: true }, HERE)).uuid).not.toBe(uuid);
      expect(suspicions()).toBe(before);
    }));

  it('cases 97, 98, 99: there is nothing behind an expired pin that would bring an agent back', () =>
    inMode('off', async () => {
      const { uuid } = await onboard(w.call, {}, HERE);
      w.clock.advance(HALF_HOUR + 1);
      expect((await onboard(w.call, {}, HERE)).uuid).not.toBe(uuid);
      const kinds = await w.rows('SELECT DISTINCT kind FROM core.bindings ORDER BY kind');
      expect(kinds.map(({ kind }) => kind)).toEqual(['continuity_token', 'pin', 'session']);
    }));

  it('cases 98, A9: never brings back an archived agent, nor one of another address or program', () =>
    inMode('off', async () => {
      const { uuid, secret } = await onboard(w.call, {}, HERE);
      for (const seen of [
        { ...HERE, address: '1.2.3.5' },
        { ...HERE, userAgent: 'agent/2' },
        { ...HERE, address: '::1' },
      ]) {
        const { uuid: other, body } = await onboard(w.call, { response_mode: 'full' }, seen);
        expect(other).not.toBe(uuid);
        expect(body['thread_context']).toMatchObject({ position: 1, is_root: true });
      }
      await forget();
      const again = await onboard(w.call, { client_session_id: secret }, HERE);
      expect(again.uuid).toBe(uuid);
      const archived = await w.call('agent', { client_session_id: secret, action: 'archive', force: true });
      expect(archived.body).toMatchObject({ lifecycle_status: 'archived' });
      expect((await onboard(w.call, {}, HERE)).uuid).not.toBe(uuid);
    }));
});

describe('onboard', async () => {
  const w = await testWorld();
  const strict = async (work: () => Promise<void>) => {
    w.node.gates.strict = 'enforce';
    await work();
    w.node.gates.strict = 'observe';
  };

  it('case 74: without anything gives a new identity, or asks for a declaration under strict mode', async () => {
    expect((await w.call('onboard')).body).toMatchObject({ is_new: true, identity_resolution_outcome: 'minted_fresh' });
    await strict(async () => {
      const before = await w.count('core.agents');
      const { code, body } = await w.call('onboard', { name: 'new' });
      expect(code).toBe('LINEAGE_DECLARATION_REQUIRED');
      const actions = (body['safe_options'] as { action: string }[]).map(({ action }) => action);
      expect(actions).toEqual(['resume', 'start_fresh', 'declare_lineage']);
      expect(await w.count('core.agents')).toBe(before);
      expect((await w.call('onboard', { force_new: true })).ok).toBe(true);
    });
  });

  it('cases 48, 49, 101: without identity a writing tool is refused in every mode, with the way out, and writes nothing', async () => {
    verifies('BW-identity.06', 'W3-3.08');
    const state = () =>
      Promise.all(['core.agents', 'core.bindings', 'core.agent_state'].map((table) => w.count(table)));
    const before = await state();
    for (const mode of ['off', 'observe', 'enforce'] as const) {
      w.node.gates.strict = mode;
      const { code, body } = await w.call('sync_state', { response_text: 'x' });
      expect(code).toBe('IDENTITY_REQUIRED');
      expect(body).toMatchObject({ status: 'identity_required', do_not: expect.any(Array) as unknown });
      expect((await w.call('sync_state', { response_text: 'x', client_session_id: 'garbage' })).code).toBe(
        'SESSION_UNKNOWN',
      );
    }
    w.node.gates.strict = 'observe';
    expect(await state()).toEqual(before);
  });

  it('cases 59, 61, 66: a bare uuid resumes nobody: refused in every mode, reported unless off', async () => {
    verifies('BW-identity.02', 'BW-identity.13');
    const [mine, other] = [await onboard(w.call), await onboard(w.call)];
    const before = await w.count('core.agents');
    for (const mode of ['off', 'observe', 'enforce'] as const) {
      w.node.gates.strict = mode;
      for (const name of ['identity', 'onboard']) {
        for (const args of [
          { agent_uuid: other.uuid },
          { agent_uuid: other.uuid, continuity_token: mine.token },
          { agent_uuid: other.uuid, continuity_token: 'v1.garbage.garbage' },
          { agent_uuid: crypto.randomUUID() },
        ]) {
          const reported = w.node.reports.length;
          expect((await w.call(name, args)).code, `${mode} ${name}`).toBe('BARE_UUID_RESUME_DENIED');
          expect(w.node.reports.length).toBe(reported + (mode === 'off' ? 0 : 1));
        }
      }
    }
    w.node.gates.strict = 'observe';
    expect(await w.count('core.agents')).toBe(before);
  });

  it('case 60: a token beside its uuid resumes, unreported, for 30 days; then the refusal names its age and the way out', async () => {
    verifies('W3-3.05');
    const { uuid, token } = await onboard(w.call);
    const proof = { agent_uuid: uuid.toUpperCase(), continuity_token: token };
    const reported = w.node.reports.length;
    expect((await w.call('identity', proof)).body).toMatchObject({
      uuid,
      session_resolution_source: 'continuity_token',
    });
    expect((await w.call('onboard', proof)).body).toMatchObject({ uuid, is_new: false });
    expect(w.node.reports.length).toBe(reported);
    const issued = Math.floor(w.clock.now() / 1000) * 1000;
    // A server that was away for the longest time that a token bridges, to the millisecond.
    w.clock.advance(issued + 30 * DAY_MS - w.clock.now());
    await ensurePartitions(w.database, w.clock.now());
    await w.restart();
    const before = w.node.reports.length;
    for (const name of ['identity', 'onboard']) {
      const { body } = await w.call(name, proof);
      expect(body, name).toMatchObject({ success: true, uuid, identity_assurance: { tier: 'medium' } });
      expect(body['continuity_token']).not.toBe(token);
      const next = { client_session_id: body['client_session_id'], response_text: 'back' };
      expect((await w.call('sync_state', next)).ok).toBe(true);
      expect((await w.call('sync_state', { ...next, require_strong_identity: true })).code).toBe(
        'STRONG_IDENTITY_REQUIRED',
      );
    }
    // Elsewhere its hour counts.
    expect((await w.call('sync_state', { ...proof, response_text: 'x' })).code).toBe('CONTINUITY_TOKEN_RESUME_RETIRED');
    expect((await w.call('check_working_state', proof)).body['status']).toBe('unbound');
    w.clock.advance(1);
    for (const name of ['identity', 'onboard']) {
      const { code, body } = await w.call(name, proof);
      expect(code).toBe('CONTINUITY_TOKEN_EXPIRED');
      expect(body['error']).toContain('30 days');
      expect(JSON.stringify(body['recovery'])).toContain('parent_agent_id');
    }
    expect(w.node.reports.length).toBe(before);
  });

  it('a lapsed token brings back nothing that ended: no revoked, archived or paused agent, and no other one', async () => {
    verifies('W3-3.05', 'BW-identity.05', 'BW-identity.09');
    const [revoked, archived, paused, active] = [
      await onboard(w.call),
      await onboard(w.call),
      await onboard(w.call),
      await onboard(w.call),
    ];
    const secret = await operator(w.node, w.database, 'operator:act', 'pauser');
    const pause = { action: 'pause', target_agent_id: paused.uuid, reason: 'Look at it first' };
    expect((await w.call('agent', pause, { operatorSecret: secret })).ok).toBe(true);
    await w.call('identity', { client_session_id: revoked.secret, revoke: 'all' });
    await w.call('agent', { client_session_id: archived.secret, action: 'archive' });
    w.clock.advance(2 * DAY_MS);
    await ensurePartitions(w.database, w.clock.now());
    await w.restart();
    const resume = ({ uuid }: { uuid: string }, { token }: { token: string }, name = 'identity', more = {}) =>
      w.call(name, { agent_uuid: uuid, continuity_token: token, ...more });
    expect((await resume(revoked, revoked)).code).toBe('BARE_UUID_RESUME_DENIED');
    expect((await resume(active, paused)).code).toBe('BARE_UUID_RESUME_DENIED');
    for (const [name, more] of [
      ['identity', {}],
      ['onboard', {}],
      ['onboard', { reactivate: true }],
    ] as const) {
      expect((await resume(archived, archived, name, more)).ok, name).toBe(false);
    }
    expect(await w.rows('SELECT status FROM core.agents WHERE id = $1', archived.uuid)).toEqual([
      { status: 'archived' },
    ]);
    const back = (await resume(paused, paused)).body;
    expect(back).toMatchObject({ success: true, uuid: paused.uuid, status: 'paused' });
    const report = { client_session_id: back['client_session_id'], response_text: 'x' };
    expect((await w.call('sync_state', report)).code).toBe('AGENT_PAUSED');
  });

  it('one proof is one session secret, however often it is shown', async () => {
    const { uuid, token } = await onboard(w.call);
    const proof = { agent_uuid: uuid, continuity_token: token };
    const { body: first } = await w.call('identity', proof);
    const rows = await w.count('core.bindings');
    w.clock.advance(20 * 60_000);
    expect((await w.call('identity', proof)).body).toMatchObject({
      client_session_id: first['client_session_id'],
      continuity_token: token,
    });
    expect(await w.count('core.bindings')).toBe(rows);
    // Half of its hour is over: there is a new one, for the next hour.
    w.clock.advance(20 * 60_000);
    expect((await w.call('identity', proof)).body['continuity_token']).not.toBe(token);
    // A session that was revoked is not handed out again.
    await w.call('identity', { client_session_id: first['client_session_id'], revoke: 'this' });
    const { body } = await w.call('identity', proof);
    expect(body['client_session_id']).not.toBe(first['client_session_id']);
    expect((await w.call('identity', { client_session_id: body['client_session_id'] })).body['uuid']).toBe(uuid);
  });

  it('agent_id is the uuid in every answer, which calls take; the handle stands beside it', async () => {
    const { uuid, secret, body } = await onboard(w.call, { model_type: 'claude', force_new: true });
    expect(body).toMatchObject({ uuid, agent_id: uuid, handle: expect.stringMatching(/^Claude_\d{8}$/) as string });
    const who = await w.call('identity', { client_session_id: secret });
    expect(who.body).toMatchObject({ agent_id: uuid, handle: body['handle'], bound_identity: { agent_id: uuid } });
    const bound = await w.call('bind_session', { client_session_id: secret, strict: true, agent_id: uuid });
    expect(bound.body).toMatchObject({ agent_id: uuid, handle: body['handle'] });
    expect((await w.call('agent', { action: 'get', target_agent_id: body['agent_id'] })).ok).toBe(true);
  });

  it('a name is composed, found however it is typed, and no look-alike of an operator', async () => {
    verifies('BW-dispatch.09');
    const { uuid, secret, body } = await onboard(w.call, { name: 'Rene\u0301', force_new: true });
    expect(body['display_name']).toBe('René');
    for (const name of ['René', 'Rene\u0301']) {
      const found = await w.call('agent', { action: 'get', client_session_id: secret, target_agent_id: name });
      expect(found.body, name).toMatchObject({ id: uuid });
    }
    const { body: other } = await onboard(w.call, { name: 'René', force_new: true });
    expect(other['display_name']).toMatch(/^René_[0-9a-f]{8}$/);
    for (const name of ['оperator', 'SYSTEM', 'r00t', 'Ann\u202e', 'A\u200bnn']) {
      const refused = await w.call('onboard', { name, force_new: true });
      expect(refused.body, name).toMatchObject({ error_code: 'PARAMETER_ERROR', parameter: 'name' });
      expect((await w.call('identity', { client_session_id: secret, name })).code, name).toBe('PARAMETER_ERROR');
    }
    const { body: unnamed } = await onboard(w.call, { model_type: 'operator', force_new: true });
    expect(String(unnamed['display_name'])).not.toMatch(/^operator/i);
  });

  it('case 76: a token alone is retired everywhere, except where a new identity is asked for', async () => {
    const { token } = await onboard(w.call);
    for (const [name, args] of [
      ['onboard', { resume: true }],
      ['identity', { resume: true }],
      ['bind_session', { resume: true }],
      ['sync_state', { response_text: 'x' }],
    ] as const) {
      const { code } = await w.call(name, { continuity_token: token, ...args });
      expect(code, name).toBe('CONTINUITY_TOKEN_RESUME_RETIRED');
    }
    expect((await w.call('onboard', { continuity_token: token, force_new: true })).ok).toBe(true);
  });

  it('case 56: a token and a secret wrapped in kwargs are honoured', async () => {
    const { uuid, token, secret } = await onboard(w.call);
    const kwargs = JSON.stringify({ agent_uuid: uuid, continuity_token: token });
    expect((await w.call('identity', { kwargs })).body['uuid']).toBe(uuid);
    expect((await w.call('identity', { kwargs: { client_session_id: secret } })).body['uuid']).toBe(uuid);
  });

  it('case 52: an agent_uuid on any other tool binds nobody', async () => {
    const { uuid, token } = await onboard(w.call);
    expect((await w.call('check_working_state', { agent_uuid: uuid })).body['status']).toBe('unbound');
    expect((await w.call('sync_state', { agent_uuid: uuid, response_text: 'x' })).code).toBe('IDENTITY_REQUIRED');
    // Beside its token it is a proof, there as everywhere.
    const proven = await w.call('check_working_state', { agent_uuid: uuid, continuity_token: token });
    expect(proven.body['agent_id']).toBe(uuid);
  });

  it('case 57: bound as one agent a call may not name another; its own names are its own', async () => {
    verifies('BW-identity.03');
    const [mine, other] = [await onboard(w.call, { name: 'Mine' }), await onboard(w.call)];
    const proof = { client_session_id: mine.secret, response_text: 'x' };
    const { code, body } = await w.call('sync_state', { ...proof, agent_id: other.uuid });
    expect(code).toBe('IDENTITY_CONFLICT');
    expect(body).toMatchObject({ error_type: 'identity_mismatch', bound_agent_id: mine.uuid });
    for (const agent_id of [mine.uuid, 'Mine', mine.uuid.toUpperCase()]) {
      expect((await w.call('sync_state', { ...proof, agent_id })).ok).toBe(true);
    }
    const looking = { client_session_id: mine.secret, action: 'get', agent_id: other.uuid };
    expect((await w.call('agent', looking)).ok).toBe(true);
    const secret = await operator(w.node, w.database, 'operator:read', 'looker');
    expect(
      (await w.call('agent', { action: 'get', agent_id: other.uuid }, { operatorSecret: secret })).body['id'],
    ).toBe(other.uuid);
  });

  it('case 77: identity makes no identity, so that no token can be of an agent that is not there', async () => {
    const before = await w.count('core.agents');
    for (const args of [{}, { name: 'x' }, { force_new: true }]) {
      const { code, body } = await w.call('identity', args);
      expect(code).toBe('IDENTITY_REQUIRED');
      expect(body).toMatchObject({ success: false, identity_status: 'unbound' });
      expect(body).not.toHaveProperty('continuity_token');
    }
    expect(await w.count('core.agents')).toBe(before);
    const { uuid, token } = await onboard(w.call);
    expect(
      await w.count('core.bindings WHERE credential_hash = $1 AND agent_id = $2', credentialHash(token), uuid),
    ).toBe(1);
  });

  it('cases 78, 79: writes the parent and the reason of its birth in both rows, and invents neither', async () => {
    const parent = await onboard(w.call);
    const declared = { force_new: true, parent_agent_id: parent.uuid, spawn_reason: 'subagent' };
    const { uuid } = await onboard(w.call, declared);
    const rows = (id: string) =>
      w.rows(
        `SELECT a.parent_agent_id AS a, i.parent_agent_id AS i, a.spawn_reason AS ar, i.spawn_reason AS ir
         FROM core.agents a JOIN core.identities i ON i.agent_id = a.id WHERE a.id = $1`,
        id,
      );
    expect(await rows(uuid)).toEqual([{ a: parent.uuid, i: parent.uuid, ar: 'subagent', ir: 'subagent' }]);
    expect(await rows(parent.uuid)).toEqual([{ a: null, i: null, ar: null, ir: null }]);
    expect((await w.call('onboard', { parent_agent_id: crypto.randomUUID() })).code).toBe('PARAMETER_ERROR');
  });

  it('case 80: the name of a thread is no proof, strict or not', async () => {
    await strict(async () => {
      const args = { orchestrated: true, client_session_id: 'agent:/thread-x' };
      expect((await w.call('onboard', args)).code).toBe('SESSION_UNKNOWN');
      expect((await w.call('onboard', { ...args, force_new: true, thread_id: 'thread-x' })).ok).toBe(true);
    });
  });

  it('case 82: four ways to bind a session wrongly are four answers', async () => {
    const { secret, uuid } = await onboard(w.call);
    const ask = async (args: object) => {
      const { code, body } = await w.call('bind_session', { ...args });
      return [code, body['error']];
    };
    const answers = [
      await ask({ client_session_id: secret }),
      await ask({ client_session_id: secret, strict: true }),
      await ask({ client_session_id: secret, strict: true, agent_id: crypto.randomUUID() }),
      await ask({ client_session_id: 'unknown', resume: true }),
      await ask({ resume: true }),
    ];
    expect(answers.map(([code]) => code)).toEqual([
      'PARAMETER_ERROR',
      'PARAMETER_ERROR',
      'IDENTITY_CONFLICT',
      'SESSION_UNKNOWN',
      'PARAMETER_ERROR',
    ]);
    expect(new Set(answers.map(String)).size).toBe(5);
    const { body } = await w.call('bind_session', { client_session_id: secret, strict: true, agent_id: uuid });
    expect(body).toMatchObject({ agent_uuid: uuid, bound: false });
  });

  it('case 84: a name that is taken gets a suffix; taking that of a persistent agent is reported', async () => {
    const holder = await onboard(w.call, { name: 'Lumen' });
    const second = await onboard(w.call, { name: 'Lumen' });
    expect(second.body['display_name']).toBe(`Lumen_${second.uuid.slice(0, 8)}`);
    const forks = () => w.node.reports.filter(({ type }) => type === 'resident_fork_detected');
    expect(forks()).toEqual([]);
    const act = await operator(w.node, w.database, 'operator:act', 'tagger');
    const tagging = { action: 'update', target_agent_id: holder.uuid, tags: ['ephemeral', 'persistent'] };
    expect((await w.call('agent', tagging, { operatorSecret: act })).ok).toBe(true);
    await onboard(w.call, { name: 'Lumen' });
    expect(forks()).toMatchObject([{ agentId: holder.uuid }]);
    await onboard(w.call, { name: 'Lumen', parent_agent_id: holder.uuid, spawn_reason: 'compaction' });
    expect(forks()).toHaveLength(1);
    const { body } = await w.call('identity', { client_session_id: second.secret, name: 'Lumen' });
    expect(body['display_name']).toBe(`Lumen_${second.uuid.slice(0, 8)}`);
  });

  it('case 86: a token of one family of models is not used by another', async () => {
    const { uuid, token } = await onboard(w.call, { model_type: 'claude-opus' });
    const proof = { agent_uuid: uuid, continuity_token: token };
    expect((await w.call('identity', { ...proof, model_type: 'gpt-5' })).code).toBe('BARE_UUID_RESUME_DENIED');
    expect((await w.call('identity', { ...proof, model_type: 'claude-haiku' })).body['uuid']).toBe(uuid);
  });

  it('case 88: answers little by default, and everything when asked', async () => {
    const little = await w.call('onboard');
    expect(little.body).toMatchObject({ response_mode: 'minimal' });
    expect(little.body).not.toHaveProperty('thread_context');
    const all = await w.call('onboard', { response_mode: 'full' });
    expect(all.body).toMatchObject({
      response_mode: 'full',
      continuity_token_supported: true,
      ownership_proof_version: 1,
    });
    expect(JSON.stringify(little.body).length).toBeLessThan(1_600);
  });

  it('cases 1, 5: a secret that the call names in an argument and in a header is one proof; two are a conflict', async () => {
    const [one, two] = [await onboard(w.call), await onboard(w.call)];
    const named = { client_session_id: one.secret };
    expect((await w.call('identity', named, { sessionHeader: one.secret })).body['uuid']).toBe(one.uuid);
    expect((await w.call('identity', {}, { sessionHeader: one.secret })).body['uuid']).toBe(one.uuid);
    expect((await w.call('identity', named, { sessionHeader: two.secret })).code).toBe('IDENTITY_CONFLICT');
  });

  it('a stale secret is refused, and not answered with somebody new', async () => {
    verifies('BW-identity.13');
    const before = await w.count('core.agents');
    const { code, body } = await w.call('onboard', { client_session_id: 'x'.repeat(43) });
    expect(code).toBe('SESSION_UNKNOWN');
    expect(body['success']).toBe(false);
    expect(await w.count('core.agents')).toBe(before);
    const fresh = await w.call('onboard', { client_session_id: 'x'.repeat(43), force_new: true });
    expect(fresh.body).toMatchObject({ is_new: true, identity_resolution_outcome: 'minted_force_new' });
  });
});

describe('a mint', async () => {
  const w = await testWorld();

  it('case A10: is all or nothing', async () => {
    verifies('W3-3.04');
    const tables = ['core.agents', 'core.identities', 'core.bindings', 'core.threads', 'audit.events'];
    const sizes = () => Promise.all(tables.map((table) => w.count(table)));
    await onboard(w.call, {}, HERE);
    const before = await sizes();
    // Whatever the last statement of the transaction is that fails, nothing of the others stays.
    for (const table of ['core.identities', 'core.bindings', 'core.threads', 'audit.events']) {
      await w.rows(
        `CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'stop'; END $$`,
      );
      await w.rows(`CREATE TRIGGER stop BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION stop()`);
      expect((await w.call('onboard', { force_new: true, thread_id: `t-${table}` }, HERE)).code, table).toBe(
        'INTERNAL_ERROR',
      );
      await w.rows(`DROP FUNCTION stop() CASCADE`);
      expect(await sizes(), table).toEqual(before);
    }
    expect(w.node.crashes).toHaveLength(4);
    w.node.crashes.length = 0;
  });

  it('case 34: of two at once in one transport session makes one agent', async () => {
    verifies('BW-identity.04');
    for (let round = 0; round < 10; round += 1) {
      const mcpSessionId = await w.node.identity.createMcpSession();
      const before = await w.count('core.agents');
      const answers = await Promise.all(Array.from({ length: 8 }, () => w.call('onboard', {}, { mcpSessionId })));
      expect(new Set(answers.map(({ body }) => body['uuid'])).size).toBe(1);
      expect(answers.filter(({ body }) => body['is_new'] === true)).toHaveLength(1);
      expect(await w.count('core.agents')).toBe(before + 1);
    }
  });

  it('in one thread gives every agent a place of its own, whoever comes at once', async () => {
    verifies('BW-identity.11');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => w.call('onboard', { thread_id: 'together', response_mode: 'full' })),
    );
    const places = answers.map(({ body }) => (body['thread_context'] as { position: number }).position);
    expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const rows = await w.rows(`SELECT thread_position FROM core.agents WHERE thread_id = 'together'`);
    expect(rows.map((row) => row['thread_position'] as number).toSorted((a, b) => a - b)).toEqual(
      places.toSorted((a, b) => a - b),
    );
  });

  it('inherits the thread of its parent, and opens one of its own otherwise', async () => {
    const full = { response_mode: 'full' };
    const parent = await onboard(w.call, full);
    const thread = (parent.body['thread_context'] as { thread_id: string }).thread_id;
    const child = await onboard(w.call, { ...full, parent_agent_id: parent.uuid, spawn_reason: 'subagent' });
    expect(child.body['thread_context']).toMatchObject({
      thread_id: thread,
      position: 2,
      is_root: false,
      predecessor: { uuid: parent.uuid },
    });
    expect((await onboard(w.call, full)).body['thread_context']).not.toMatchObject({ thread_id: thread });
  });

  it('reports an agent that runs in two processes at once, and does nothing about it', async () => {
    const host = { host_id: 'h', pid: 10, pid_start_time: 1 };
    const { uuid, secret } = await onboard(w.call, { process_fingerprint: host });
    const report = () => w.node.reports.filter(({ agentId }) => agentId === uuid).map(({ type }) => type);
    expect(report()).toEqual([]);
    await onboard(w.call, { client_session_id: secret, process_fingerprint: host });
    expect(report()).toEqual([]);
    await onboard(w.call, { client_session_id: secret, process_fingerprint: { ...host, pid: 11 } });
    expect(report()).toEqual(['identity_concurrent_binding']);
    expect((await w.call('identity', { client_session_id: secret })).body['status']).toBe('active');
  });
});
