import { hash } from 'node:crypto';
import { ok, AUDIT_EVENTS } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { dropDue, type Database, type Statement } from '../postgres/index.ts';
import { DAY_MS, systemClock } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { canonicalJson, chainHash } from './audit-chain.ts';
import { verifyAudit, type AuditReport, type AuditScope } from './audit-read.ts';
import { anchorChains } from './chain-anchors.ts';

const JANUARY = Date.UTC(2026, 0, 10);

/** A node whose agents write rows at the time that the test says. */
const world = async () => {
  const { database, open } = await testDatabase({ at: [0, 4, 8, 12].map((month) => Date.UTC(2026, month, 1)) });
  // Of another node.
  const other = open();
  const clock = new ManualClock(JANUARY);
  const node = await testNode(database, { clock });
  const sql = (text: string, ...values: unknown[]) => database.query<Record<string, unknown>>({ text, values });

  /** Writes a change with rows of all sorts of payloads into the trail of an agent, at the time of `at`. */
  const act = async (agentId: string, at = clock.now()) => {
    const done = await node.agents.act(agentId, Number.MAX_SAFE_INTEGER, async () =>
      ok({
        reply: {},
        change: {
          at,
          sessionKey: 'a session',
          events: [
            {
              type: AUDIT_EVENTS.agentUpdated,
              payload: {
                z: 1.5e-7,
                a: { ä: ['\u{1F30A}', null, 1e21], '10': true, '9': -0 },
                gone: undefined,
                empty: {},
              },
            },
            { type: AUDIT_EVENTS.checkInRecorded, payload: {} },
          ],
        },
      }),
    );
    if (!done.ok) throw new Error(done.refusal.message);
  };

  /** An agent with a trail of its own: one row of its birth, and two for each of `changes`. */
  const agentWith = async (changes: number): Promise<string> => {
    const { agentId } = await born(node);
    for (let i = 0; i < changes; i += 1) {
      clock.advance(1);
      await act(agentId);
    }
    return agentId;
  };
  const verify = async (scope: AuditScope = {}): Promise<AuditReport> => {
    const report = await verifyAudit(database, scope, systemClock);
    if (report === undefined) throw new Error('nothing to verify');
    return report;
  };
  /** Kind, index and whether the row is named, of the fault of an agent; seen by a run over everything, too. */
  const faultOf = async (agentId: string) => {
    const all = (await verify()).faults.filter((fault) => fault.agentId === agentId);
    expect((await verify({ agentId })).faults).toEqual(all);
    expect(all.length).toBeLessThanOrEqual(1);
    return all[0] && { kind: all[0].kind, index: all[0].index, eventId: all[0].eventId };
  };
  const idOf = async (agentId: string, index: number) =>
    (await sql('SELECT event_id FROM audit.events WHERE agent_id = $1 AND chain_index = $2', agentId, index))[0]?.[
      'event_id'
    ];
  const indexes = async (agentId: string) =>
    (await sql('SELECT chain_index FROM audit.events WHERE agent_id = $1 AND chain_index > 0 ORDER BY 1', agentId)).map(
      (row) => row['chain_index'],
    );
  const drop = (now: number, on = database) =>
    dropDue({
      database: on,
      clock: { now: () => now, after: (ms, fn) => systemClock.after(ms / 50, fn) },
      keep: new Map([['events', anchorChains]]),
    });
  return { database, other, clock, node, sql, act, agentWith, verify, faultOf, idOf, indexes, drop };
};

