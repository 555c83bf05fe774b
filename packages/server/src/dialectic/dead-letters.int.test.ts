import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { onboard } from '../../testing/calls.ts';
import { testNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { systemIds } from '../runtime/index.ts';
import { armFault, disarmFault } from '../runtime/testing/faults.ts';
import { isDeadLetter, listSagas, retrySaga, revertSaga } from './dead-letters.ts';
import { entryOf } from './rules/change.ts';
import { stageAgent, type SagaRow } from './saga-sql.ts';
import type { SagaPayload } from './saga.ts';
import type { Session } from './session.ts';
import { insertMessages, insertSession, lockSession, selectSession, sessionFromRow, updateSession } from './sql.ts';

const ATTEMPTS = 5;
const LEASE_MS = 10_000;
const NOBODY = '00000000-0000-4000-8000-000000000000';

let serial = 0;
const payloadOf = (): SagaPayload => ({
  resolution: {
    action: 'resume',
    conditions: ['plain words'],
    rootCause: 'rc',
    reasoning: 'r',
    timestamp: '2026-01-01T00:00:00.000Z',
    signatureA: '',
    signatureB: '',
    signatureVersion: 2,
  },
  resolutionHash: `hash ${(serial += 1)}`,
  conditions: [{ text: 'plain words', kind: 'note' }],
  synthesizer: null,
});

/** A paused agent, and a review of it whose last word is an agreement. */
const agreed = async (w: World) => {
  const paused = await onboard(w.call, { force_new: true });
  const peer = await onboard(w.call, { force_new: true });
  await w.rows(
    `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
       pause = '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","expires_at":"2099-01-01T00:00:00.000Z",
                 "sub_action":"claims_pause","reason":"r","evidence":{}}' WHERE agent_id = $1`,
    paused.uuid,
  );
  await w.node.agents.refresh([paused.uuid]);
  const at = w.clock.now();
  const session: Session = {
    sessionId: `letter-${(serial += 1)}`,
    pausedAgentId: paused.uuid,
    reviewerAgentId: peer.uuid,
    phase: 'synthesis',
    sessionType: 'review',
    createdAt: at,
    lastParticipantAt: at,
    round: 1,
    maxRounds: 5,
    awaitingFacilitation: false,
    facilitationSince: null,
    topic: null,
    reason: null,
    triggerSource: null,
    discoveryId: null,
    disputeType: null,
    pausedAgentState: {},
    messages: [],
    resolution: null,
    confirmation: null,
  };
  await w.database.query(insertSession(session));
  const word = { agentId: peer.uuid, rootCause: 'rc', conditions: ['plain words'], agrees: true };
  await w.database.query(insertMessages(session.sessionId, [entryOf('synthesis', word, at)]));
  return { session, paused };
};

const reserve = async (w: World, session: Session): Promise<SagaRow> => {
  const row = await w.database.transaction(async (tx) => {
    await tx.query(lockSession(session.sessionId));
    return w.node.saga.reserve(tx, session, payloadOf());
  });
  if (row === undefined) throw new Error('the saga was not begun');
  return row;
};

/** Lets no resolution be committed any more, until it is mended. */
const breakCommits = async (w: World) => {
  await w.rows(`CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$`);
  await w.rows('CREATE TRIGGER never BEFORE INSERT ON coordination.outbox FOR EACH ROW EXECUTE FUNCTION never()');
  return { mend: () => w.rows('DROP FUNCTION never() CASCADE') };
};

const failFiveTimes = async (w: World): Promise<void> => {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    w.clock.advance(LEASE_MS + 1);
    await w.node.saga.recover();
  }
};

/** A saga that failed until it was given up; what made it fail is gone. */
const deadLetter = async (w: World) => {
  const review = await agreed(w);
  const row = await reserve(w, review.session);
  const { mend } = await breakCommits(w);
  await expect(w.node.saga.drive(row)).rejects.toThrow('never');
  await failFiveTimes(w);
  await mend();
  expect(w.node.deadLetters).toContain(row.saga_id);
  return { ...review, row, sagaId: row.saga_id };
};

