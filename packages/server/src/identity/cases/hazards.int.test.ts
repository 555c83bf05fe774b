import { describe, expect, it } from 'vitest';
import { onboard } from '../../../testing/calls.ts';
import { verifies } from '../../../testing/verifies.ts';
import { testWorld } from '../../../testing/world.ts';
import { credentialHash } from '../binding.ts';
import { HOUR_MS } from '../../runtime/index.ts';

/** The hazards of the specification that need a fault or a clock to show themselves; the rest attack a running server. */
describe('hazards', async () => {
  const w = await testWorld();

  it('hazard 1: an error while the caller is found out is a refusal, and not a caller without identity', async () => {
    verifies('BW-identity.01');
    const before = await w.count('core.agents');
    w.cutOff(true);
    const open = await w.call('identity', { client_session_id: 'never-seen' });
    const mint = await w.call('onboard', { client_session_id: 'never-seen' });
    w.cutOff(false);
    expect([open.code, mint.code]).toEqual(['STORAGE_UNAVAILABLE', 'STORAGE_UNAVAILABLE']);
    expect(await w.count('core.agents')).toBe(before);
  });

  it('hazard 2: an error in the check of a claim is a refusal, and the call does not go on without the check', async () => {
    const { secret } = await onboard(w.call);
    w.cutOff(true);
    const foreign = { client_session_id: secret, agent_id: crypto.randomUUID(), response_text: 'x' };
    const { ok } = await w.call('sync_state', foreign);
    w.cutOff(false);
    expect(ok).toBe(false);
  });

  it('hazard 3: a restart gives no credential a longer life', async () => {
    verifies('BW-identity.05', 'W3-3.02');
    const mcpSessionId = await w.node.identity.createMcpSession();
    const { uuid } = await onboard(w.call, {}, { mcpSessionId });
    w.clock.advance(24 * HOUR_MS - 1_000);
    await w.restart();
    // Known still, and not used: a look at it is not a use.
    expect(await w.node.identity.mcpSessionKnown(mcpSessionId)).toBe(true);
    w.clock.advance(2_000);
    expect(await w.node.identity.mcpSessionKnown(mcpSessionId)).toBe(false);
    const { body } = await w.call('identity', {}, { mcpSessionId });
    expect(body['identity_status']).toBe('unbound');
    expect(
      await w.rows('SELECT agent_id FROM core.bindings WHERE credential_hash = $1', credentialHash(mcpSessionId)),
    ).toEqual([{ agent_id: uuid }]);
  });

  it('hazard 4: callers with secrets that nobody issued leave nothing in memory', async () => {
    await onboard(w.call);
    const before = [w.node.bindings.size, w.node.agents.table.size];
    for (let i = 0; i < 300; i += 1) {
      await w.call('identity', { client_session_id: `guess-${i}` });
      await w.call('identity', { agent_uuid: crypto.randomUUID(), continuity_token: `v1.${i}.x` });
    }
    expect([w.node.bindings.size, w.node.agents.table.size]).toEqual(before);
  });

  it('hazard 5: a mint that fails half-way is no agent at all', async () => {
    verifies('W3-3.04');
    const before = await w.count('core.agents');
    await w.rows(
      `ALTER TABLE core.identities ADD CONSTRAINT no_more CHECK (created_at < now() - interval '1 day') NOT VALID`,
    );
    const { ok, body } = await w.call('onboard', { force_new: true });
    await w.rows('ALTER TABLE core.identities DROP CONSTRAINT no_more');
    expect(ok).toBe(false);
    expect(body).not.toHaveProperty('uuid');
    expect(await w.count('core.agents')).toBe(before);
    w.node.crashes.length = 0;
  });

  it('hazard 11: a change of a record that did not become durable is not reported as made', async () => {
    const { uuid, secret } = await onboard(w.call);
    const proof = { client_session_id: secret };
    const asked = { ...proof, action: 'update', purpose: 'changed' };
    w.cutOff(true);
    const cut = await w.call('agent', asked);
    w.cutOff(false);
    expect(cut.ok).toBe(false);
    const now = await w.call('agent', { ...proof, action: 'get' });
    const stored = await w.rows('SELECT purpose FROM core.agents WHERE id = $1', uuid);
    expect([now.body['purpose'], stored[0]?.['purpose']]).toEqual([null, null]);
  });

  it('hazard 15: what is expired or ended is not read, by any way', async () => {
    verifies('BW-identity.05');
    const { uuid, secret, token } = await onboard(w.call);
    w.clock.advance(31 * 24 * HOUR_MS);
    for (const args of [{ client_session_id: secret }, { agent_uuid: uuid, continuity_token: token }]) {
      expect((await w.call('identity', args)).code).toMatch(/SESSION_UNKNOWN|CONTINUITY_TOKEN_EXPIRED/);
    }
    await w.restart();
    expect((await w.call('identity', { client_session_id: secret })).code).toBe('SESSION_UNKNOWN');
  });
});
