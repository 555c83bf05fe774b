import { ok, type Result } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, PAUSE_MS, testNode, type TestNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { canonicalJson, unpackVitals, type StoredVitals } from '../agents/index.ts';
import type { Database, Statement } from '../postgres/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { idsFrom, seededRandom } from '../runtime/index.ts';
import { hash } from 'node:crypto';

type Reply = Readonly<Record<string, unknown>>;
const db = await testDatabase();
const other = await testDatabase();

let serial = 0;
/** Pauses an agent without an operator. */
const pauseByHand = (node: TestNode, agentId: string) =>
  node.agents.act(agentId, Number.MAX_SAFE_INTEGER, async () => {
    const pause = {
      actuation_id: 'a',
      paused_at: '2026-01-01T00:00:00.000Z',
      expires_at: '2199-01-01T00:00:00.000Z',
      sub_action: 'operator',
      reason: 'a test',
      evidence: {},
    };
    const events = [{ type: 'lifecycle_paused', payload: {} }] as const;
    return ok({ reply: null, change: { at: node.clock.now(), status: 'paused', pause, events } });
  });

/** A check-in of its own text, with the arguments as the schema leaves them. */
const update = (
  node: TestNode,
  agentId: string,
  args: Record<string, unknown> = {},
  sessionKey = 'session',
): Promise<Result<Reply>> =>
  node.checkIns.checkIn({
    args: processAgentUpdate.input.parse({
      response_text: `Work item ${(serial += 1)} is done.`,
      confidence: 0.8,
      ...args,
    }),
    agentId,
    assurance: 'strong',
    sessionKey,
    deadline: Number.MAX_SAFE_INTEGER,
  });

const result = (node: TestNode, agentId: string, predictionId: unknown, passed: boolean, detail: Reply = {}) =>
  node.outcomes.record({
    agentId,
    args: {
      outcome_type: passed ? 'test_passed' : 'test_failed',
      prediction_id: predictionId as string,
      detail: { command: 'npm test', exit_code: passed ? 0 : 1, ...detail },
      verification_source: 'agent_reported_tool_result',
    } as never,
    sessionKey: 'session',
    deadline: Number.MAX_SAFE_INTEGER,
  });

const value = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.refusal));
  return outcome.value;
};
const code = (outcome: Result<unknown>) => (outcome.ok ? 'accepted' : outcome.refusal.code);

const rows = <R>(text: string, ...values: unknown[]): Promise<R[]> => db.database.query<R>({ text, values });
const identityRow = async (agentId: string) =>
  (await rows<Record<string, unknown>>('SELECT * FROM core.identities WHERE agent_id = $1', agentId))[0] ?? {};
const stateRows = (agentId: string) =>
  rows<{ sequence: number; update_index: number; state_json: Reply; risk_score: number; regime: string }>(
    `SELECT s.* FROM core.agent_state s JOIN core.identities i USING (identity_id)
     WHERE i.agent_id = $1 ORDER BY s.sequence`,
    agentId,
  );
const eventsOf = (agentId: string) =>
  rows<{
    event_type: string;
    payload: Record<string, unknown>;
    prev_hash: string;
    raw_hash: string;
    chain_index: number;
    event_id: string;
    ts: number;
    session_id: string | null;
    confidence: number;
  }>('SELECT * FROM audit.events WHERE agent_id = $1 AND chain_index IS NOT NULL ORDER BY chain_index', agentId);

/** The trail is one unbroken chain that ends where the agent's row says. */
const expectChain = async (agentId: string) => {
  const events = await eventsOf(agentId);
  let before = '';
  events.forEach((event, i) => {
    expect(event.chain_index).toBe(i + 1);
    expect(event.prev_hash).toBe(before);
    const covered = [
      before,
      agentId,
      i + 1,
      event.event_id,
      new Date(event.ts).toISOString(),
      event.event_type,
      event.payload,
      event.session_id,
      event.confidence,
      null,
    ];
    before = `v2:${hash('sha256', canonicalJson(covered))}`;
    expect(event.raw_hash).toBe(before);
  });
  expect(await identityRow(agentId)).toMatchObject({ audit_head: before, audit_count: events.length });
};

