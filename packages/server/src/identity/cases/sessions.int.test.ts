import { describe, expect, it } from 'vitest';
import { onboard, operator } from '../../../testing/calls.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld } from '../../../testing/world.ts';
import { credentialHash } from '../binding.ts';
import { Bindings } from '../bindings.ts';
import { DAY_MS } from '../../runtime/index.ts';

const AGENTS = 'core.agents';

describe('a session', async () => {
  const w = await testWorld();

  it('cases 2, 3: a bad token beside a good secret is told in an answer, and not in a refusal', async () => {
    const { secret, token } = await onboard(w.call);
    w.clock.advance(2 * 3_600_000);
    const proof = { client_session_id: secret, continuity_token: token };
    const told = await w.call('check_working_state', proof);
    expect(told.body['identity_warnings']).toMatchObject([{ code: 'continuity_token_invalid' }]);
    const failed = await w.call('agent', { ...proof, action: 'get', target_agent_id: 'nobody' });
    expect(failed.ok).toBe(false);
    expect(failed.body).not.toHaveProperty('identity_warnings');
  });

  it('case 4: one secret is one agent, whatever model calls with it', async () => {
    const { uuid, secret } = await onboard(w.call, { model_type: 'claude' });
    for (const model_type of ['gpt-5', 'claude', 'llama']) {
      expect((await w.call('identity', { client_session_id: secret, model_type })).body['uuid']).toBe(uuid);
    }
  });

  it('case 6: a text that is no secret is refused, and made into no other text', async () => {
    const before = await w.count(AGENTS);
    for (const text of ['../../x', '..', '   ', 'x'.repeat(512), `'; DROP TABLE core.agents; --`]) {
      expect((await w.call('identity', { client_session_id: text })).code).toBe('SESSION_UNKNOWN');
    }
    expect((await w.call('identity', { client_session_id: 'x'.repeat(513) })).code).toBe('PARAMETER_ERROR');
    expect((await w.call('identity', { client_session_id: '' })).body['identity_status']).toBe('unbound');
    expect(await w.count(AGENTS)).toBe(before);
  });

  it('cases 10, 75: a secret that a transport put there is weak, and no proof under strict mode', async () => {
    const { uuid, secret } = await onboard(w.call);
    const injected = { clientSessionId: secret, injected: true, peer: 'p' } as const;
    const resolved = await w.node.identity.resolve(injected);
    expect(resolved).toMatchObject({
      ok: true,
      value: { agentId: uuid, assurance: 'weak', origin: 'server_inferred' },
    });
    if (!resolved.ok) throw new Error('resolved');
    expect(w.node.identity.refusedWrite(resolved.value, 'x')).toBeUndefined();
    w.node.gates.strict = 'enforce';
    expect(w.node.identity.refusedWrite(resolved.value, 'x')?.code).toBe('STRONG_IDENTITY_REQUIRED');
    w.node.gates.strict = 'observe';
  });

  it('cases 31, 46, 47: a read without proof is nobody, a read with a secret is somebody, and neither makes anything', async () => {
    verifies('BW-identity.06');
    const { uuid, secret } = await onboard(w.call);
    const before = [await w.count(AGENTS), await w.count('core.bindings')];
    expect((await w.call('check_working_state')).body['status']).toBe('unbound');
    expect((await w.call('identity')).body['identity_status']).toBe('unbound');
    expect((await w.call('identity', { client_session_id: 'no-such-secret' })).code).toBe('SESSION_UNKNOWN');
    const read = await w.call('check_working_state', { client_session_id: secret });
    expect(read.body['agent_id']).toBe(uuid);
    expect([await w.count(AGENTS), await w.count('core.bindings')]).toEqual(before);
  });

  it('cases 33, 35: resume=false gives another agent, with no parent', async () => {
    const { uuid, secret } = await onboard(w.call);
    const other = await onboard(w.call, { client_session_id: secret, resume: false });
    expect(other.uuid).not.toBe(uuid);
    expect(await w.rows('SELECT parent_agent_id FROM core.agents WHERE id = $1', other.uuid)).toEqual([
      { parent_agent_id: null },
    ]);
    // The secret is still that of the first: nothing of it was handed over.
    expect(other.secret).not.toBe(secret);
    expect((await w.call('identity', { client_session_id: secret })).body['uuid']).toBe(uuid);
  });

  it('cases 43, 58: a handle, a name or a header with an id binds nobody', async () => {
    verifies('BW-identity.02');
    const { uuid, body } = await onboard(w.call, { name: 'Prominent', model_type: 'claude' });
    for (const text of [body['handle'], 'Prominent', uuid, `agent-${uuid.slice(0, 12)}`]) {
      expect((await w.call('identity', { client_session_id: text })).code).toBe('SESSION_UNKNOWN');
    }
    expect((await w.call('identity', { name: 'Prominent' })).body['identity_status']).toBe('unbound');
    for (const args of [{ agent_id: uuid }, { agent_id: 'Prominent' }, { agent_name: 'Prominent' }]) {
      expect((await w.call('identity', args)).body['identity_status']).toBe('unbound');
      expect((await w.call('sync_state', { ...args, response_text: 'x' })).code).toBe('IDENTITY_REQUIRED');
    }
    // Transports hand no header on but those of secrets: X-Agent-Id is none (serve/evidence.ts).
  });

  it('case 44: a credential that is there already keeps its agent', async () => {
    const [one, two] = [await onboard(w.call), await onboard(w.call)];
    const hash = credentialHash(one.secret);
    await w.node.bindings.issue(hash, { kind: 'session', agentId: two.uuid, assurance: 'strong' });
    expect((await w.call('identity', { client_session_id: one.secret })).body['uuid']).toBe(one.uuid);
  });

  it('case 55: the use of a session gives it a whole life again, durably, and a look at an agent of another does not', async () => {
    const { uuid, secret } = await onboard(w.call);
    const expiry = async () =>
      (
        await w.rows(
          'SELECT expires_at, last_seen_at FROM core.bindings WHERE credential_hash = $1',
          credentialHash(secret),
        )
      )[0];
    const born = await expiry();
    w.clock.advance(2 * DAY_MS);
    await w.call('agent', { action: 'get', target_agent_id: uuid });
    await w.node.bindings.renew();
    expect(await expiry()).toEqual(born);
    await w.call('identity', { client_session_id: secret });
    await w.node.bindings.renew();
    expect(await expiry()).toEqual({
      expires_at: (born?.['expires_at'] as number) + 2 * DAY_MS,
      last_seen_at: w.clock.now(),
    });
  });

  it('cases 83, A2: a secret is random, and resolves after a restart', async () => {
    verifies('W3-3.03');
    const { uuid, secret } = await onboard(w.call);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(secret).not.toContain(uuid.slice(0, 8));
    await w.restart();
    const { body } = await w.call('identity', { client_session_id: secret });
    expect(body).toMatchObject({
      uuid,
      session_resolution_source: 'client_session_id',
      identity_assurance: { tier: 'strong' },
    });
    const raw = JSON.stringify(await w.rows('SELECT * FROM core.bindings'));
    expect(raw).not.toContain(secret);
  });

  it('is known to its own call alone: calls at once, and calls after another, see nothing of each other', async () => {
    verifies('W3-3.01');
    const agents = await Promise.all(Array.from({ length: 20 }, () => onboard(w.call)));
    const reads = agents.flatMap(({ uuid, secret }) => [
      w.call('identity', { client_session_id: secret }).then(({ body }) => [body['uuid'], uuid]),
      w.call('identity').then(({ body }) => [body['uuid'], undefined]),
    ]);
    for (const [seen, own] of await Promise.all(reads)) expect(seen).toBe(own);
    const writes = await Promise.all(
      agents.map(({ secret }, i) =>
        i % 2 === 0
          ? w.call('sync_state', { client_session_id: secret, response_text: `work ${i}` })
          : w.call('sync_state', { response_text: `work ${i}` }),
      ),
    );
    expect(writes.map(({ code }) => code)).toEqual(
      agents.map((_, i) => (i % 2 === 0 ? undefined : 'IDENTITY_REQUIRED')),
    );
    const counts = await w.rows(
      'SELECT count(*) AS n FROM core.agent_state s JOIN core.identities i USING (identity_id) WHERE i.agent_id = ANY($1)',
      agents.map(({ uuid }) => uuid),
    );
    expect(counts).toEqual([{ n: 10 }]);
  });

  it('case A1: an expired, a revoked and a pruned session resume nobody, on no node', async () => {
    verifies('BW-identity.05');
    const expired = await onboard(w.call);
    w.clock.advance(30 * DAY_MS + 1);
    const revoked = await onboard(w.call);
    const proof = { client_session_id: revoked.secret };
    expect((await w.call('identity', { ...proof, revoke: 'this' })).body).toMatchObject({ revoked: 1 });
    const deadEnds = async () => {
      for (const { secret } of [expired, revoked]) {
        for (const name of ['identity', 'onboard', 'check_working_state', 'sync_state']) {
          const { code } = await w.call(name, { client_session_id: secret });
          expect(code, name).toBe('SESSION_UNKNOWN');
        }
      }
    };
    await deadEnds();
    await w.restart();
    await deadEnds();
    w.clock.advance(8 * DAY_MS);
    await w.node.bindings.prune();
    await deadEnds();
    expect(await w.count('core.bindings WHERE credential_hash = $1', credentialHash(expired.secret))).toBe(0);
  });

  it('revoke ends what it says: this session, the others, or all', async () => {
    const one = await onboard(w.call);
    const again = await w.call('onboard', {
      agent_uuid: one.uuid,
      continuity_token: one.token,
    });
    const two = again.body['client_session_id'] as string;
    expect(again.body['uuid']).toBe(one.uuid);
    expect(two).not.toBe(one.secret);
    await w.call('identity', { client_session_id: two, revoke: 'others' });
    expect((await w.call('identity', { client_session_id: one.secret })).code).toBe('SESSION_UNKNOWN');
    expect((await w.call('identity', { agent_uuid: one.uuid, continuity_token: one.token })).code).toBe(
      'BARE_UUID_RESUME_DENIED',
    );
    expect((await w.call('identity', { client_session_id: two })).body['uuid']).toBe(one.uuid);
    await w.call('identity', { client_session_id: two, revoke: 'all' });
    expect((await w.call('identity', { client_session_id: two })).code).toBe('SESSION_UNKNOWN');
  });
});

