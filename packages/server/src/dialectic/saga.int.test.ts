import { afterEach, describe, expect, it } from 'vitest';
import { testWorld, type World } from '../../testing/world.ts';
import { onboard } from '../../testing/calls.ts';
import { verifies } from '../../testing/verifies.ts';
import { SAGA_FAULT_POINTS, systemIds, type FaultPoint } from '../runtime/index.ts';
import { armFault, disarmFault } from '../runtime/testing/faults.ts';
import { takeOver, type SagaRow } from './saga-sql.ts';
import { noteOf } from './rules/change.ts';
import { Saga } from './saga.ts';
import type { Session } from './session.ts';
import { insertMessages, insertSession, lockSession, updateSession } from './sql.ts';
import { load, payloadOf, reserve, review, sagasOf, sessionOf, statusOf } from './testing/saga-fixture.ts';

type Driver = Saga;
const QUIET = { announce: () => undefined, onChange: () => undefined, onGap: () => undefined } as never;

/** A node of its own as far as sagas go: what it had in memory is gone with it. */
const sagaOf = (w: World, letters: string[] = []): Driver =>
  new Saga({
    database: w.database,
    agents: w.node.agents as never,
    clock: w.clock,
    ids: systemIds,
    notifier: QUIET,
    onDeadLetter: ({ sagaId }) => void letters.push(sagaId),
  });

/** The session is resolved if and only if the agent was changed, and nothing of the saga is left over. */
const expectWhole = async (w: World, session: Session, end: 'resolved' | 'untouched' | 'failed') => {
  const stored = await load(w, session);
  const agent = await statusOf(w, session.pausedAgentId);
  expect(stored.phase).toBe(end === 'untouched' ? 'synthesis' : end);
  expect(agent['status']).toBe(end === 'resolved' ? 'active' : 'paused');
  expect(await w.count('coordination.saga_reservations WHERE agent_id = $1', session.pausedAgentId)).toBe(0);
  const resumed = (await w.trail(session.pausedAgentId)).filter((type) => type === 'lifecycle_resumed');
  expect(resumed).toHaveLength(end === 'resolved' ? 1 : 0);
};

class Killed extends Error {}
afterEach(() => disarmFault());
/** Drives until the fault point is passed for the first time, where the driver dies. */
const driveUntil = async (point: FaultPoint, saga: Driver, row: SagaRow): Promise<void> => {
  armFault(point, 1, () => {
    throw new Killed();
  });
  await expect(saga.drive(row)).rejects.toThrow(Killed);
};