const load = async (w: World, { sessionId }: Session) =>
  sessionFromRow((await w.database.query<Parameters<typeof sessionFromRow>[0]>(selectSession(sessionId)))[0]!);
const statusOf = async (w: World, { pausedAgentId }: Session) =>
  (await w.rows('SELECT status FROM core.identities WHERE agent_id = $1', pausedAgentId))[0]?.['status'];
const rowOf = async (w: World, sagaId: string) =>
  (await w.rows('SELECT * FROM coordination.session_resolution_sagas WHERE saga_id = $1', sagaId))[0]!;
const eventsOf = (w: World, { pausedAgentId }: Session) =>
  w.rows(
    `SELECT event_type, chain_index, payload FROM audit.events
     WHERE agent_id = $1 AND event_type LIKE 'saga\\_%' ORDER BY ts`,
    pausedAgentId,
  );
const actOf = (w: World, sagaId: string) => ({ sagaId, by: 'ann', now: w.clock.now(), ids: systemIds });
const retry = (w: World, sagaId: string) => retrySaga(w.database, actOf(w, sagaId));
const revert = (w: World, sagaId: string, force = false, reason = 'gone for good') =>
  revertSaga(w.database, { ...actOf(w, sagaId), force, reason });

/** Nothing of the resolution was applied, and nothing of the saga is left over. */
const expectTakenBack = async (w: World, session: Session, sagaId: string) => {
  expect((await load(w, session)).phase).toBe('failed');
  expect(await statusOf(w, session)).toBe('paused');
  expect(await w.trail(session.pausedAgentId)).not.toContain('lifecycle_resumed');
  expect(await rowOf(w, sagaId)).toMatchObject({ state: 'reverted', pg_committed_at: null });
  expect(await w.count('coordination.saga_reservations WHERE saga_id = $1', sagaId)).toBe(0);
  expect(await w.count('coordination.saga_stages WHERE saga_id = $1', sagaId)).toBe(0);
  expect(await w.count('coordination.outbox WHERE saga_id = $1', sagaId)).toBe(0);
};

afterEach(() => disarmFault());