describe('the verification of the audit trail', async () => {
  const w = await world();

  it('passes what nobody touched, and counts it', async () => {
    verifies('BW-channel.03');
    const agents = [await w.agentWith(3), await w.agentWith(0), await w.agentWith(120)];
    const [count] = await w.sql('SELECT count(*) AS rows FROM audit.events WHERE chain_index IS NOT NULL');
    const report = await w.verify();
    expect(report).toMatchObject({ agents: agents.length, rows: count?.['rows'], faulty: 0, faults: [] });
    expect(report.rows).toBe(7 + 1 + 241);
    expect(await w.verify({ agentId: agents[0]! })).toMatchObject({ agents: 1, rows: 7, faulty: 0 });
    expect(await verifyAudit(w.database, { agentId: 'nobody' }, systemClock)).toBeUndefined();
  });

  it.each([
    ['payload', `payload = payload || '{"z": 2}'`],
    ['payload, by a key more', `payload = payload || '{"more": null}'`],
    ['type', `event_type = 'agent_deleted'`],
    ['time', `ts = ts + interval '1 millisecond'`],
    ['time, by less than we write', `ts = ts + interval '1 microsecond'`],
    ['id', `event_id = '00000000-0000-4000-8000-000000000000'`],
    ['hash', `raw_hash = repeat('0', 64)`],
    ['hash, which it has no more', 'raw_hash = NULL'],
    ['session', `session_id = 'somebody else''s'`],
    ['session, which it has no more', 'session_id = NULL'],
    ['confidence', 'confidence = 0.5'],
    ['search text', `payload_tsv = to_tsvector('forged')`],
    ['link', `prev_hash = repeat('0', 64)`],
    ['link, which it has no more', 'prev_hash = NULL'],
  ])('finds a row with another %s', async (_, set) => {
    verifies('BW-channel.03');
    const agentId = await w.agentWith(3);
    await w.sql(`UPDATE audit.events SET ${set} WHERE agent_id = $1 AND chain_index = 4`, agentId);
    expect(await w.faultOf(agentId)).toEqual({ kind: 'altered', index: 4, eventId: await w.idOf(agentId, 4) });
  });

  it('verifies rows of earlier releases by the rule that they were written by, and newer ones behind them by theirs', async () => {
    const agentId = await w.agentWith(3);
    const rows = await w.sql(
      `SELECT event_id, event_type, payload, session_id, chain_index,
         to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ts
       FROM audit.events WHERE agent_id = $1 ORDER BY chain_index`,
      agentId,
    );
    let prevHash = '';
    for (const row of rows) {
      const [eventId, ts, type] = [row['event_id'], row['ts'], row['event_type']].map(String) as [
        string,
        string,
        string,
      ];
      const { chain_index: at, payload } = row as { chain_index: number; payload: unknown };
      const place = { prevHash, agentId, chainIndex: at, eventId, ts, type, payload };
      const own =
        at <= 4
          ? hash('sha256', canonicalJson([prevHash, agentId, at, eventId, ts, type, payload]))
          : chainHash({ ...place, sessionId: row['session_id'] as string, confidence: 1, searchText: null });
      await w.sql('UPDATE audit.events SET raw_hash = $2, prev_hash = $3 WHERE event_id = $1', eventId, own, prevHash);
      prevHash = own;
    }
    await w.sql('UPDATE core.identities SET audit_head = $2 WHERE agent_id = $1', agentId, prevHash);
    expect(await w.faultOf(agentId)).toBeUndefined();
    await w.sql(`UPDATE audit.events SET payload = '{}' WHERE agent_id = $1 AND chain_index = 2`, agentId);
    expect(await w.faultOf(agentId)).toMatchObject({ kind: 'altered', index: 2 });
  });

  it.each([
    ['first', '= 1', 1],
    ['middle', '= 3', 3],
    ['last', '= 7', 7],
    ['last three', '> 4', 5],
    ['whole', '> 0', 1],
  ])('finds that the %s of a chain is missing', async (_, which, index) => {
    verifies('BW-channel.03');
    const agentId = await w.agentWith(3);
    await w.sql(`DELETE FROM audit.events WHERE agent_id = $1 AND chain_index ${which}`, agentId);
    expect(await w.faultOf(agentId)).toEqual({ kind: 'missing', index, eventId: null });
  });

  it('finds a row that was taken out of its chain but left in the table', async () => {
    verifies('BW-channel.03');
    const agentId = await w.agentWith(3);
    await w.sql('UPDATE audit.events SET chain_index = NULL WHERE agent_id = $1 AND chain_index = 3', agentId);
    expect(await w.faultOf(agentId)).toEqual({ kind: 'missing', index: 3, eventId: null });
    expect((await w.verify({ agentId })).outside).toEqual([
      { type: AUDIT_EVENTS.checkInRecorded, rows: 1, alsoInChains: true },
    ]);
  });

  it('finds two rows that changed places, and where they belong', async () => {
    verifies('BW-channel.03');
    const agentId = await w.agentWith(3);
    await w.sql(
      'UPDATE audit.events SET chain_index = 8 - chain_index WHERE agent_id = $1 AND chain_index IN (3, 5)',
      agentId,
    );
    expect(await w.faultOf(agentId)).toEqual({ kind: 'reordered', index: 3, eventId: await w.idOf(agentId, 3) });
    expect((await w.verify({ agentId })).faults[0]?.what).toContain('row 5');
    const whole = await w.agentWith(3);
    // Contents change places, and the columns of the chain stay.
    await w.sql(
      `UPDATE audit.events e SET payload = o.payload, event_type = o.event_type FROM audit.events o
       WHERE e.agent_id = $1 AND o.agent_id = $1 AND e.chain_index IN (4, 5) AND o.chain_index = 9 - e.chain_index`,
      whole,
    );
    expect(await w.faultOf(whole)).toEqual({ kind: 'altered', index: 4, eventId: await w.idOf(whole, 4) });
  });

  /** Inserts a row that is whole in itself. */
  const forge = async (agentId: string, index: number, prevHash: string, at = w.clock.now()) => {
    const eventId = crypto.randomUUID();
    const row = { agentId, eventId, ts: new Date(at).toISOString(), type: 'x', payload: { forged: true }, prevHash };
    const hash = chainHash({ ...row, chainIndex: index, sessionId: null, confidence: 1, searchText: null });
    await w.sql(
      `INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload, raw_hash, chain_index, prev_hash)
       VALUES ($1::timestamptz, $2, $3, 'x', '{"forged": true}', $4, $5, $6)`,
      row.ts,
      eventId,
      agentId,
      hash,
      index,
      prevHash,
    );
    return { eventId, hash };
  };
  const hashOf = async (agentId: string, index: number) =>
    (await w.sql('SELECT raw_hash FROM audit.events WHERE agent_id = $1 AND chain_index = $2', agentId, index))[0]?.[
      'raw_hash'
    ] as string;

  it('finds a forged row beside a true one, whichever is read first', async () => {
    verifies('BW-channel.03');
    for (const at of [w.clock.now() - 10_000, w.clock.now() + 10_000]) {
      const agentId = await w.agentWith(3);
      const { eventId } = await forge(agentId, 4, 'f'.repeat(64), at);
      expect(await w.faultOf(agentId)).toEqual({ kind: 'surplus', index: 4, eventId });
    }
  });

  it('finds a forged row in the place of a true one', async () => {
    verifies('BW-channel.03');
    const agentId = await w.agentWith(3);
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index = 4', agentId);
    await forge(agentId, 4, await hashOf(agentId, 3));
    expect(await w.faultOf(agentId)).toEqual({ kind: 'unlinked', index: 5, eventId: await w.idOf(agentId, 5) });
    const last = await w.agentWith(3);
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index = 7', last);
    await forge(last, 7, await hashOf(last, 6));
    expect(await w.faultOf(last)).toEqual({ kind: 'head', index: 7, eventId: null });
  });

  it('finds rows behind the end of a chain, before its beginning, and of agents that never were', async () => {
    verifies('BW-channel.03');
    const behind = await w.agentWith(3);
    const { eventId } = await forge(behind, 8, await hashOf(behind, 7));
    expect(await w.faultOf(behind)).toEqual({ kind: 'surplus', index: 8, eventId });
    const before = await w.agentWith(3);
    const first = await forge(before, 0, '');
    expect(await w.faultOf(before)).toEqual({ kind: 'surplus', index: 0, eventId: first.eventId });
    const ghost = await forge('ghost', 1, '');
    expect(await w.faultOf('ghost')).toEqual({ kind: 'surplus', index: 1, eventId: ghost.eventId });
    await w.sql(`UPDATE audit.events SET agent_id = NULL WHERE agent_id = 'ghost'`);
    expect((await w.verify()).faults).toContainEqual(expect.objectContaining({ agentId: '', kind: 'surplus' }));
    await w.sql('DELETE FROM audit.events WHERE agent_id IS NULL AND chain_index IS NOT NULL');
  });

  it('finds an end that the agent does not have', async () => {
    verifies('BW-channel.03');
    const hash = await w.agentWith(2);
    await w.sql(`UPDATE core.identities SET audit_head = repeat('0', 64) WHERE agent_id = $1`, hash);
    expect(await w.faultOf(hash)).toEqual({ kind: 'head', index: 5, eventId: null });
    const less = await w.agentWith(2);
    await w.sql(
      'UPDATE core.identities SET audit_count = 4, audit_head = $2 WHERE agent_id = $1',
      less,
      await hashOf(less, 4),
    );
    expect(await w.faultOf(less)).toEqual({ kind: 'surplus', index: 5, eventId: await w.idOf(less, 5) });
    const more = await w.agentWith(2);
    await w.sql('UPDATE core.identities SET audit_count = 6 WHERE agent_id = $1', more);
    expect(await w.faultOf(more)).toEqual({ kind: 'missing', index: 6, eventId: null });
  });

  it('tells the first fault of an agent, and every agent that has one', async () => {
    const agents = [await w.agentWith(3), await w.agentWith(3)];
    for (const agentId of agents) {
      await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index IN (3, 6)', agentId);
      await w.sql(`UPDATE audit.events SET payload = '{"a": 1}' WHERE agent_id = $1 AND chain_index = 5`, agentId);
      expect(await w.faultOf(agentId)).toEqual({ kind: 'missing', index: 3, eventId: null });
    }
    const report = await w.verify();
    expect(report.faulty).toBe(report.faults.length);
    expect(new Set(report.faults.map(({ agentId }) => agentId)).size).toBe(report.faulty);
  });
});