describe('a saga', async () => {
  const w = await testWorld();

  it('carries a resolution out: agent, session, effects and release in one commit', async () => {
    verifies('W3-9.01', 'W3-9.04', 'W3-9.07');
    const { session, paused } = await review(w);
    const saga = sagaOf(w);
    const row = await reserve(w, saga, session);
    expect(row).toMatchObject({ state: 'reserved', epoch: 1 });
    expect(await w.count('coordination.saga_reservations WHERE saga_id = $1', row!.saga_id)).toBe(2);
    expect(await saga.drive(row!)).toEqual({ kind: 'committed', applied: true });
    expect([saga.isStable(session.pausedAgentId), saga.isStable(session.reviewerAgentId!)]).toEqual([true, true]);
    await expectWhole(w, session, 'resolved');
    const agent = await statusOf(w, paused.uuid);
    expect(agent['conditions']).toMatchObject([{ kind: 'complexity_cap', limit: 0.4, expiresAt: null }]);
    const stored = await load(w, session);
    expect(stored).toMatchObject({
      phase: 'resolved',
      awaitingFacilitation: false,
      resolution: { rootCause: 'terms' },
    });
    expect(await w.rows('SELECT effect FROM coordination.outbox WHERE saga_id = $1', row!.saga_id)).toEqual([
      { effect: 'resolution_outcome' },
    ]);
    // The agent's own node knows at once.
    expect(w.node.agents.table.read(paused.uuid)).toMatchObject({ ok: true, value: { status: 'active' } });
    const [acknowledged] = await sagasOf(w, session);
    expect(acknowledged).toMatchObject({ state: 'pg_committed', paused_agent_ack_at: expect.any(Number) as number });
  });

  it('stages what nobody outside sees', async () => {
    verifies('W3-9.06', 'W3-9.20');
    const { session, paused } = await review(w);
    const saga = sagaOf(w);
    const row = await reserve(w, saga, session);
    await driveUntil('saga.both_agents_applied', saga, row!);
    expect([saga.isStable(session.pausedAgentId), saga.isStable(session.reviewerAgentId!)]).toEqual([false, false]);
    const stages = await w.rows('SELECT * FROM coordination.saga_stages WHERE saga_id = $1', row!.saga_id);
    expect(stages).toHaveLength(2);
    expect(stages.find((stage) => stage['agent_id'] === paused.uuid)).toMatchObject({
      before_image: { status: 'paused', conditions: [] },
      after_image: { status: 'active', pause: null },
    });
    expect((await statusOf(w, paused.uuid))['status']).toBe('paused');
    expect((await load(w, session)).phase).toBe('synthesis');
    expect((await w.call('sync_state', { client_session_id: paused.secret, response_text: 'x' })).code).toBe(
      'AGENT_PAUSED',
    );
  });

  it.each(SAGA_FAULT_POINTS.filter((point) => point !== 'saga.reverting'))(
    'case 100: whose driver dies at %s is carried out once by another one, whoever asks',
    async (point) => {
      verifies('W3-9.08', 'W3-9.09', 'W3-9.10', 'W3-9.11', 'W3-9.14', 'W3-9.19');
      const { session } = await review(w);
      const row = await reserve(w, sagaOf(w), session);
      await driveUntil(point, sagaOf(w), row!);
      const other = sagaOf(w);
      // Not yet: its driver may only be slow.
      w.clock.advance(9_000);
      await other.recover();
      if (point !== 'saga.committed') expect((await load(w, session)).phase).toBe('synthesis');
      w.clock.advance(2_000);
      await other.recover();
      await expectWhole(w, session, 'resolved');
      await other.recover(true);
      await expectWhole(w, session, 'resolved');
      expect(await w.count('coordination.outbox WHERE saga_id = $1', row!.saga_id)).toBe(1);
      await Promise.all([other.deliver(), sagaOf(w).deliver(), other.deliver()]);
      await other.deliver();
      const told = `audit.events WHERE event_type = 'dialectic_resolved' AND event_id = $1 AND payload ->> 'session_id' = $2`;
      expect(await w.count(told, row!.saga_id, session.sessionId)).toBe(1);
      expect(await w.count('coordination.outbox WHERE saga_id = $1 AND done_at IS NULL', row!.saga_id)).toBe(0);
      expect((await sagasOf(w, session)).map(({ state }) => state)).toEqual(['pg_committed']);
    },
  );

  it('case 98: whose session was ended meanwhile is taken back, also when its driver dies over that', async () => {
    verifies('W3-9.12', 'W3-9.13', 'W3-9.17');
    for (const dies of [false, true]) {
      const { session } = await review(w);
      const saga = sagaOf(w);
      const row = await reserve(w, saga, session);
      await w.database.query(updateSession({ ...session, phase: 'failed' }, w.clock.now()));
      if (dies) await driveUntil('saga.reverting', saga, row!);
      else expect(await saga.drive(row!)).toMatchObject({ kind: 'reverted' });
      w.clock.advance(11_000);
      await sagaOf(w).recover();
      await expectWhole(w, session, 'failed');
      expect((await sagasOf(w, session)).map(({ state }) => state)).toEqual(['reverted']);
      expect(await w.count('coordination.saga_stages WHERE saga_id = $1', row!.saga_id)).toBe(0);
      await sagaOf(w).recover(true);
      // A late step of the one that was taken back finds it so.
      for (const state of ['reserved', 'paused_agent_applied'] as const) {
        expect(await saga.drive({ ...row!, state })).toEqual({ kind: 'lost' });
      }
      expect((await sagasOf(w, session)).map(({ attempt_count: n }) => n)).toEqual([dies ? 1 : 0]);
    }
  });

  it('cases 91, 93, 94, 96: of a session is alone, and holds its agents alone; what was taken back can be tried again', async () => {
    verifies('W3-9.02', 'W3-9.03', 'W3-9.04', 'W3-9.21');
    const first = await review(w);
    const saga = sagaOf(w);
    const payload = payloadOf('again');
    const row = await reserve(w, saga, first.session, payload);
    expect(await reserve(w, saga, first.session, payloadOf('other'))).toBeUndefined();
    // The reviewer of one is the paused agent of another, in crossed roles.
    const crossed = sessionOf(w, first.peer.uuid, first.paused.uuid);
    await w.database.query(insertSession(crossed));
    expect(await reserve(w, saga, crossed)).toBeUndefined();
    expect(await sagasOf(w, crossed)).toEqual([]);
    expect(await w.count('coordination.saga_reservations')).toBe(2);

    await w.rows(
      `UPDATE coordination.session_resolution_sagas SET state = 'reverted', reverted_at = now() WHERE saga_id = $1`,
      row!.saga_id,
    );
    await w.rows('DELETE FROM coordination.saga_reservations WHERE saga_id = $1', row!.saga_id);
    const again = await reserve(w, saga, first.session, payload);
    expect(await saga.drive(again!)).toMatchObject({ kind: 'committed' });
    await expectWhole(w, first.session, 'resolved');
    expect(await reserve(w, saga, first.session, payload)).toBeUndefined();
  });

  it('case 97: that a slow owner comes back to is not its own any more: it changes nothing and stops', async () => {
    verifies('W3-9.15');
    const { session } = await review(w);
    const row = await reserve(w, sagaOf(w), session);
    await driveUntil('saga.paused_agent_applied', sagaOf(w), row!);
    w.clock.advance(11_000);
    const newer = sagaOf(w);
    const [taken] = await w.rows(
      'UPDATE coordination.session_resolution_sagas SET epoch = epoch + 1 WHERE saga_id = $1 RETURNING *',
      row!.saga_id,
    );
    const slow = { ...row!, state: 'paused_agent_applied' } as const;
    expect(await sagaOf(w).drive(slow)).toEqual({ kind: 'lost' });
    await expect(sagasOf(w, session)).resolves.toMatchObject([{ state: 'paused_agent_applied', epoch: 2 }]);
    expect(await newer.drive(taken as unknown as SagaRow)).toMatchObject({ kind: 'committed' });
    await expectWhole(w, session, 'resolved');
  });

  /** A saga at this state whose driver stopped, and that another one has taken over since, without moving it. */
  const takenOver = async (point: 'saga.both_agents_applied' | 'saga.reverting') => {
    const { session } = await review(w);
    const row = (await reserve(w, sagaOf(w), session))!;
    if (point === 'saga.reverting') {
      await w.database.query(updateSession({ ...session, phase: 'failed' }, w.clock.now()));
    }
    await driveUntil(point, sagaOf(w), row);
    w.clock.advance(11_000);
    // The new owner dies before it moves anything: the state is what the slow one left, and only the epoch tells.
    const taken = await w.database.query<SagaRow>(takeOver(w.clock.now() - 10_000, w.clock.now()));
    expect(taken).toMatchObject([{ saga_id: row.saga_id, epoch: row.epoch + 1 }]);
    return { session, row, taken: taken[0]! };
  };

  it('case 97: its commit is not the slow owner’s any more, although the state is the one that it left', async () => {
    verifies('W3-9.14', 'W3-9.15');
    const { session, row, taken } = await takenOver('saga.both_agents_applied');
    expect(await sagaOf(w).drive({ ...row, state: 'both_agents_applied' })).toEqual({ kind: 'lost' });
    expect((await load(w, session)).phase).toBe('synthesis');
    expect((await statusOf(w, session.pausedAgentId))['status']).toBe('paused');
    expect(await sagaOf(w).drive(taken)).toEqual({ kind: 'committed', applied: true });
    await expectWhole(w, session, 'resolved');
  });

  it('case 97: nor is taking it back', async () => {
    verifies('W3-9.15');
    const { session, row, taken } = await takenOver('saga.reverting');
    expect(await sagaOf(w).drive({ ...row, state: 'reverting' })).toEqual({ kind: 'lost' });
    await expect(sagasOf(w, session)).resolves.toMatchObject([{ state: 'reverting', epoch: 2 }]);
    expect(await sagaOf(w).drive(taken)).toMatchObject({ kind: 'reverted' });
    await expectWhole(w, session, 'failed');
  });

  it.each(['self', 'nobody', 'llm-synthetic-reviewer'] as const)(
    'case 101: goes the same way with %s as its reviewer',
    async (who) => {
      verifies('W3-9.18');
      const { session } = await review(w, who);
      const saga = sagaOf(w);
      const row = await reserve(w, saga, session);
      expect(await w.count('coordination.saga_reservations WHERE saga_id = $1', row!.saga_id)).toBe(1);
      expect(await saga.drive(row!)).toEqual({ kind: 'committed', applied: true });
      await expectWhole(w, session, 'resolved');
    },
  );

  it('resolves a session whose agent is not paused, and changes nothing of the agent', async () => {
    const { session, paused } = await review(w);
    await w.rows(
      `UPDATE core.identities SET status = 'active', pause = NULL, sequence = sequence + 1 WHERE agent_id = $1`,
      paused.uuid,
    );
    const saga = sagaOf(w);
    const row = await reserve(w, saga, session);
    expect(await saga.drive(row!)).toEqual({ kind: 'committed', applied: false });
    expect((await load(w, session)).phase).toBe('resolved');
    expect((await statusOf(w, paused.uuid))['conditions']).toEqual([]);
  });

  it('cases 89, 99: that fails again and again leaves nothing half done, is given up, and a person is asked for', async () => {
    verifies('W3-9.16');
    const { session } = await review(w);
    const letters: string[] = [];
    const saga = sagaOf(w, letters);
    const row = await reserve(w, saga, session);
    await w.rows(
      `CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$`,
    );
    await w.rows('CREATE TRIGGER never BEFORE INSERT ON coordination.outbox FOR EACH ROW EXECUTE FUNCTION never()');
    await expect(saga.drive(row!)).rejects.toThrow('never');
    for (let attempt = 1; attempt <= 7; attempt += 1) {
      w.clock.advance(11_000);
      await saga.recover();
    }
    await w.rows('DROP FUNCTION never() CASCADE');
    expect(letters).toEqual([row!.saga_id]);
    const [dead] = await sagasOf(w, session);
    expect(dead).toMatchObject({ state: 'both_agents_applied', attempt_count: 5, last_error: 'never' });
    expect(await load(w, session)).toMatchObject({ phase: 'synthesis', awaitingFacilitation: true });
    expect((await statusOf(w, session.pausedAgentId))['status']).toBe('paused');
  });

  it('that kills its process in every attempt is given up, too', async () => {
    verifies('W3-9.16');
    const { session } = await review(w);
    const letters: string[] = [];
    const row = (await reserve(w, sagaOf(w), session))!;
    await driveUntil('saga.reserved', sagaOf(w), row);
    for (let attempt = 1; attempt <= 6; attempt += 1) {
      expect(letters).toEqual([]);
      w.clock.advance(11_000);
      // The process that takes it over dies before it can say so; its epoch and its attempt are all that is left.
      if (attempt < 6) await w.database.query(takeOver(w.clock.now(), w.clock.now()));
      else await sagaOf(w, letters).recover();
    }
    expect(letters).toEqual([row.saga_id]);
    expect((await load(w, session)).awaitingFacilitation).toBe(true);
  });

  it('of many nodes at once is carried out once, and none waits for another for ever', async () => {
    verifies('W3-2.04', 'W3-9.14', 'W3-9.21');
    const reviews = await Promise.all(Array.from({ length: 8 }, () => review(w)));
    const rows = await Promise.all(reviews.map(({ session }) => reserve(w, sagaOf(w), session)));
    expect(rows.every((row) => row !== undefined)).toBe(true);
    w.clock.advance(11_000);
    const ends = (await Promise.all(Array.from({ length: 6 }, () => sagaOf(w).recover()))).flat();
    expect(ends.filter(({ kind }) => kind === 'committed')).toHaveLength(8);
    for (const { session } of reviews) await expectWhole(w, session, 'resolved');
  });

  it('case 92: lets messages be added while its session is locked, round after round, without a deadlock', async () => {
    verifies('W3-2.09');
    const { session } = await review(w);
    // A deadlock would reject one of the two.
    for (let round = 0; round < 50; round += 1) {
      await Promise.all([
        w.database.transaction(async (tx) => {
          await tx.query(lockSession(session.sessionId));
          await tx.query(insertMessages(session.sessionId, [noteOf('system', `a${round}`, w.clock.now())]));
          await tx.query(updateSession({ ...session, round }, w.clock.now()));
        }),
        w.database.transaction(async (tx) => {
          await tx.query(insertMessages(session.sessionId, [noteOf('system', `b${round}`, w.clock.now())]));
          await tx.query(lockSession(session.sessionId));
        }),
      ]);
    }
    expect((await load(w, session)).messages).toHaveLength(100);
  });
});

