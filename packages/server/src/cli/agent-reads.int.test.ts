import { afterAll, describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { onboard } from '../../testing/calls.ts';
import { testWorld } from '../../testing/world.ts';
import { KINDS } from './export/kinds.ts';
import { updateFor } from '../feed/index.ts';
import { armFault, disarmFault } from '../runtime/testing/faults.ts';
import { reserve, review } from '../dialectic/testing/saga-fixture.ts';

const OPERATOR = { agentId: undefined, operator: true };

describe('what is read of an agent', async () => {
  const w = await testWorld();
  afterAll(() => w.node.stop());

  it('says, wherever it is read, that a resolution about it is being carried out, and then that it is not', async () => {
    verifies('W3-9.20');
    const { session, paused, peer } = await review(w);
    const told: unknown[] = [];
    const unsubscribe = w.node.feed.subscribe(({ updates }) => {
      for (const update of updates) told.push(updateFor(update, OPERATOR)['is_stable']);
    });
    const read = async (name: string, secret: string, args = {}) =>
      (await w.call(name, { client_session_id: secret, ...args })).body;
    /** Each read of both agents, by its name. */
    const reads = async (): Promise<Record<string, unknown[]>> => {
      const found: Record<string, unknown[]> = {};
      const both = async (name: string, ask: (agent: typeof paused) => Promise<unknown>) => {
        found[name] = [await ask(paused), await ask(peer)];
      };
      await both('onboard', async ({ secret }) => (await read('onboard', secret))['is_stable']);
      await both('identity', async ({ secret }) => (await read('identity', secret))['is_stable']);
      await both('state', async ({ secret }) => (await read('check_working_state', secret))['is_stable']);
      await both('get', async ({ secret }) => (await read('agent', secret, { action: 'get' }))['is_stable']);
      await both('list', async ({ uuid, secret }) => {
        const { agents } = await read('agent', secret, { action: 'list', status_filter: 'all' });
        return (agents as { id: string; is_stable: unknown }[]).find(({ id }) => id === uuid)?.is_stable;
      });
      const rows = await w.database.query<{ row: { agent_id: string; is_stable: unknown } }>(
        KINDS.agents.statement({ from: 0, to: w.clock.now() + 1 }),
      );
      await both('export', async ({ uuid }) => rows.find(({ row }) => row.agent_id === uuid)?.row.is_stable);
      told.length = 0;
      expect(await read('sync_state', peer.secret, { response_text: crypto.randomUUID() })).toMatchObject({
        success: true,
      });
      w.clock.advance(1_000);
      found['feed'] = [...told];
      return found;
    };
    const each = (stable: boolean) => ({
      ...Object.fromEntries(
        ['onboard', 'identity', 'state', 'get', 'list', 'export'].map((name) => [name, [stable, stable]]),
      ),
      feed: [stable],
    });

    const { saga } = w.node;
    const row = await reserve(w, saga, session);
    armFault('saga.both_agents_applied', 1, () => {
      throw new Error('died');
    });
    await expect(saga.drive(row!)).rejects.toThrow('died');
    disarmFault();
    expect(await reads()).toEqual(each(false));
    w.clock.advance(11_000);
    await saga.recover();
    expect(await reads()).toEqual(each(true));
    unsubscribe();
  });

  it('has the same record of its claims, and the same coverage, wherever it is read', async () => {
    verifies('BW-outcomes.06');
    const { uuid, secret } = await onboard(w.call, { force_new: true });
    const call = async (name: string, args = {}) => (await w.call(name, { client_session_id: secret, ...args })).body;
    let told: Record<string, unknown> = {};
    for (const passes of [true, false, false]) {
      const { prediction_id } = await call('sync_state', { response_text: crypto.randomUUID(), confidence: 0.9 });
      told = await call('record_result', {
        prediction_id,
        outcome_type: passes ? 'test_passed' : 'test_failed',
        detail: { command: 'npm test', exit_code: passes ? 0 : 1 },
      });
    }
    await call('sync_state', { response_text: crypto.randomUUID(), confidence: 0.5 });
    const record = { graded: 3, pass_rate: 0.3333, mean_claim: 0.9, mean_gap: 0.5667 };
    expect(told['record']).toEqual(record);
    expect(JSON.stringify(told).length).toBeLessThan(1024);
    const state = await call('check_working_state');
    // Nothing holds it, so it is called what its risk says.
    expect(state).toMatchObject({ record, coverage: { made: 4, settled: 3, unobserved: 1, share: 1 } });
    expect((state['metrics'] as Record<string, unknown>)['verdict']).not.toBe('paused');
    expect(JSON.stringify(state).length).toBeLessThan(2048);
    expect(await call('agent', { action: 'get' })).toMatchObject({ record });
    const { agents } = await call('agent', { action: 'list' });
    expect((agents as { id: string }[]).find(({ id }) => id === uuid)).toMatchObject({
      record,
      coverage: { claims: 4, settled: 3, expired: 0, unobserved: 1 },
    });
    const window = { from: 0, to: w.clock.now() + 1 };
    const [row] = (await w.database.query<{ row: Record<string, unknown> }>(KINDS.agents.statement(window)))
      .filter((one) => one.row['agent_id'] === uuid)
      .map((one) => KINDS.agents.shape?.(one.row));
    expect(row).toMatchObject({ ...record, coverage: 1, claims_made: 4, claims_unobserved: 1, is_paused: false });
    const states = (await w.database.query<{ row: Record<string, unknown> }>(KINDS.states.statement(window)))
      .map((one) => one.row)
      .filter((one) => one['agent_id'] === uuid);
    expect(states.at(-1)).toMatchObject({ ...record, claims_made: 4, claims_settled: 3, claims_unobserved: 1 });
    expect(states[0]).toMatchObject({ graded: 0, pass_rate: null, claims_made: 1 });
  });

  it('is nowhere safe while it is paused', async () => {
    const parent = await onboard(w.call, { force_new: true });
    const call = async (secret: string, name: string, args = {}) =>
      (await w.call(name, { client_session_id: secret, ...args })).body;
    for (let i = 0; i < 2; i += 1) {
      await call(parent.secret, 'sync_state', {
        response_text: crypto.randomUUID(),
        recent_tool_results: [{ tool: 'npm', summary: 'ok', exit_code: 0 }],
      });
    }
    const safe = JSON.stringify(await call(parent.secret, 'agent', { action: 'get' }));
    expect(safe).toContain('"risk_word":"safe"');
    await w.database.query({
      text: `UPDATE core.identities SET status = 'paused', pause = '{"expires_at": null, "reason": "x", "paused_at": "2026-01-01T00:00:00Z",
        "actuation_id": "a", "sub_action": "operator_pause", "evidence": {}}' WHERE agent_id = $1`,
      values: [parent.uuid],
    });
    await w.restart();
    for (const [name, args] of [
      ['check_working_state', {}],
      ['agent', { action: 'get' }],
      ['agent', { action: 'list', status_filter: 'all' }],
    ] as const) {
      const text = JSON.stringify(await call(parent.secret, name, args));
      expect(text, name).toContain('paused');
      expect(text, name).not.toContain('"safe"');
    }
    const rows = await w.database.query<{ row: Record<string, unknown> }>(
      KINDS.agents.statement({ from: 0, to: w.clock.now() + 1 }),
    );
    const mine = rows.find(({ row }) => row['agent_id'] === parent.uuid)?.row;
    expect(KINDS.agents.shape?.(mine ?? {})).toMatchObject({ is_paused: true, vitals: { risk_word: 'paused' } });
  });
});