describe('a verification from a time on', async () => {
  const w = await world();
  /** Two rows a day. */
  const agentOver = async (days: number) => {
    const { agentId } = await born(w.node);
    for (let i = 0; i < days; i += 1) {
      w.clock.advance(DAY_MS);
      await w.act(agentId);
    }
    return { agentId, since: w.clock.now() - 2 * DAY_MS + 3_600_000 };
  };

  it('reads what is needed for it, and passes what nobody touched', async () => {
    const { agentId, since } = await agentOver(10);
    const quiet = await w.agentWith(2);
    w.clock.advance(20 * DAY_MS);
    expect(await w.verify({ agentId, since })).toMatchObject({ rows: 5, faulty: 0 });
    expect(await w.verify({ agentId: quiet, since: w.clock.now() - DAY_MS })).toMatchObject({ rows: 1, faulty: 0 });
    expect(await w.verify({ since: 0 })).toMatchObject({ rows: 21 + 5, faulty: 0 });
  });

  it('finds what was done to that time, and only that', async () => {
    const early = await agentOver(10);
    await w.sql(`UPDATE audit.events SET payload = '{"a": 1}' WHERE agent_id = $1 AND chain_index = 4`, early.agentId);
    expect(await w.verify(early)).toMatchObject({ faulty: 0 });
    for (const [which, kind, index] of [
      ['= 18', 'missing', 18],
      ['BETWEEN 16 AND 18', 'missing', 18],
      ['= 21', 'missing', 21],
      ['> 17', 'missing', 18],
    ] as const) {
      const agent = await agentOver(10);
      await w.sql(`DELETE FROM audit.events WHERE agent_id = $1 AND chain_index ${which}`, agent.agentId);
      expect((await w.verify(agent)).faults, which).toMatchObject([{ kind, index }]);
    }
    const altered = await agentOver(10);
    await w.sql(
      `UPDATE audit.events SET payload = '{"a": 1}' WHERE agent_id = $1 AND chain_index = 19`,
      altered.agentId,
    );
    expect((await w.verify(altered)).faults).toMatchObject([{ kind: 'altered', index: 19 }]);
  });
});