describe('a dead letter', async () => {
  const w = await testWorld();

  it('is listed with its error before what is under way, and what has ended only when it is asked for', async () => {
    verifies('W3-9.16');
    const ended = await agreed(w);
    const { saga_id: endedId } = await reserve(w, ended.session);
    await w.node.saga.recover(true);
    const { sagaId, session } = await deadLetter(w);
    const running = await agreed(w);
    const { saga_id: runningId } = await reserve(w, running.session);
    // As old as can be, and yet after the dead letter.
    await w.rows(
      `UPDATE coordination.session_resolution_sagas SET created_at = '2020-01-01Z' WHERE saga_id = $1`,
      runningId,
    );
    const open = await listSagas(w.database, false);
    expect(open.map((saga) => [saga.sagaId, isDeadLetter(saga)])).toEqual([
      [sagaId, true],
      [runningId, false],
    ]);
    expect(open[0]).toEqual({
      sagaId,
      sessionId: session.sessionId,
      pausedAgentId: session.pausedAgentId,
      reviewerAgentId: session.reviewerAgentId,
      state: 'both_agents_applied',
      attempts: ATTEMPTS,
      lastError: 'never',
      createdAt: session.createdAt,
      deadLetterAt: expect.any(Number) as number,
    });
    const all = await listSagas(w.database, true);
    expect(all.map((saga) => saga.sagaId)).toEqual([sagaId, runningId, endedId]);
    await retry(w, sagaId);
    await w.node.saga.recover(true);
    expect(await listSagas(w.database, false)).toEqual([]);
  });

  it('that is retried is carried out by the next recovery', async () => {
    verifies('W3-9.16');
    const { sagaId, session } = await deadLetter(w);
    w.clock.advance(LEASE_MS + 1);
    await w.node.saga.recover();
    expect(await statusOf(w, session), 'it waits for an operator').toBe('paused');

    expect(await retry(w, sagaId)).toMatchObject({ ok: true, value: { sagaId, attempts: 0, deadLetterAt: null } });
    expect(await w.node.saga.recover()).toEqual([{ kind: 'committed', applied: true }]);
    expect(await statusOf(w, session)).toBe('active');
    expect(await load(w, session)).toMatchObject({ phase: 'resolved', awaitingFacilitation: false });
    expect(w.node.saga.isStable(session.pausedAgentId)).toBe(true);
    expect(await eventsOf(w, session)).toEqual([
      {
        event_type: 'saga_retried',
        chain_index: null,
        payload: {
          saga_id: sagaId,
          session_id: session.sessionId,
          state: 'both_agents_applied',
          dead_letter: true,
          attempts: ATTEMPTS,
          last_error: 'never',
          by: 'ann',
        },
      },
    ]);
  });

  it('that several retry at once is given back once', async () => {
    const { sagaId, session } = await deadLetter(w);
    const given = await Promise.all(Array.from({ length: 8 }, () => retry(w, sagaId)));
    expect(given.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await eventsOf(w, session)).toHaveLength(1);
    expect(await w.node.saga.recover(true)).toEqual([{ kind: 'committed', applied: true }]);
  });

  it('that is retried in vain is tried as often again, and given up again', async () => {
    verifies('W3-9.16');
    const { sagaId } = await deadLetter(w);
    const { mend } = await breakCommits(w);
    expect(await retry(w, sagaId)).toMatchObject({ ok: true });
    await failFiveTimes(w);
    await mend();
    expect(w.node.deadLetters.filter((letter) => letter === sagaId)).toHaveLength(2);
    expect(await rowOf(w, sagaId)).toMatchObject({ attempt_count: ATTEMPTS, last_error: 'never' });
    expect(await revert(w, sagaId)).toMatchObject({ ok: true });
  });

  it('that is reverted leaves the agent paused and free, and its review failed, with who and why on record', async () => {
    verifies('W3-9.16');
    const { sagaId, session } = await deadLetter(w);
    expect(await load(w, session)).toMatchObject({ phase: 'synthesis', awaitingFacilitation: true });
    expect(await w.count('coordination.saga_stages WHERE saga_id = $1', sagaId)).toBe(2);
    const { epoch } = await rowOf(w, sagaId);

    expect(await revert(w, sagaId, false, '  the agent was retired ')).toMatchObject({
      ok: true,
      value: { saga: { sagaId, state: 'reverted' }, endedSession: true },
    });
    await expectTakenBack(w, session, sagaId);
    expect((await listSagas(w.database, true)).filter(isDeadLetter)).toEqual([]);
    expect(await rowOf(w, sagaId)).toMatchObject({ epoch: (epoch as number) + 1, reverted_at: w.clock.now() });
    const stored = await load(w, session);
    expect(stored).toMatchObject({ awaitingFacilitation: false, facilitationSince: null, resolution: null });
    expect(stored.messages.at(-1)).toMatchObject({
      type: 'failed',
      agentId: 'system',
      at: w.clock.now(),
      reasoning: 'The resolution was taken back by ann: the agent was retired',
    });
    expect(await eventsOf(w, session)).toMatchObject([
      {
        event_type: 'saga_reverted',
        chain_index: null,
        payload: {
          saga_id: sagaId,
          session_id: session.sessionId,
          state: 'both_agents_applied',
          dead_letter: true,
          by: 'ann',
          reason: 'the agent was retired',
          ended_session: true,
        },
      },
    ]);
  });

  it('that is reverted stays so: its agreement is not begun again, and the agent can have another review', async () => {
    verifies('W3-9.16', 'W3-9.22');
    const { sagaId, session } = await deadLetter(w);
    expect(await revert(w, sagaId)).toMatchObject({ ok: true });
    w.clock.advance(2 * LEASE_MS);
    expect(await w.node.dialectic.driveAgreed(w.clock.now() + 1_000)).toBe(0);
    await w.node.saga.recover(true);
    await expectTakenBack(w, session, sagaId);

    const next = { ...session, sessionId: `letter-${(serial += 1)}`, createdAt: w.clock.now() };
    expect(await w.database.query(insertSession(next))).toHaveLength(1);
    expect(await w.node.saga.drive(await reserve(w, next))).toEqual({ kind: 'committed', applied: true });
    expect(await statusOf(w, next)).toBe('active');
  });

  it('whose review had ended is reverted, and the review left as it was', async () => {
    const { sagaId, session } = await deadLetter(w);
    const before = { ...(await load(w, session)), phase: 'failed' as const };
    await w.database.query(updateSession(before, w.clock.now()));
    expect(await revert(w, sagaId)).toMatchObject({ ok: true, value: { endedSession: false } });
    await expectTakenBack(w, session, sagaId);
    expect(await load(w, session)).toEqual(before);
  });

  it('that is reverted frees its agents on every node', async () => {
    verifies('W3-9.16');
    const { sagaId, session } = await deadLetter(w);
    const node = await testNode(w.database, { listen: true });
    onTestFinished(() => node.stop());
    const parties = [session.pausedAgentId, session.reviewerAgentId ?? ''];
    expect(parties.map((agentId) => node.saga.isStable(agentId))).toEqual([false, false]);
    await revert(w, sagaId);
    await expect.poll(() => parties.map((agentId) => node.saga.isStable(agentId))).toEqual([true, true]);
  });
});

