import { ERRORS } from '@breakwater/contract';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { armFault, disarmFault } from '../runtime/testing/faults.ts';
import { insertSaga } from './saga-sql.ts';
import { entryOf } from './rules/change.ts';
import { insertMessages } from './sql.ts';
import { load, payloadOf, reserve, review, sagasOf } from './testing/saga-fixture.ts';

describe('a resolution', async () => {
  const w = await testWorld();
  afterEach(() => disarmFault());
  afterAll(() => w.node.stop());

  it('that is being carried out is a conflict to whoever speaks again, which passes', async () => {
    verifies('W3-9.02');
    const { session, paused, peer } = await review(w);
    const said = (agentId: string) =>
      entryOf(
        'synthesis',
        { agentId, agrees: true, conditions: ['Set complexity to 0.4'], rootCause: 'rc' },
        w.clock.now(),
      );
    await w.database.query(insertMessages(session.sessionId, [said(paused.uuid), said(peer.uuid)]));
    const row = await reserve(w, w.node.saga, session);
    armFault('saga.reserved', 1, () => {
      throw new Error('died');
    });
    await expect(w.node.saga.drive(row!)).rejects.toThrow('died');
    const again = () =>
      w.call('submit_synthesis', {
        client_session_id: peer.secret,
        session_id: session.sessionId,
        agrees: true,
        proposed_conditions: ['Set complexity to 0.4'],
        root_cause: 'rc',
      });
    expect(await again()).toMatchObject({ ok: false, code: 'SAGA_IN_FLIGHT' });
    // Over a route that is no tool call it is HTTP 409; a tool's refusal is its answer.
    expect(ERRORS.SAGA_IN_FLIGHT).toMatchObject({ category: 'state_error', status: 200 });
    expect(await sagasOf(w, session)).toHaveLength(1);
    w.clock.advance(11_000);
    await w.node.saga.recover();
    expect((await load(w, session)).phase).toBe('resolved');
    expect((await again()).code).toBe('INVALID_PHASE');
  });

  it('is told from another by its terms and by what becomes of the session, and from one that was taken back by nothing', async () => {
    verifies('W3-9.03');
    const { session } = await review(w);
    const payload = payloadOf('hashed');
    const row = await reserve(w, w.node.saga, session, payload);
    expect(row?.resolution_payload_hash).toBe(`resolved:${payload.resolutionHash}`);
    await w.node.saga.drive(row!);
    const begin = (hash: string) =>
      w.database.query(
        insertSaga({
          sagaId: crypto.randomUUID(),
          sessionId: session.sessionId,
          pausedAgentId: session.pausedAgentId,
          reviewerAgentId: null,
          agentIds: [],
          payload: {},
          hash,
          now: w.clock.now(),
        }),
      );
    const taken = (hash: string) =>
      w.rows(
        `UPDATE coordination.session_resolution_sagas SET state = 'reverted', reverted_at = now()
              WHERE resolution_payload_hash = $1 RETURNING saga_id`,
        hash,
      );
    expect(await begin(`resolved:${payload.resolutionHash}`)).toEqual([]);
    expect(await begin(`failed:${payload.resolutionHash}`)).toHaveLength(1);
    expect(await taken(`failed:${payload.resolutionHash}`)).toHaveLength(1);
    expect(await begin(`failed:${payload.resolutionHash}`)).toHaveLength(1);
  });
});