describe('after retention', async () => {
  const w = await world();
  const END_OF_JANUARY = Date.UTC(2026, 1, 1);
  const DUE = END_OF_JANUARY + 180 * DAY_MS;

  /** An agent with three rows in January, two in February and two in March. */
  const agentOverMonths = async () => {
    const { agentId } = await born(w.node);
    for (const at of [JANUARY + DAY_MS, END_OF_JANUARY + DAY_MS, END_OF_JANUARY + 40 * DAY_MS])
      await w.act(agentId, at);
    return agentId;
  };

  it('took a month, the rest still proves itself, and its first row cannot be changed unseen', async () => {
    verifies('BW-channel.03');
    const [kept, altered, cut, headless, silent] = await Promise.all(Array.from({ length: 5 }, agentOverMonths));
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index > 3', silent);
    // An agent whose last word was in January.
    await w.sql(
      `UPDATE core.identities SET audit_count = 3, audit_head =
         (SELECT raw_hash FROM audit.events WHERE agent_id = $1 AND chain_index = 3) WHERE agent_id = $1`,
      silent,
    );
    // Another node's clock was behind, so that rows 4 and 5 stand in January and row 3 in February.
    const uneven = (await born(w.node)).agentId;
    await w.act(uneven, END_OF_JANUARY + 5);
    await w.act(uneven, END_OF_JANUARY - 5);
    await w.act(uneven, END_OF_JANUARY + 10);
    expect(await w.verify()).toMatchObject({ agents: 6, faulty: 0 });

    const { dropped } = await w.drop(DUE);
    expect(dropped.map(({ partition }) => partition.name)).toContain('events_2026_01');
    expect(await w.indexes(kept!)).toEqual([4, 5, 6, 7]);
    expect(await w.indexes(uneven)).toEqual([2, 3, 6, 7]);
    expect(await w.indexes(silent!)).toEqual([]);
    expect(await w.verify()).toMatchObject({ agents: 6, faulty: 0, dropped: { agents: 6, rows: 5 * 3 + 3 } });
    expect(await w.verify({ since: END_OF_JANUARY + 30 * DAY_MS })).toMatchObject({ agents: 6, faulty: 0 });

    await w.sql(`UPDATE audit.events SET payload = '{"a": 1}' WHERE agent_id = $1 AND chain_index = 4`, altered);
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index = 4', cut);
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1', headless);
    await w.sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index = 2', uneven);
    expect(await w.faultOf(kept!)).toBeUndefined();
    expect(await w.faultOf(altered!)).toMatchObject({ kind: 'altered', index: 4 });
    expect(await w.faultOf(cut!)).toMatchObject({ kind: 'missing', index: 4 });
    expect(await w.faultOf(headless!)).toMatchObject({ kind: 'missing', index: 4 });
    expect(await w.faultOf(uneven)).toMatchObject({ kind: 'missing', index: 5 });
    expect((await w.verify({ since: END_OF_JANUARY + 5 })).faults.map(({ agentId }) => agentId).sort()).toEqual(
      [altered, cut, headless].sort(),
    );
  });
});