describe('a saga that was not given up', async () => {
  const w = await testWorld();
  const SHUT = { ok: false, refusal: { code: 'SAGA_IN_FLIGHT' } };
  const OVER = { ok: false, refusal: { code: 'INVALID_PHASE' } };
  const WRONG = { ok: false, refusal: { code: 'PARAMETER_ERROR' } };

  it('is neither retried nor reverted while it is under way, unless that is forced', async () => {
    verifies('W3-9.16');
    const { session } = await agreed(w);
    const { saga_id: sagaId } = await reserve(w, session);
    const before = await rowOf(w, sagaId);
    expect(await retry(w, sagaId)).toMatchObject(SHUT);
    const shut = await revert(w, sagaId);
    expect(shut).toMatchObject(SHUT);
    expect(JSON.stringify(shut)).toContain('--force');
    expect(await rowOf(w, sagaId)).toEqual(before);
    expect(await load(w, session)).toMatchObject({ phase: 'synthesis' });
    expect(await eventsOf(w, session)).toEqual([]);

    expect(await revert(w, sagaId, true)).toMatchObject({ ok: true, value: { endedSession: true } });
    await expectTakenBack(w, session, sagaId);
    expect(await eventsOf(w, session)).toMatchObject([{ payload: { state: 'reserved', dead_letter: false } }]);
  });

  it('is final once it has ended', async () => {
    verifies('W3-9.16');
    const carried = await agreed(w);
    const row = await reserve(w, carried.session);
    await w.node.saga.drive(row);
    const taken = await agreed(w);
    const { saga_id: takenId } = await reserve(w, taken.session);
    await revert(w, takenId, true);
    for (const sagaId of [row.saga_id, takenId]) {
      const before = await rowOf(w, sagaId);
      expect(await retry(w, sagaId)).toMatchObject(OVER);
      expect(await revert(w, sagaId)).toMatchObject(OVER);
      expect(await revert(w, sagaId, true)).toMatchObject(OVER);
      expect(await rowOf(w, sagaId)).toEqual(before);
    }
    expect(await load(w, carried.session)).toMatchObject({ phase: 'resolved' });
    expect(await statusOf(w, carried.session)).toBe('active');
    expect((await load(w, taken.session)).messages.filter(({ type }) => type === 'failed')).toHaveLength(1);
  });

  it('must exist, and be reverted for a reason that can be read', async () => {
    expect(await retry(w, NOBODY)).toMatchObject(WRONG);
    expect(await revert(w, NOBODY, true)).toMatchObject(WRONG);
    const { session } = await agreed(w);
    const { saga_id: sagaId } = await reserve(w, session);
    for (const reason of ['', ' \n', 'x'.repeat(1001)]) {
      expect(await revert(w, sagaId, true, reason)).toMatchObject(WRONG);
    }
    expect(await rowOf(w, sagaId)).toMatchObject({ state: 'reserved' });
    expect(await revert(w, sagaId, true, 'x'.repeat(1000))).toMatchObject({ ok: true });
  });

  it.each(['saga.reserved', 'saga.paused_agent_applied', 'saga.both_agents_applied'] as const)(
    'is reverted under a slow owner at %s, which changes nothing when it comes back',
    async (point) => {
      verifies('W3-9.15', 'W3-9.16');
      const { session } = await agreed(w);
      const row = await reserve(w, session);
      armFault(point, 1, () => {
        throw new Error('asleep');
      });
      await expect(w.node.saga.drive(row)).rejects.toThrow('asleep');
      const { state } = await rowOf(w, row.saga_id);
      expect(`saga.${String(state)}`).toBe(point);
      expect(await revert(w, row.saga_id, true)).toMatchObject({ ok: true });
      const after = await rowOf(w, row.saga_id);

      expect(await w.node.saga.drive({ ...row, state: state as SagaRow['state'] })).toEqual({ kind: 'lost' });
      expect(await rowOf(w, row.saga_id)).toEqual(after);
      await expectTakenBack(w, session, row.saga_id);
      expect(w.node.saga.isStable(session.pausedAgentId)).toBe(true);
    },
  );

  it('is reverted with what its owner stages at that moment', async () => {
    verifies('W3-9.16');
    const { session } = await agreed(w);
    const row = await reserve(w, session);
    const owner = await w.database.connect();
    onTestFinished(() => owner.close());
    await owner.query({ text: 'BEGIN' });
    const images = { before: {}, after: {} };
    await owner.query(
      stageAgent(row, 'reserved', 'paused_agent_applied', session.pausedAgentId, images, w.clock.now()),
    );
    const reverting = revert(w, row.saga_id, true);
    await expect.poll(() => w.count('pg_locks WHERE NOT granted')).toBe(1);
    await owner.query({ text: 'COMMIT' });
    expect(await reverting).toMatchObject({ ok: true, value: { saga: { state: 'reverted' } } });
    await expectTakenBack(w, session, row.saga_id);
    expect(await eventsOf(w, session)).toMatchObject([{ payload: { state: 'paused_agent_applied' } }]);
  });

  it('is carried out or reverted, never both, when both happen at once', async () => {
    verifies('W3-9.04', 'W3-9.16');
    const ends = { committed: 0, reverted: 0 };
    for (let round = 0; round < 40; round += 1) {
      const { session } = await agreed(w);
      const row = await reserve(w, session);
      // Of the three transactions of the owner, each is met in some round.
      const turns = async () => {
        for (let turn = round % 20; turn > 0; turn -= 1) await w.database.query({ text: 'SELECT 1' });
        return revert(w, row.saga_id, true);
      };
      const [end, taken] = await Promise.all([w.node.saga.drive(row), turns()]);
      const about = `round ${round}: ${JSON.stringify({ end, taken })}`;
      expect(taken.ok, about).toBe(end.kind !== 'committed');
      if (taken.ok) {
        ends.reverted += 1;
        await expectTakenBack(w, session, row.saga_id);
      } else {
        ends.committed += 1;
        expect(taken, about).toMatchObject(OVER);
        expect(await load(w, session), about).toMatchObject({ phase: 'resolved' });
        expect(await statusOf(w, session), about).toBe('active');
      }
      expect(w.node.saga.isStable(session.pausedAgentId), about).toBe(true);
    }
    expect(ends.reverted).toBeGreaterThan(0);
    expect(ends.committed).toBeGreaterThan(0);
  });
});
