import { afterAll, describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
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
});