describe('a session', async () => {
  const w = await testWorld();

  it('comes back from PostgreSQL as the very value that was stored', async () => {
    verifies('BW-dialectic.04');
    const { session } = await review(w);
    const whole: Session = {
      ...session,
      phase: 'failed',
      round: 3,
      reviewerAgentId: 'r',
      awaitingFacilitation: true,
      facilitationSince: w.clock.now() - 1_234,
      lastParticipantAt: w.clock.now() + 77,
      resolution: payloadOf('ünïcode 😀').resolution,
      messages: [
        {
          ...noteOf('system', 'why', w.clock.now() + 1),
          type: 'synthesis',
          agentId: 'a',
          rootCause: '',
          conditions: ['one', '"two"'],
          agrees: false,
          concerns: ['c'],
          observedMetrics: { deep: [{ x: 0.1 }] },
          refused: true,
        },
        noteOf('failed', 'later', w.clock.now() + 2),
      ],
    };
    await w.database.query(insertMessages(whole.sessionId, whole.messages));
    await w.database.query(updateSession(whole, w.clock.now()));
    expect(await load(w, session)).toEqual(whole);
  });

  it('about one agent is one at a time, also when two are asked for at once', async () => {
    const { paused } = await onboard(w.call, { force_new: true }).then((agent) => ({ paused: agent }));
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => w.database.query(insertSession(sessionOf(w, paused.uuid, null)))),
    );
    expect(asked.filter((rows) => rows.length === 1)).toHaveLength(1);
  });
});