describe('the session of a transport', async () => {
  const w = await testWorld();
  const open = () => w.node.identity.createMcpSession();

  it('cases 22, 23: only a session that the server issued is one; without it two callers of one host stay apart', async () => {
    const { uuid } = await onboard(w.call);
    expect((await w.call('identity')).body['identity_status']).toBe('unbound');
    const other = await onboard(w.call);
    expect(other.uuid).not.toBe(uuid);
    expect(await w.node.identity.mcpSessionKnown('made-up')).toBe(false);
    expect((await w.call('identity', {}, { mcpSessionId: 'made-up' })).body['identity_status']).toBe('unbound');
  });

  it('case 24: two of one host are two bindings', async () => {
    const [one, two] = [await open(), await open()];
    const a = await onboard(w.call, {}, { mcpSessionId: one });
    const b = await onboard(w.call, {}, { mcpSessionId: two });
    expect(a.uuid).not.toBe(b.uuid);
    const { body } = await w.call('identity', {}, { mcpSessionId: one });
    expect(body).toMatchObject({ uuid: a.uuid, client_session_id: expect.any(String) as string });
    const elsewhere = await w.call('identity', { client_session_id: body['client_session_id'] });
    expect(elsewhere.body).toMatchObject({ uuid: a.uuid, identity_assurance: { tier: 'medium' } });
    // To look at itself again costs no new secret.
    const credentials = await w.count('core.bindings');
    expect((await w.call('identity', {}, { mcpSessionId: one })).body['client_session_id']).toBe(
      body['client_session_id'],
    );
    expect(await w.count('core.bindings')).toBe(credentials);
    expect((await w.call('identity', {}, { mcpSessionId: two })).body['uuid']).toBe(b.uuid);
  });

  it('cases 29, 30: outlives a restart with the same proof, and the status of its agent needs no lookup', async () => {
    verifies('W3-3.02', 'W3-3.07');
    const mcpSessionId = await open();
    const { uuid } = await onboard(w.call, {}, { mcpSessionId });
    await w.restart();
    const evidence = { peer: 'p', mcpSessionId };
    const before = w.queries;
    const resolved = w.node.identity.resolve(evidence);
    expect(resolved).not.toBeInstanceOf(Promise);
    expect(resolved).toMatchObject({ ok: true, value: { agentId: uuid, source: 'mcp_session', assurance: 'medium' } });
    expect(w.node.agents.table.read(uuid)).toMatchObject({ ok: true, value: { status: 'active' } });
    expect(w.queries).toBe(before);
  });

  it('cases 26, 34: a mint leaves a tied session alone; force_new and bind_session replace what it is tied to', async () => {
    verifies('W3-3.02');
    const mcpSessionId = await open();
    const seen = { mcpSessionId };
    const first = await onboard(w.call, {}, seen);
    expect((await onboard(w.call, {}, seen)).uuid).toBe(first.uuid);
    const second = await onboard(w.call, { force_new: true }, seen);
    expect(second.uuid).not.toBe(first.uuid);
    expect((await w.call('identity', {}, seen)).body['uuid']).toBe(second.uuid);
    const bound = await w.call('bind_session', { client_session_id: first.secret, resume: true }, seen);
    expect(bound.body).toMatchObject({ bound: true, agent_uuid: first.uuid });
    expect((await w.call('identity', {}, seen)).body['uuid']).toBe(first.uuid);
    await w.restart();
    expect((await w.call('identity', {}, seen)).body['uuid']).toBe(first.uuid);
  });

  it('case 27: binds nobody after a day without use', async () => {
    const mcpSessionId = await open();
    await onboard(w.call, {}, { mcpSessionId });
    w.clock.advance(DAY_MS + 1);
    expect(await w.node.identity.mcpSessionKnown(mcpSessionId)).toBe(false);
    expect((await w.call('identity', {}, { mcpSessionId })).body['identity_status']).toBe('unbound');
  });

  it('case 28: is forgotten when it is over, and never because there are many', async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, open));
    await w.node.bindings.prune();
    for (const id of sessions) expect(await w.node.identity.mcpSessionKnown(id)).toBe(true);
    const before = w.node.bindings.size;
    w.clock.advance(9 * DAY_MS);
    await w.node.bindings.prune();
    expect(w.node.bindings.size).toBeLessThanOrEqual(before - 50);
    expect(await w.count(`core.bindings WHERE kind = 'mcp_session'`)).toBe(0);
  });

  it('case 36: a token beside its uuid goes before what the session is tied to, and a secret does', async () => {
    const mcpSessionId = await open();
    const tied = await onboard(w.call, {}, { mcpSessionId });
    const other = await onboard(w.call);
    const byToken = { agent_uuid: other.uuid, continuity_token: other.token };
    expect((await w.call('identity', byToken, { mcpSessionId })).body['uuid']).toBe(other.uuid);
    expect((await w.call('identity', { client_session_id: other.secret }, { mcpSessionId })).body['uuid']).toBe(
      other.uuid,
    );
    expect((await w.call('identity', {}, { mcpSessionId })).body['uuid']).toBe(tied.uuid);
  });

  it('is not told by a credential that another node revoked a moment ago', async () => {
    const { secret } = await onboard(w.call);
    const other = new Bindings({
      database: w.database,
      clock: w.clock,
      notifier: { announce: () => undefined, onChange: () => undefined, onGap: () => undefined } as never,
    });
    await other.change({
      text: `UPDATE core.bindings SET revoked_at = $2 WHERE credential_hash = $1
             RETURNING credential_hash, kind, agent_id, assurance, expires_at, revoked_at, name, scopes`,
      values: [credentialHash(secret), new Date(w.clock.now()).toISOString()],
    });
    // The announcement was lost; for what only reads, the reconciliation of every minute is what is left.
    expect((await w.call('check_working_state', { client_session_id: secret })).ok).toBe(true);
    await w.node.bindings.reconcile();
    expect((await w.call('check_working_state', { client_session_id: secret })).code).toBe('SESSION_UNKNOWN');
  });
});

