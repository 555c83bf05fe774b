import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { Task } from '../../testing/saga-child.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import type { ConnectionTarget } from '../postgres/index.ts';
import type { FaultPoint } from '../runtime/index.ts';
import { entryOf } from './rules/change.ts';
import type { SagaPayload } from './saga.ts';
import type { Session } from './session.ts';
import { insertMessages, insertSession, lockSession } from './sql.ts';
import { load, payloadOf, reserve, review, sagasOf, sessionOf, statusOf } from './testing/saga-fixture.ts';

const CHILD = fileURLToPath(new URL('../../testing/saga-child.ts', import.meta.url));
const FORWARD = ['saga.reserved', 'saga.paused_agent_applied', 'saga.both_agents_applied'] as const;

/**
 * The rows of the crash table (spec dialectic G.5). Each kills, or holds, a process of its own at that point, and lets
 * another one recover that has nothing but PostgreSQL.
 */
describe('a process that dies in a resolution', async () => {
  const w = await testWorld();
  let target: ConnectionTarget;
  beforeAll(async () => {
    const [row] = await w.rows('SELECT current_database() AS name');
    target = { ...inject('postgres'), database: String(row?.['name']) };
    // What is carried out here is agreed by the two alone; what an operator confirms is a row of its own.
    await policy('peer');
  });

  const policy = (value: 'operator' | 'peer') => w.node.flags.set('claims_review', value, 'test', 'of this row');

  /** Starts a process; `ended` gives what it printed and the signal that ended it. */
  const start = (act: Task['act'], at?: Task['at']) => {
    const task: Task = { target, act, ...(at && { at }) };
    const child = spawn(process.execPath, [CHILD, JSON.stringify(task)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [said, wrong] = ['', ''];
    child.stdout.on('data', (chunk) => (said += String(chunk)));
    child.stderr.on('data', (chunk) => (wrong += String(chunk)));
    const ended = once(child, 'close').then(([code, signal]) => {
      if (code !== 0 && signal === null) throw new Error(wrong);
      return { signal: signal as string | null, said: said === '' ? undefined : (JSON.parse(said) as unknown) };
    });
    return { child, ended };
  };
  const killed = async (act: Task['act'], point: FaultPoint) => {
    expect(await start(act, { point, signal: 'SIGKILL' }).ended).toEqual({ signal: 'SIGKILL', said: undefined });
  };
  const recover = async () => (await start({ kind: 'recover' }).ended).said;
  /** Holds a process at a fault point, as a machine does that stops and comes back; gives how to let it go on. */
  const held = async (act: Task['act'], point: FaultPoint) => {
    const { child, ended } = start(act, { point, signal: 'SIGSTOP' });
    const state = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.[0];
    await expect.poll(state, { timeout: 20_000, interval: 20 }).toBe('T');
    return async () => {
      child.kill('SIGCONT');
      return (await ended).said;
    };
  };
  const carry = (session: Session, payload = payloadOf()): Task['act'] => ({ kind: 'carry', session, payload });
  const agreement = ({ sessionId, reviewerAgentId }: Session): Task['act'] => ({
    kind: 'agree',
    sessionId,
    said: { agentId: reviewerAgentId ?? '', agrees: true, conditions: ['Set complexity to 0.4'], rootCause: 'rc' },
  });
  const reservations = ({ pausedAgentId, reviewerAgentId }: Session) =>
    w.count('coordination.saga_reservations WHERE agent_id IN ($1, $2)', pausedAgentId, reviewerAgentId);
  /** Somebody else ends the session. */
  const fail = (session: Session) =>
    w.rows(`UPDATE core.dialectic_sessions SET phase = 'failed' WHERE session_id = $1`, session.sessionId);
  const stateOf = async (session: Session) => (await sagasOf(w, session)).at(-1)?.['state'];

  /** Resolved if and only if the agent was changed, exactly once, and nothing of it is left over. */
  const expectEnd = async (session: Session, end: 'resolved' | 'failed' | 'untouched') => {
    const { pausedAgentId, sessionId } = session;
    expect((await load(w, session)).phase).toBe(end === 'untouched' ? 'synthesis' : end);
    const { status, conditions } = await statusOf(w, pausedAgentId);
    expect([status, (conditions as unknown[]).length]).toEqual(end === 'resolved' ? ['active', 1] : ['paused', 0]);
    const resumed = (await w.trail(pausedAgentId)).filter((type) => type === 'lifecycle_resumed');
    expect(resumed).toHaveLength(end === 'resolved' ? 1 : 0);
    expect(await reservations(session)).toBe(0);
    const open = `coordination.session_resolution_sagas WHERE session_id = $1 AND state NOT IN ('pg_committed', 'reverted')`;
    expect(await w.count(open, sessionId)).toBe(0);
    const effects = `coordination.outbox o JOIN coordination.session_resolution_sagas g USING (saga_id)
                     WHERE session_id = $1 AND done_at IS NOT NULL`;
    expect(await w.count(effects, sessionId)).toBe(end === 'resolved' ? 1 : 0);
    const told = `audit.events WHERE event_type = 'dialectic_resolved' AND payload->>'session_id' = $1`;
    expect(await w.count(told, sessionId)).toBe(end === 'resolved' ? 1 : 0);
  };

  it('row 1: before the saga is there has recorded nothing, and the agreement is made again', async () => {
    verifies('W3-9.22');
    const { session } = await review(w);
    const owner = await w.database.connect();
    await owner.query({ text: 'BEGIN' });
    await owner.query(lockSession(session.sessionId));
    const { child, ended } = start(agreement(session));
    const waiting = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(() => w.count(waiting), { timeout: 20_000, interval: 20 }).toBe(1);
    child.kill('SIGKILL');
    await owner.query({ text: 'ROLLBACK' });
    await owner.close();
    expect([(await ended).signal, child.killed]).toEqual(['SIGKILL', true]);
    await recover();
    await expectEnd(session, 'untouched');
    await start(agreement(session)).ended;
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('rows 2, 3, 5: after the saga is there has reserved all of its agents, and is rolled forward', async () => {
    verifies('W3-9.04', 'W3-9.08');
    const { session } = await review(w);
    await killed(agreement(session), 'saga.reserved');
    expect([await stateOf(session), await reservations(session)]).toEqual(['reserved', 2]);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('rows 2, 3: with its agents reserved is taken back when somebody ended its session, and leaves no reservation', async () => {
    verifies('W3-9.08');
    const { session } = await review(w);
    await killed(agreement(session), 'saga.reserved');
    await fail(session);
    expect(await recover()).toMatchObject({ ends: [{ kind: 'reverted' }] });
    expect([await stateOf(session), await reservations(session)]).toEqual(['reverted', 0]);
    await expectEnd(session, 'failed');
  });

  it.each(FORWARD)('rows 4, 10: and comes back at %s after another one recovered, changes nothing', async (point) => {
    verifies('W3-9.15');
    const { session } = await review(w);
    const goOn = await held(carry(session), point);
    await recover();
    await expectEnd(session, 'resolved');
    expect(await goOn()).toEqual({ kind: 'lost' });
    await expectEnd(session, 'resolved');
  });

  it('rows 6, 7, 8: with the paused agent staged has changed nobody, and has the state and the image together', async () => {
    verifies('W3-9.05', 'W3-9.06', 'W3-9.09');
    const { session } = await review(w);
    await killed(carry(session), 'saga.paused_agent_applied');
    expect(await statusOf(w, session.pausedAgentId)).toMatchObject({ status: 'paused', conditions: [] });
    const [saga] = await sagasOf(w, session);
    expect(saga?.['state']).toBe('paused_agent_applied');
    expect(
      await w.rows('SELECT agent_id, before_image FROM coordination.saga_stages WHERE saga_id = $1', saga?.['saga_id']),
    ).toMatchObject([{ agent_id: session.pausedAgentId, before_image: { status: 'paused' } }]);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('rows 9, 11, 12: with both agents staged is rolled forward by a process that has no memory of it', async () => {
    verifies('W3-9.10');
    const { session } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    const [saga] = await sagasOf(w, session);
    expect(await w.count('coordination.saga_stages WHERE saga_id = $1', saga?.['saga_id'])).toBe(2);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it.each(['saga.before_commit', 'saga.committed'] as const)(
    'row 13: at %s has all of the commit or nothing',
    async (point) => {
      verifies('W3-9.07', 'W3-9.11');
      const { session } = await review(w);
      await killed(carry(session), point);
      const committed = point === 'saga.committed';
      expect([await stateOf(session), (await load(w, session)).phase, await reservations(session)]).toEqual(
        committed ? ['pg_committed', 'resolved', 0] : ['both_agents_applied', 'synthesis', 2],
      );
      expect((await statusOf(w, session.pausedAgentId))['status']).toBe(committed ? 'active' : 'paused');
      await recover();
      await expectEnd(session, 'resolved');
    },
  );

  it('row 14: and whose session somebody ends meanwhile, is taken back', async () => {
    verifies('W3-9.17');
    const { session } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    await fail(session);
    await recover();
    await expectEnd(session, 'failed');
  });

  it('rows 15, 16: after the commit has left nothing to do but to tell, once', async () => {
    verifies('W3-9.11', 'W3-9.19');
    const { session } = await review(w);
    await killed(carry(session), 'saga.committed');
    const sequence = () => w.rows('SELECT sequence FROM core.identities WHERE agent_id = $1', session.pausedAgentId);
    const before = await sequence();
    expect([await recover(), await recover()]).toEqual([
      { ends: [], delivered: 1 },
      { ends: [], delivered: 0 },
    ]);
    expect(await sequence()).toEqual(before);
    await expectEnd(session, 'resolved');
  });

  it('row 17: while it takes back, is taken back by the next one', async () => {
    verifies('W3-9.12');
    const { session } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    await fail(session);
    await killed({ kind: 'recover' }, 'saga.reverting');
    expect([await stateOf(session), await reservations(session)]).toEqual(['reverting', 2]);
    await recover();
    await expectEnd(session, 'failed');
  });

  it('row 18: and whose agent is gone, wedges nothing', async () => {
    const { session } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    await w.rows('DELETE FROM core.agents WHERE id = $1', session.pausedAgentId);
    expect(await recover()).toMatchObject({ ends: [{ kind: 'committed', applied: false }] });
    expect([(await load(w, session)).phase, await reservations(session)]).toEqual(['resolved', 0]);
    const lines = (await load(w, session)).messages.map(({ reasoning }) => reasoning);
    expect(lines).toEqual(['Resolved. The agent is gone; nothing was applied.']);
  });

  /** A saga that was taken back, and its session open again. */
  const takenBack = async (payload: SagaPayload) => {
    const { session } = await review(w);
    await killed(carry(session, payload), 'saga.both_agents_applied');
    await fail(session);
    await recover();
    await w.rows(`UPDATE core.dialectic_sessions SET phase = 'synthesis' WHERE session_id = $1`, session.sessionId);
    return session;
  };

  it('row 19: can be tried again with the same terms after it was taken back', async () => {
    verifies('W3-9.03');
    const payload = payloadOf();
    const session = await takenBack(payload);
    expect((await start(carry(session, payload)).ended).said).toEqual({ kind: 'committed', applied: true });
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('row 20: can be tried again with other terms after it was taken back', async () => {
    verifies('W3-9.03');
    const session = await takenBack(payloadOf());
    expect((await start(carry(session)).ended).said).toEqual({ kind: 'committed', applied: true });
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('row 21: and loses its agents to another one, is begun when that one was taken back', async () => {
    verifies('W3-9.21', 'W3-9.22');
    const { session: first, paused } = await review(w);
    const { peer } = await review(w);
    await killed(carry(first), 'saga.both_agents_applied');
    const second = sessionOf(w, peer.uuid, paused.uuid);
    await w.database.query(insertSession(second));
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
         pause = (SELECT pause FROM core.identities WHERE agent_id = $2) WHERE agent_id = $1`,
      peer.uuid,
      paused.uuid,
    );
    // Its agreement finds the agent held: it is recorded, and no saga with it.
    const said = entryOf(
      'synthesis',
      { agentId: paused.uuid, agrees: true, conditions: ['Set complexity to 0.4'], rootCause: 'rc' },
      0,
    );
    await w.database.query(insertMessages(second.sessionId, [said]));
    expect(await reserve(w, w.node.saga, second)).toBeUndefined();
    await w.rows(
      `UPDATE core.dialectic_sessions SET updated_at = now() - interval '1 hour' WHERE session_id = $1`,
      second.sessionId,
    );
    await fail(first);
    await recover();
    await recover();
    await expectEnd(first, 'failed');
    await expectEnd(second, 'resolved');
  });

  it('row 22: is recovered by a process that nobody asked about the session', async () => {
    verifies('W3-9.14');
    const { session } = await review(w);
    await killed(carry(session), 'saga.reserved');
    expect(await recover()).toMatchObject({ ends: [{ kind: 'committed', applied: true }] });
    await expectEnd(session, 'resolved');
  });

  it('row 23: is recovered once, also when several processes recover at once', async () => {
    verifies('W3-9.14', 'W3-9.15');
    const { session } = await review(w);
    await killed(carry(session), 'saga.paused_agent_applied');
    await Promise.all([recover(), recover(), recover()]);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('row 25: after an operator confirmed the agreement is carried on; before that nobody carries it', async () => {
    verifies('BW-breaker.03', 'W3-9.22');
    const { session } = await review(w);
    await policy('operator');
    try {
      expect((await start(agreement(session)).ended).said).toMatchObject({ value: { reply: { kind: 'to_confirm' } } });
      await w.rows(
        `UPDATE core.dialectic_sessions SET updated_at = now() - interval '1 hour' WHERE session_id = $1`,
        session.sessionId,
      );
      await recover();
      await expectEnd(session, 'untouched');
      const said = { operator: 'ann', decision: 'accept', reason: 'mended' } as const;
      await killed({ kind: 'confirm', sessionId: session.sessionId, said }, 'saga.reserved');
      expect([await stateOf(session), await reservations(session)]).toEqual(['reserved', 2]);
      await recover();
      await expectEnd(session, 'resolved');
      const confirmed = `audit.events WHERE event_type = 'review_confirmed' AND payload->>'session_id' = $1
                         AND payload->>'operator' = 'ann'`;
      expect(await w.count(confirmed, session.sessionId)).toBe(1);
    } finally {
      await policy('peer');
    }
  });

  it('row 26: after an operator confirmed while another saga held the agent is carried out when the agent is free', async () => {
    verifies('W3-9.22');
    const { session: first, paused, peer: reviewer } = await review(w);
    await killed(carry(first), 'saga.both_agents_applied');
    const { peer } = await review(w);
    const session = sessionOf(w, peer.uuid, reviewer.uuid);
    await w.database.query(insertSession(session));
    await w.rows(
      `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
         pause = (SELECT pause FROM core.identities WHERE agent_id = $2) WHERE agent_id = $1`,
      peer.uuid,
      paused.uuid,
    );
    await policy('operator');
    try {
      expect((await start(agreement(session)).ended).said).toMatchObject({ value: { reply: { kind: 'to_confirm' } } });
      const said = { operator: 'ann', decision: 'accept', reason: 'mended' } as const;
      const confirmed = (await start({ kind: 'confirm', sessionId: session.sessionId, said }).ended).said;
      expect(confirmed).toMatchObject({ value: { reply: { kind: 'confirmed' } } });
      expect(await sagasOf(w, session)).toEqual([]);
      await w.rows(
        `UPDATE core.dialectic_sessions SET updated_at = now() - interval '1 hour' WHERE session_id = $1`,
        session.sessionId,
      );
      await recover();
      await recover();
      await expectEnd(session, 'resolved');
    } finally {
      await policy('peer');
    }
  });

  it('row 24: keeps its reviewer while it is under way', async () => {
    verifies('W3-9.22');
    const { session, peer } = await review(w);
    await killed(agreement(session), 'saga.reserved');
    const wish = { session_id: session.sessionId, client_session_id: peer.secret, reason: 'no time' };
    expect((await w.call('reassign_reviewer', wish)).code).toBe('SAGA_IN_FLIGHT');
    await recover();
    await expectEnd(session, 'resolved');
    expect((await load(w, session)).reviewerAgentId).toBe(peer.uuid);
  });

  it.each([
    ['row 25: that reviews itself, holds one agent', 'self', 1],
    ['row 26: without a reviewer, holds one agent', 'nobody', 1],
    ['row 26: with a reviewer that is no agent, holds one agent', 'llm-synthetic-reviewer', 1],
  ] as const)('%s, and is rolled forward', async (_title, reviewer, agents) => {
    verifies('W3-9.18');
    const { session } = await review(w, reviewer);
    await killed(carry(session), 'saga.both_agents_applied');
    expect(await reservations(session)).toBe(agents);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('row 27: after the commit shows an agent that is stable and active, and before it one that is neither', async () => {
    verifies('W3-9.20');
    const { session, paused } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    const look = async () => {
      await w.restart();
      const head = await w.node.agents.find(paused.uuid);
      return [w.node.saga.isStable(paused.uuid), head?.status];
    };
    expect(await look()).toEqual([false, 'paused']);
    await killed({ kind: 'recover' }, 'saga.committed');
    expect(await look()).toEqual([true, 'active']);
    await recover();
    await expectEnd(session, 'resolved');
  });

  it('row 28: of two that want each other’s agents, holds all of its own or none', async () => {
    verifies('W3-9.21');
    const { session: first, paused, peer } = await review(w);
    const second = sessionOf(w, peer.uuid, paused.uuid);
    await w.database.query(insertSession(second));
    await killed(carry(first), 'saga.reserved');
    expect((await start(carry(second)).ended).said).toBeNull();
    expect(await sagasOf(w, second)).toEqual([]);
    await recover();
    await expectEnd(first, 'resolved');
    expect((await start(carry(second)).ended).said).toEqual({ kind: 'committed', applied: false });
    await recover();
  });

  it('row 29: after the commit has its effect once, however often it is delivered', async () => {
    verifies('W3-9.19');
    const { session } = await review(w);
    await killed(carry(session), 'saga.committed');
    const deliveries = await Promise.all([recover(), recover(), recover()]);
    expect(deliveries.map((one) => (one as { delivered: number }).delivered).sort()).toEqual([0, 0, 1]);
    await expectEnd(session, 'resolved');
  });

  it('row 30: is the only one of its session until it has ended', async () => {
    verifies('W3-9.02');
    const { session } = await review(w);
    await killed(carry(session), 'saga.both_agents_applied');
    expect((await start(carry(session)).ended).said).toBeNull();
    expect(await sagasOf(w, session)).toHaveLength(1);
    await recover();
    await expectEnd(session, 'resolved');
    expect(await sagasOf(w, session)).toHaveLength(1);
  });
});

it('every row of the crash table is the title of a test', () => {
  const text = readFileSync(new URL(import.meta.url), 'utf8');
  const numbers = [...text.matchAll(/'rows? ([\d, ]+):/g)].flatMap(([, listed]) =>
    (listed ?? '').split(', ').map(Number),
  );
  expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
});