describe('month by month', async () => {
  const { sql, act, verify, faultOf, indexes, drop, node } = await world();

  it('is taken, the anchors move on, and agents that speak again go on from there', async () => {
    verifies('BW-channel.03');
    const { agentId } = await born(node);
    for (const month of [0, 1, 2]) await act(agentId, Date.UTC(2026, month, 20));
    for (const [month, left] of [
      [1, [4, 5, 6, 7]],
      [2, [6, 7]],
      [3, []],
    ] as const) {
      await drop(Date.UTC(2026, month, 1) + 180 * DAY_MS);
      expect(await indexes(agentId)).toEqual(left);
      expect(await verify()).toMatchObject({
        rows: left.length,
        faulty: 0,
        dropped: { agents: 1, rows: 7 - left.length },
      });
    }
    await act(agentId, Date.UTC(2026, 9, 1));
    expect(await verify()).toMatchObject({ rows: 2, faulty: 0 });
    await sql(`UPDATE audit.chain_anchors SET raw_hash = repeat('0', 64)`);
    expect(await faultOf(agentId)).toMatchObject({ kind: 'unlinked', index: 8 });
    await sql('DELETE FROM core.identities');
    await sql('DELETE FROM audit.events');
    expect(await faultOf(agentId)).toMatchObject({ kind: 'head', index: 7 });
  });
});

describe('a row that was missing', async () => {
  const { sql, act, faultOf, drop, node } = await world();

  it('before retention took its month is still told', async () => {
    verifies('BW-channel.03');
    const { agentId } = await born(node);
    for (const month of [0, 1]) await act(agentId, Date.UTC(2026, month, 20));
    await sql('DELETE FROM audit.events WHERE agent_id = $1 AND chain_index = 2', agentId);
    await drop(Date.UTC(2026, 1, 1) + 180 * DAY_MS);
    expect(await faultOf(agentId)).toEqual({ kind: 'missing', index: 3, eventId: null });
  });
});

describe('a verification beside retention', async () => {
  const { database, other, sql, act, drop, node } = await world();

  it('sees a chain before the cut or after it, never in between', async () => {
    verifies('BW-channel.03');
    const { agentId } = await born(node);
    for (const month of [0, 1]) await act(agentId, Date.UTC(2026, month, 20));
    const due = Date.UTC(2026, 1, 1) + 180 * DAY_MS;
    let cuts = 0;
    const interrupted: Database = {
      ...database,
      transaction: (work) =>
        database.transaction((tx) =>
          work({
            query: async <R>(statement: Statement) => {
              const rows = await tx.query<R>(statement);
              // Between the facts about a chain and its rows.
              if (statement.text.includes('chain_anchors') && cuts === 0) {
                cuts += 1;
                // Another node does it, with connections of its own.
                await drop(due, other);
              }
              return rows;
            },
          }),
        ),
    };
    expect(await verifyAudit(interrupted, {}, systemClock)).toMatchObject({ rows: 5, faulty: 0 });
    expect(cuts).toBe(1);
    await drop(due);
    expect(await sql(`SELECT to_regclass('audit.events_2026_01') AS part`)).toEqual([{ part: null }]);
    expect(await verifyAudit(interrupted, {}, systemClock)).toMatchObject({ rows: 2, faulty: 0 });
  });
});