describe('when PostgreSQL does not answer', async () => {
  const w = await testWorld();

  it('cases 14, 32, 35, 38, 39, 70: what memory knows goes on; the rest is refused, and never unbound or minted', async () => {
    verifies('BW-identity.01', 'BW-identity.13');
    const { uuid, secret } = await onboard(w.call);
    const read = await operator(w.node, w.database, 'operator:read', 'reader');
    const agents = await w.count(AGENTS);
    w.cutOff(true);
    expect((await w.call('check_working_state', { client_session_id: secret })).body['agent_id']).toBe(uuid);
    // From another address, too: a secret is not tied to one.
    const elsewhere = { address: '203.0.113.9', userAgent: 'other/2' };
    expect((await w.call('check_working_state', { client_session_id: secret }, elsewhere)).ok).toBe(true);
    for (const name of ['identity', 'onboard', 'check_working_state', 'sync_state']) {
      expect((await w.call(name, { client_session_id: 'unknown' })).code, name).toBe('STORAGE_UNAVAILABLE');
    }
    expect((await w.call('onboard')).code).toBe('STORAGE_UNAVAILABLE');
    expect((await w.call('agent', {}, { operatorSecret: read })).code).toBe('STORAGE_UNAVAILABLE');
    w.cutOff(false);
    expect(await w.count(AGENTS)).toBe(agents);
    expect(w.node.crashes).toEqual([]);
  });
});