/** Fails the claims detector's patience: claims 0.9, every test red. Returns the record that paused, or undefined. */
const failUntilPaused = async (node: TestNode, agentId: string, most: number) => {
  for (let i = 1; i <= most; i += 1) {
    const claim = value(await update(node, agentId, { confidence: 0.9 }));
    const recorded = value(await result(node, agentId, claim['prediction_id'], false));
    if (recorded['paused'] === true) return { after: i, recorded };
  }
  return undefined;
};

describe('the lock invariants of a check-in', () => {
  test('invariants 1, 4, 9: concurrent updates of one agent see one moment each', async () => {
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    const replies = await Promise.all(Array.from({ length: 40 }, () => update(node, agentId)));
    expect(replies.map((reply) => value(reply)['update'])).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    const stored = await stateRows(agentId);
    expect(stored.map((row) => row.update_index)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    await expectChain(agentId);
    await node.stop();
  });

  test('invariants 2, 8: a change of session moves the node index by one, whoever races', async () => {
    verifies('W3-2.02');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    for (const session of ['a', 'a', 'b', 'b', 'a']) value(await update(node, agentId, {}, session));
    expect(await identityRow(agentId)).toMatchObject({ node_index: 3, active_session_key: 'a' });
    await Promise.all(Array.from({ length: 10 }, (_, i) => update(node, agentId, {}, i % 2 === 0 ? 'x' : 'y')));
    expect(await identityRow(agentId)).toMatchObject({ node_index: 13 });
    await node.stop();
  });

  test('invariant 6: the baseline is loaded once and learned once per check-in', async () => {
    verifies('W3-2.05', 'W3-10.12');
    const seen: Statement[] = [];
    const counted: Database = {
      ...db.database,
      query: (statement) => {
        seen.push(statement);
        return db.database.query(statement);
      },
    };
    const first = await testNode(db.database);
    const { agentId } = await born(first);
    for (let i = 0; i < 3; i += 1) value(await update(first, agentId, { complexity: 0.3 }));
    await first.stop();

    const node = await testNode(counted);
    const reads = () =>
      ['agent_behavioral_baselines', 'feature_flags'].map(
        (table) => seen.filter(({ text }) => text.includes(table)).length,
      );
    expect(reads()).toEqual([1, 1]);
    for (let i = 0; i < 5; i += 1) value(await update(node, agentId, { complexity: 0.3 }));
    expect(reads()).toEqual([1, 1]);
    const live = node.baselines.table.read(agentId);
    expect(live.ok && live.value.complexity_divergence.count).toBe(8);
    const [stored] = await rows<{ stats: Reply }>(
      'SELECT stats FROM core.agent_behavioral_baselines WHERE agent_id = $1',
      agentId,
    );
    expect(stored?.stats).toEqual(live.ok && live.value);
    expect(node.divergences).toEqual([]);
    await node.stop();
  });

  test('invariant 8: a reader sees the head before or after an update, never a mixture', async () => {
    verifies('W3-2.07');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    const seen = new Map<number, string>();
    const watching = new AbortController();
    const watch = (async () => {
      while (!watching.signal.aborted) {
        const reading = node.agents.table.read(agentId);
        if (reading.ok) {
          const { sequence, updateCount, vitals, auditCount } = reading.value;
          const picture = JSON.stringify({ updateCount, vitals, auditCount });
          expect(seen.get(sequence) ?? picture).toBe(picture);
          seen.set(sequence, picture);
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let i = 0; i < 20; i += 1) {
      value(await update(node, agentId));
      const reading = node.agents.table.read(agentId);
      const row = await identityRow(agentId);
      expect(reading.ok && reading.value).toMatchObject({
        sequence: row['sequence'],
        updateCount: row['update_count'],
        vitals: unpackVitals(row['vitals'] as StoredVitals),
        auditHead: row['audit_head'],
      });
    }
    watching.abort();
    await watch;
    expect(seen.size).toBeGreaterThan(10);
    await node.stop();
  });

  test('two nodes on one agent: the loser of the sequence reloads and both succeed', async () => {
    verifies('W3-4.02', 'BW-checkin.02');
    const one = await testNode(db.database, { nodeId: 'one' });
    const two = await testNode(db.open(), { nodeId: 'two' });
    const { agentId } = await born(one);
    const each = 15;
    const replies = await Promise.all(
      [one, two].flatMap((node) => Array.from({ length: each }, () => update(node, agentId))),
    );
    const updates = replies.map((reply) => Number(value(reply)['update'])).sort((a, b) => a - b);
    expect(updates).toEqual(Array.from({ length: 2 * each }, (_, i) => i + 1));
    const stored = await stateRows(agentId);
    expect(stored.map((row) => row.update_index)).toEqual(updates);
    expect(new Set(stored.map((row) => row.sequence)).size).toBe(2 * each);
    await expectChain(agentId);
    await one.stop();
    await two.stop();
  });
});

describe('what a check-in leaves behind', () => {
  test('row, head, decision and answer agree', async () => {
    verifies('BW-checkin.17');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    for (let i = 0; i < 12; i += 1) {
      // A tool's exit code, so that the risk is known and shown.
      const recent_tool_results = [{ tool: 'npm test', summary: `run ${i}`, exit_code: 0 }];
      const reply = value(await update(node, agentId, { complexity: i / 12, confidence: 0.95, recent_tool_results }));
      const stored = (await stateRows(agentId)).at(-1);
      const head = node.agents.table.read(agentId);
      const decision = reply['decision'] as Reply;
      const metrics = reply['metrics'] as Record<string, number>;
      expect(stored?.state_json).toMatchObject({ verdict: reply['verdict'], action: decision['sub_action'] });
      expect(Math.round((stored?.risk_score ?? 0) * 1e4) / 1e4).toBe(metrics['risk_score']);
      expect(head.ok && head.value.vitals).toMatchObject({
        verdict: reply['verdict'],
        sub_action: decision['sub_action'],
        risk: stored?.risk_score,
      });
      const event = (await eventsOf(agentId)).findLast(({ event_type }) => event_type === 'checkin_recorded');
      expect(event?.payload).toMatchObject({ action: decision['action'], prediction_id: reply['prediction_id'] });
    }
    await node.stop();
  });

  test('tool results that come along are outcomes of the same transaction, by the kind their tool betrays', async () => {
    verifies('BW-checkin.17');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    const claim = value(await update(node, agentId));
    const attached = [
      { tool: 'pytest', summary: '12 passed', exit_code: 0, prediction_id: claim['prediction_id'] },
      { tool: 'pytest', summary: 'again', exit_code: 1, prediction_id: claim['prediction_id'] },
    ];
    value(await update(node, agentId, { recent_tool_results: attached }));
    const stored = await rows<Reply>(
      'SELECT *, xmin::text FROM audit.outcome_events WHERE agent_id = $1 ORDER BY outcome_type DESC',
      agentId,
    );
    expect(stored).toMatchObject([
      { outcome_type: 'test_passed', prediction_source: 'registry', update_index: 1, graded: true },
      // A claim is settled once.
      { outcome_type: 'test_failed', prediction_source: 'missing_prediction', graded: false },
    ]);
    const [state] = await rows<Reply>('SELECT xmin::text FROM core.identities WHERE agent_id = $1', agentId);
    expect(stored.map((row) => row['xmin'])).toEqual([state?.['xmin'], state?.['xmin']]);
    await node.stop();
  });

  test('a simulation gives the decision and persists nothing', async () => {
    verifies('BW-checkin.14');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    value(await update(node, agentId));
    const picture = async () =>
      JSON.stringify([
        await identityRow(agentId),
        await stateRows(agentId),
        await eventsOf(agentId),
        await rows('SELECT * FROM core.predictions WHERE agent_id = $1', agentId),
        await rows('SELECT * FROM core.agent_baselines WHERE agent_id = $1', agentId),
        await rows('SELECT * FROM core.agent_behavioral_baselines WHERE agent_id = $1', agentId),
      ]);
    const before = await picture();
    const args = processAgentUpdate.input.parse({ response_text: 'What if?', confidence: 0.9 });
    const call = {
      args,
      agentId,
      assurance: 'strong',
      sessionKey: 'session',
      deadline: Number.MAX_SAFE_INTEGER,
    } as const;
    const simulated = value(await node.checkIns.simulate({ ...call }));
    expect(simulated).toMatchObject({ simulated: true, prediction_id: null, update: 2 });
    expect(await picture()).toBe(before);
    const real = value(await update(node, agentId, { response_text: 'What if?', confidence: 0.9 }));
    expect((real['decision'] as Reply)['sub_action']).toBe((simulated['decision'] as Reply)['sub_action']);
    await node.stop();
  });

  test('an idempotency key makes a repeat harmless, also on another node and at once', async () => {
    verifies('BW-checkin.18');
    const one = await testNode(db.database, { nodeId: 'one' });
    const two = await testNode(db.open(), { nodeId: 'two' });
    const { agentId } = await born(one);
    const args = { response_text: 'The same piece of work.', idempotency_key: 'k-1' };
    const replies = await Promise.all([one, two, one, two].map((node) => update(node, agentId, args)));
    const [first] = replies.map(value);
    for (const reply of replies) expect(value(reply)).toEqual(first);
    expect(await stateRows(agentId)).toHaveLength(1);
    expect(code(await update(two, agentId, { ...args, confidence: 0.1 }))).toBe('IDEMPOTENCY_CONFLICT');
    expect(await stateRows(agentId)).toHaveLength(1);
    await one.stop();
    await two.stop();
  });

  test('an idempotency key is of one agent: another one with the same key and words gets an answer of its own', async () => {
    verifies('BW-checkin.18');
    const node = await testNode(db.database);
    const [one, two] = [await born(node), await born(node)];
    const args = { response_text: 'The same words of two agents.', idempotency_key: 'shared-key' };
    const first = value(await update(node, one.agentId, args));
    const second = value(await update(node, two.agentId, args));
    expect(second['prediction_id']).not.toBe(first['prediction_id']);
    expect(await stateRows(one.agentId)).toHaveLength(1);
    expect(await stateRows(two.agentId)).toHaveLength(1);
    expect(value(await update(node, one.agentId, args))).toEqual(first);
    expect(value(await update(node, two.agentId, args))).toEqual(second);
    await node.stop();
  });

  test("a paused agent is refused, although another agent's call with the same key and words was answered", async () => {
    verifies('BW-checkin.18');
    const node = await testNode(db.database);
    const [one, two] = [await born(node), await born(node)];
    const args = {
      response_text: 'The same words of an agent that is paused.',
      idempotency_key: 'shared-by-a-paused-one',
    };
    value(await update(node, one.agentId, args));
    await pauseByHand(node, two.agentId);
    expect(code(await update(node, two.agentId, args))).toBe('AGENT_PAUSED');
    await node.stop();
  });

  test('a key costs no statement of its own, and a repeat gets its answer after a restart and from a refused call as well', async () => {
    verifies('BW-checkin.18');
    const asked: string[] = [];
    const opened = db.open();
    const counted = {
      ...opened,
      query: <R>(statement: Statement) => (asked.push(statement.text), opened.query<R>(statement)),
    };
    const node = await testNode(counted);
    const { agentId } = await born(node);
    value(await update(node, agentId, { response_text: 'The first one loads the agent.' }));
    const pieces = ['k-1', 'k-2', 'k-3'].map((key) => ({ response_text: `The piece ${key}.`, idempotency_key: key }));
    asked.length = 0;
    const replies = [];
    for (const piece of pieces) replies.push(value(await update(node, agentId, piece)));
    expect(asked).toEqual([]);
    await node.stop();
    const after = await testNode(db.open());
    for (const [i, piece] of pieces.entries()) expect(value(await update(after, agentId, piece))).toEqual(replies[i]);
    expect(code(await update(after, agentId, { ...pieces[0], confidence: 0.2 }))).toBe('IDEMPOTENCY_CONFLICT');
    await pauseByHand(after, agentId);
    const fresh = await update(after, agentId, { response_text: 'Something new.', idempotency_key: 'k-4' });
    expect(code(fresh)).toBe('AGENT_PAUSED');
    expect(value(await update(after, agentId, pieces[1]))).toEqual(replies[1]);
    expect(await stateRows(agentId)).toHaveLength(4);
    await after.stop();
  });

  test('agents that use one key at once, in one commit, get each its own answer', async () => {
    verifies('BW-checkin.18');
    const node = await testNode(db.database);
    const agents = await Promise.all(Array.from({ length: 8 }, () => born(node)));
    const args = { response_text: 'The same words of many agents.', idempotency_key: 'one-key' };
    const all = () => Promise.all(agents.map(async ({ agentId }) => value(await update(node, agentId, args))));
    const first = await all();
    expect(new Set(first.map((reply) => reply['prediction_id'])).size).toBe(8);
    expect(await all()).toEqual(first);
    for (const { agentId } of agents) expect(await stateRows(agentId)).toHaveLength(1);
    await node.stop();
  });

  test('a call that asks for a strong identity is refused under a lesser one, and nothing is written', async () => {
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    const ask = (assurance: 'weak' | 'medium' | 'strong') =>
      node.checkIns.checkIn({
        args: processAgentUpdate.input.parse({ response_text: 'A guarded step.', require_strong_identity: true }),
        agentId,
        assurance,
        sessionKey: 'session',
        deadline: Number.MAX_SAFE_INTEGER,
      });
    const picture = async () => JSON.stringify([await identityRow(agentId), await eventsOf(agentId)]);
    const before = await picture();
    for (const assurance of ['weak', 'medium'] as const) {
      expect(code(await ask(assurance)), assurance).toBe('STRONG_IDENTITY_REQUIRED');
    }
    expect(await stateRows(agentId)).toEqual([]);
    expect(await picture()).toBe(before);
    expect(code(await ask('strong'))).toBe('accepted');
    await node.stop();
  });

  test('a bug in scoring answers an error without a verdict and writes nothing', async () => {
    verifies('BW-checkin.12');
    const first = await testNode(db.database);
    const { agentId } = await born(first);
    value(await update(first, agentId));
    await first.stop();
    // A stored state that scoring cannot read stands for any bug in it.
    await rows(
      `UPDATE core.agent_state SET state_json = jsonb_set(state_json, '{scoring}', '{"v": 999}')
       WHERE identity_id = (SELECT identity_id FROM core.identities WHERE agent_id = $1)`,
      agentId,
    );
    const node = await testNode(db.database);
    const before = JSON.stringify([await identityRow(agentId), await stateRows(agentId), await eventsOf(agentId)]);
    const failed = await update(node, agentId);
    expect(code(failed)).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(failed)).not.toMatch(/verdict"|proceed"/);
    expect(node.crashes).toHaveLength(1);
    expect(JSON.stringify([await identityRow(agentId), await stateRows(agentId), await eventsOf(agentId)])).toBe(
      before,
    );
    await node.stop();
  });

  test.each([
    ['complexity', 1.01],
    ['complexity', -0.01],
    ['complexity', 'abc'],
    ['complexity', Number.NaN],
    ['confidence', Number.POSITIVE_INFINITY],
    ['confidence', [0.5]],
    ['confidence', '2'],
  ])('%s = %s is refused by name, and nothing is written', (field, given) => {
    verifies('BW-checkin.08');
    const parsed = processAgentUpdate.input.safeParse({ response_text: 'x', [field]: given });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual([field]);
    // The chain validates before any handler runs; the numeric string and null stay legal.
    expect(processAgentUpdate.input.parse({ [field]: '0.7' })[field]).toBe(0.7);
    expect(processAgentUpdate.input.parse({ [field]: null })[field]).toBeUndefined();
  });

  test('a restart after every check-in changes no answer', { timeout: 300_000 }, async () => {
    verifies('BW-checkin.03');
    const steps = 1_000;
    const started = Date.now();
    const run = async (database: Database, restart: boolean): Promise<string[]> => {
      const clock = new ManualClock(started);
      // A first start draws the secrets of its database; the starts compared here draw alike.
      await (await testNode(database, { clock })).stop();
      const ids = idsFrom(seededRandom(7));
      let node = await testNode(database, { clock, ids, nodeId: 'node' });
      const { agentId } = await born(node);
      const answers: string[] = [];
      for (let i = 0; i < steps; i += 1) {
        clock.advance(5_000 + (i % 7) * 1_000);
        const args = {
          response_text: `Step ${i}: ${'detail '.repeat(i % 40)}`,
          complexity: (i % 10) / 10,
          confidence: 0.75,
        };
        const claim = value(await update(node, agentId, { ...args, response_mode: 'full' }));
        answers.push(JSON.stringify(claim));
        if (i % 5 === 0)
          answers.push(JSON.stringify(value(await result(node, agentId, claim['prediction_id'], i % 20 !== 0))));
        if (restart) {
          await node.stop();
          node = await testNode(database, { clock, ids, nodeId: 'node' });
        }
      }
      await node.stop();
      return answers;
    };
    const straight = await run(db.database, false);
    expect(await run(other.database, true)).toEqual(straight);
  });
});

describe('pauses', () => {
  test('the outcome that reaches the limit pauses the agent in its own transaction', async () => {
    verifies('BW-checkin.16', 'BW-checkin.13', 'BW-checkin.04');
    const node = await testNode(db.database);
    for (const good of [0, 30]) {
      const { agentId } = await born(node);
      for (let i = 0; i < good; i += 1) {
        const claim = value(await update(node, agentId, { confidence: 0.9 }));
        value(await result(node, agentId, claim['prediction_id'], true));
      }
      const paused = await failUntilPaused(node, agentId, 8);
      expect(paused?.after).toBeLessThanOrEqual(8);
      const pause = paused?.recorded['pause'] as Reply;
      expect(pause['reason']).toMatch(/mean claim 0\.90.*accuracy 0\.\d\d.*n=\d+/);
      const row = await identityRow(agentId);
      expect(row).toMatchObject({ status: 'paused', pause: { actuation_id: pause['actuation_id'] } });
      const events = await eventsOf(agentId);
      expect(events.at(-1)).toMatchObject({
        event_type: 'lifecycle_paused',
        payload: { actuation_id: pause['actuation_id'] },
      });
      // One transaction has one time for all its rows.
      const [agent] = await rows<{ status: string; xmin: string }>(
        'SELECT status, xmin FROM core.agents WHERE id = $1',
        agentId,
      );
      const [outcome] = await rows<{ xmin: string }>(
        'SELECT xmin FROM audit.outcome_events WHERE agent_id = $1 ORDER BY ts DESC, outcome_id DESC LIMIT 1',
        agentId,
      );
      expect(agent).toEqual({ status: 'paused', xmin: outcome?.xmin });
      expect(code(await update(node, agentId))).toBe('AGENT_PAUSED');
    }
    await node.stop();
  });

  test('a check-in whose verdict is pause pauses in the same transaction', async () => {
    verifies('BW-checkin.04');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    let recorded = 0;
    let reply: Reply = {};
    // The same evidence, brought along with check-ins instead of recorded apart.
    for (let previous: unknown; reply['verdict'] !== 'pause' && recorded < 12; recorded += 1) {
      const attached =
        previous === undefined
          ? []
          : [{ tool: 'npm', summary: 'npm test', kind: 'test', exit_code: 1, prediction_id: previous }];
      reply = value(await update(node, agentId, { confidence: 0.9, recent_tool_results: attached }));
      previous = reply['prediction_id'];
    }
    expect(reply).toMatchObject({ verdict: 'pause', decision: { action: 'pause', sub_action: 'claims_pause' } });
    const row = await identityRow(agentId);
    const [state] = await rows<{ xmin: string }>(
      'SELECT xmin FROM core.agent_state WHERE identity_id = $1 ORDER BY sequence DESC LIMIT 1',
      row['identity_id'],
    );
    const [identity] = await rows<{ xmin: string; status: string }>(
      'SELECT xmin, status FROM core.identities WHERE agent_id = $1',
      agentId,
    );
    expect(identity).toEqual({ status: 'paused', xmin: state?.xmin });
    expect(row['pause']).toMatchObject({
      evidence: { schema: 'dialectic.pause_evidence.v1' },
      sub_action: 'claims_pause',
    });
    const again = await testNode(db.open());
    expect(code(await update(again, agentId))).toBe('AGENT_PAUSED');
    await again.stop();
    await node.stop();
  });

  test('a pause holds for 72 hours exactly, then ends with an audit row', async () => {
    verifies('BW-checkin.06');
    const clock = new ManualClock(Date.now());
    const node = await testNode(db.database, { clock });
    const { agentId } = await born(node);
    expect(await failUntilPaused(node, agentId, 8)).toBeDefined();
    clock.advance(PAUSE_MS);
    expect(code(await update(node, agentId))).toBe('AGENT_PAUSED');
    clock.advance(1);
    const resumed = value(await update(node, agentId, { confidence: 0.9 }));
    expect(resumed['decision']).toMatchObject({ action: 'proceed' });
    const events = await eventsOf(agentId);
    expect(events.filter(({ event_type }) => event_type === 'pause_auto_expired')).toHaveLength(1);
    expect(await identityRow(agentId)).toMatchObject({ status: 'active', pause: null });
    // A new account: one more failure is no pause.
    expect(value(await result(node, agentId, resumed['prediction_id'], false))['paused']).toBeUndefined();
    await expectChain(agentId);
    await node.stop();
  });

  test('an honest agent that fails as often as it says is not paused', async () => {
    verifies('BW-checkin.13');
    const node = await testNode(db.database);
    const { agentId } = await born(node);
    for (let i = 0; i < 40; i += 1) {
      const claim = value(await update(node, agentId, { confidence: 0.5 }));
      expect(value(await result(node, agentId, claim['prediction_id'], i % 2 === 0))['paused']).toBeUndefined();
    }
    await node.stop();
  });
});

describe('loops', () => {
  test('the fifth update on one topic is refused until its time is over, with one record, and no other words are', async () => {
    verifies('BW-checkin.11');
    const clock = new ManualClock(Date.now());
    const node = await testNode(db.database, { clock, loops: true });
    const { agentId } = await born(node);
    const same = () => update(node, agentId, { response_text: 'Still working on it.' });
    for (const seconds of [9, 31, 4, 52]) {
      clock.advance(seconds * 1_000);
      value(await same());
    }
    clock.advance(17_000);
    const refused = await same();
    const details = { rule: 'same_topic' };
    // The first of the five is 104 s old.
    expect(refused).toMatchObject({ refusal: { code: 'LOOP_DETECTED', retryAfterSeconds: 497, details } });
    expect(code(await update(node, agentId))).toBe('accepted');
    clock.advance(10_000);
    expect(await same()).toMatchObject({ ok: false, refusal: { retryAfterSeconds: 487 } });
    const records = (await eventsOf(agentId)).filter(({ event_type }) => event_type === 'lifecycle_loop_detected');
    expect(records).toHaveLength(1);
    clock.advance(487_000);
    expect(code(await same())).toBe('accepted');
    await node.stop();
  });

  test('what a hook reports of an agent five times in ten minutes leaves the words of the agent alone', async () => {
    const clock = new ManualClock(Date.now());
    const node = await testNode(db.database, { clock, loops: true });
    const { agentId } = await born(node);
    const edited = 'Auto: 5 edits across 1 file (/path/a.py) [hook]';
    for (const seconds of [9, 131, 4, 152, 17, 90]) {
      clock.advance(seconds * 1_000);
      const hook = { response_text: edited, epistemic_class: 'substrate_interpretation' };
      expect(code(await update(node, agentId, hook))).toBe('accepted');
      expect(code(await update(node, agentId))).toBe('accepted');
    }
    // The same words of its own are held against its own words alone, not against the hook's.
    expect(code(await update(node, agentId, { response_text: edited }))).toBe('accepted');
    await node.stop();
  });

  test('more than twenty updates in a minute are refused, for that agent alone', async () => {
    verifies('BW-checkin.11');
    const clock = new ManualClock(Date.now());
    const node = await testNode(db.database, { clock, loops: true });
    const [fast, other] = [await born(node), await born(node)];
    for (let i = 0; i < 20; i += 1) {
      clock.advance(1_000);
      value(await update(node, fast.agentId));
    }
    clock.advance(1_000);
    expect(code(await update(node, fast.agentId))).toBe('LOOP_DETECTED');
    expect(code(await update(node, other.agentId))).toBe('accepted');
    await node.stop();
  });
});
