import { FAILURE_EVENTS, type Result } from '@breakwater/contract';
import type { Need } from '@breakwater/contract/overview';
import { describe, expect, it } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { giveRecord } from '../../testing/reviewer.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { type Database, type Statement } from '../postgres/index.ts';
import { settle } from '../runtime/testing/settle.ts';
import { testOverview } from './testing/overview.ts';
import { HOUR_MS } from '../runtime/index.ts';

const LETTER = '00000000-0000-4000-8000-00000000000d';

const as = ({ secret }: Minted, args: Json = {}): Json => ({ client_session_id: secret, ...args });
const taken = <T>(outcome: Result<T>): T => {
  if (!outcome.ok) throw new Error(outcome.refusal.message);
  return outcome.value;
};
const overviewOf = (w: World, database: Database = w.database) =>
  testOverview(database, w.node.agents.table, {
    clock: w.clock,
    isStable: w.node.saga.isStable.bind(w.node.saga),
  });

const born = (w: World, args: Json = {}) => onboard(w.call, { force_new: true, ...args });

/** One piece of work: a check-in with a claim, and a result against it. */
const work = async (w: World, agent: Minted, confidence: number, passes: boolean): Promise<Json> => {
  w.clock.advance(10_000);
  const { body } = await w.call('sync_state', as(agent, { response_text: `At ${w.clock.now()}`, confidence }));
  const result = await w.call(
    'record_result',
    as(agent, {
      prediction_id: body['prediction_id'],
      outcome_type: passes ? 'test_passed' : 'test_failed',
      detail: { command: 'npm test', exit_code: passes ? 0 : 1 },
      verification_source: 'agent_reported_tool_result',
    }),
  );
  return result.body;
};

/** Fails with full confidence until the circuit breaker pauses the agent; gives how many pieces that took. */
const pause = async (w: World, agent: Minted): Promise<number> => {
  for (let pieces = 1; pieces <= 12; pieces += 1) {
    if ((await work(w, agent, 0.95, false))['paused'] === true) return pieces;
  }
  throw new Error('the agent was never paused');
};

/** Yesterday's rows need a place on the first of a month, too. */
const withYesterday = async (): Promise<World> => {
  const w = await testWorld({ pastMs: 48 * HOUR_MS });
  return w;
};

const lineOf = ({ evidence }: Need, name: string) => evidence.find((line) => line.name === name)?.value;

describe('a paused agent', async () => {
  const w = await withYesterday();
  const overview = overviewOf(w);
  const ada = await born(w, { name: 'Ada' });
  await work(w, ada, 0.6, true);
  const pieces = 1 + (await pause(w, ada));

  it('is what needs a person, with the evidence as it was recorded, in words', async () => {
    verifies('BW-console.03');
    const { needs, agents, ready, reviews } = await overview.now();
    const [need] = needs;
    expect(needs).toHaveLength(1);
    expect(need).toMatchObject({
      kind: 'paused',
      severity: 'critical',
      title: 'Ada is paused: it claims more than its results show',
      agent: { agent_id: ada.uuid, name: 'Ada' },
      acts: ['resume', 'archive'],
    });
    expect([ready, agents['paused'], reviews]).toEqual([true, 1, { open: 0, waiting: 0 }]);
    const { pause: stored } = taken(await overview.agent('Ada'));
    const recorded = stored!.evidence as { graded: number; mean_claim: number; accuracy: number };
    expect(lineOf(need!, 'graded results')).toBe(recorded.graded);
    expect(lineOf(need!, 'claimed on average')).toBe(`${Math.round(recorded.mean_claim * 100)}%`);
    expect(lineOf(need!, 'actual pass rate')).toBe(`${Math.round(recorded.accuracy * 100)}%`);
    expect(lineOf(need!, 'auto-resumes')).toBe(stored!.expires_at);
  });

  it('has its check-ins on record, the oldest first, each number in its place', async () => {
    const { points, truncated } = taken(await overview.states('Ada', 300));
    expect(points.map(({ check_in: n }) => n)).toEqual(Array.from({ length: pieces }, (_, i) => i + 1));
    expect(truncated).toBe(false);
    const { vitals, check_ins: checkIns } = taken(await overview.agent(ada.uuid));
    const last = points.at(-1)!;
    expect(checkIns).toBe(pieces);
    for (const key of ['E', 'I', 'S', 'V'] as const) expect(last[key], key).toBeCloseTo(vitals![key], 10);
    expect(new Set([last.E, last.I, last.S, last.V]).size, 'they can be told apart').toBe(4);
    expect(last).toMatchObject({ at: vitals!.at, verdict: vitals!.verdict });
    expect(last.reason).toEqual(expect.any(String));

    const newest = taken(await overview.states('Ada', 2));
    expect(newest).toEqual({ points: points.slice(-2), truncated: true });
  });

  it('has its outcomes beside what it claimed, the newest first', async () => {
    const { rows, truncated } = taken(await overview.claims('Ada', 100));
    expect(rows).toHaveLength(pieces);
    expect(truncated).toBe(false);
    expect(rows[0]).toMatchObject({ outcome: 'test_failed', is_bad: true, claimed_confidence: 0.95, check_in: pieces });
    expect(rows.at(-1)).toMatchObject({ outcome: 'test_passed', is_bad: false, claimed_confidence: 0.6, check_in: 1 });
    expect(rows[0]).toMatchObject({ graded: true, source: 'agent_reported_tool_result' });
    expect(taken(await overview.claims('Ada', 2))).toEqual({ rows: rows.slice(0, 2), truncated: true });
  });

  it('has a trail that pages show whole, also where clocks of nodes differed', async () => {
    const { rows, next } = taken(await overview.trail('Ada', { before: undefined, limit: 200 }));
    expect(rows.length).toBeGreaterThan(3);
    expect(rows.map(({ index }) => index)).toEqual(rows.map((_, i) => rows.length - i));
    expect(next).toBeNull();
    expect(rows.map(({ event }) => event).reverse()).toEqual(await w.trail(ada.uuid));
    expect(rows[0]!.hash).toMatch(/^v2:[0-9a-f]{64}$/);

    const paged = async (limit: number) => {
      const seen: number[] = [];
      let before: number | undefined;
      do {
        const page = taken(await overview.trail('Ada', { before, limit }));
        expect(page.rows.length).toBeLessThanOrEqual(limit);
        seen.push(...page.rows.map(({ index }) => index));
        before = page.next ?? undefined;
      } while (before !== undefined);
      return seen;
    };
    const whole = rows.map(({ index }) => index);
    expect(await paged(1)).toEqual(whole);
    // The newest but one, by a clock that was behind: by their times alone it would come after all others.
    await w.rows(
      `UPDATE audit.events SET ts = ts - interval '30 minutes' WHERE agent_id = $1 AND chain_index = $2`,
      ada.uuid,
      rows.length - 1,
    );
    for (const limit of [1, 2, 200]) expect(await paged(limit), `pages of ${limit}`).toEqual(whole);
    const far = taken(await overview.trail('Ada', { before: 1e15, limit: 1 }));
    expect(far.rows[0]!.index).toBe(rows.length);
    expect(taken(await overview.trail('Ada', { before: 1, limit: 5 }))).toEqual({ rows: [], next: null });
  });

  it('is found by id and by name alone; nobody else is made up', async () => {
    verifies('BW-console.03');
    expect(taken(await overview.agent(ada.uuid.toUpperCase())).name).toBe('Ada');
    expect(await overview.agent('ada')).toMatchObject({ ok: false, refusal: { code: 'AGENT_NOT_FOUND' } });
    const silent = await born(w, { name: 'New' });
    const view = taken(await overview.agent('New'));
    expect(view).toMatchObject({
      agent_id: silent.uuid,
      vitals: null,
      pause: null,
      parent: null,
      notes: null,
      archive: null,
      substrate: null,
      lineage: { state: 'none', declared_at: null, evaluated_at: null },
      children: [],
      conditions_in_force: [],
      reviews: [],
      sessions: { in_force: 1 },
    });
    expect(taken(await overview.states('New', 10))).toEqual({ points: [], truncated: false });
    expect(taken(await overview.claims('New', 10))).toEqual({ rows: [], truncated: false });
  });

  it('knows parents and children', async () => {
    const child = await born(w, { name: 'Child', parent_agent_id: ada.uuid, spawn_reason: 'subagent' });
    expect(taken(await overview.agent('Ada')).children).toEqual([{ agent_id: child.uuid, name: 'Child' }]);
    const view = taken(await overview.agent('Child'));
    expect(view).toMatchObject({ parent: { agent_id: ada.uuid, name: 'Ada' }, lineage: { state: 'provisional' } });
    expect(view.lineage.declared_at).not.toBeNull();
  });
});

describe('reviews', async () => {
  const w = await withYesterday();
  const overview = overviewOf(w);
  const max = await born(w, { name: 'Max' });
  const eva = await born(w, { name: 'Eva' });
  await giveRecord(w.database, [eva.uuid], w.clock.now());
  await w.node.agents.refresh([eva.uuid]);
  await w.call('sync_state', as(eva, { response_text: 'work' }));
  await w.node.flags.set('claims_review', 'peer', 'test', 'how it is shown is what is tested');
  await pause(w, max);
  const opened = await w.call(
    'request_review',
    as(max, {
      reviewer_mode: 'manual',
      reason: 'my claims were wrong',
      root_cause: 'I trusted old tests',
      proposed_conditions: ['Set complexity to 0.4', 'Monitor for 24 hours'],
    }),
  );
  const id = String(opened.body['session_id']);

  it('an open one is shown with what was said, and no merge before both have proposed', async () => {
    verifies('BW-console.03');
    const view = taken(await overview.review(id));
    expect(view).toMatchObject({
      review_id: id,
      agent: { agent_id: max.uuid, name: 'Max' },
      reviewer: null,
      phase: 'antithesis',
      reason: 'my claims were wrong',
      outcome: null,
      resolution: null,
      merge: null,
      sagas: [],
      messages: view.transcript.length,
    });
    expect(view.transcript[0]).toMatchObject({
      kind: 'thesis',
      role: 'paused agent',
      author: { name: 'Max' },
      root_cause: 'I trusted old tests',
    });
    w.clock.advance(1_000);
    const [need] = (await overview.now()).needs;
    expect(need).toMatchObject({ kind: 'paused', severity: 'warning', review_id: id });
    expect(need!.acts[0]).toBe('assign_reviewer');
  });

  it('the merge shows where each condition comes from, before the end and after it', async () => {
    await w.call(
      'submit_antithesis',
      as(eva, { session_id: id, reasoning: 'too much', proposed_conditions: ['Set complexity to 0.3'] }),
    );
    const say = (who: Minted, agrees: boolean, conditions: string[]) =>
      w.call(
        'submit_synthesis',
        as(who, { session_id: id, agrees, proposed_conditions: conditions, reasoning: 'so', root_cause: 'old tests' }),
      );
    await say(eva, false, ['Set complexity to 0.3', 'Monitor for 24 hours']);
    await say(max, false, ['Set complexity to 0.3', 'Write tests first']);
    const { merge } = taken(await overview.review(id));
    expect(merge!.conditions).toEqual([
      { text: 'Set complexity to 0.3', from: 'both' },
      { text: 'Write tests first', from: 'paused agent' },
      { text: 'Monitor for 24 hours', from: 'reviewer' },
    ]);
    expect(merge!.conflicts).toEqual([]);
    expect(merge!.root_cause_similarity).toBe(1);

    const agreed = await say(eva, true, ['Set complexity to 0.3', 'Monitor for 24 hours']);
    expect(agreed.body).toMatchObject({ phase: 'resolved' });
    const view = taken(await overview.review(id));
    expect(view).toMatchObject({ phase: 'resolved', outcome: 'resume', reviewer: { name: 'Eva' } });
    // Eva alone agreed, so that her terms stand as they are; what Max proposed last is not shown as if it were in force.
    expect(view.merge!.conditions).toEqual([
      { text: 'Set complexity to 0.3', from: 'both' },
      { text: 'Monitor for 24 hours', from: 'reviewer' },
    ]);
    expect(view.resolution!.conditions).toEqual(view.merge!.conditions.map(({ text }) => text));
    expect(view.sagas).toMatchObject([{ state: 'pg_committed', dead_letter: false, agent: { name: 'Max' } }]);
    expect(view.sagas[0]!.history.at(-1)?.step).toBe('committed');
  });

  it('leave conditions on the agent, and say which check-ins are held to', async () => {
    const { conditions_in_force: inForce, conditions, reviews } = taken(await overview.agent('Max'));
    expect(inForce.map(({ text, enforced }) => [text, enforced])).toEqual([
      ['Set complexity to 0.3', true],
      ['Monitor for 24 hours', false],
    ]);
    expect(conditions).toBe(2);
    expect(reviews.map(({ review_id: review }) => review)).toEqual([id]);
    expect(taken(await overview.agent('Eva')).reviews, 'also of whom it reviewed').toEqual(reviews);
  });

  it('are listed by status and agent, in pages, with two questions however many there are', async () => {
    const statements: Statement[] = [];
    const counted: Database = {
      ...w.database,
      query: (statement) => {
        statements.push(statement);
        return w.database.query(statement);
      },
    };
    await w.rows(
      `INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, reviewer_agent_id, phase, session_type,
         synthesis_round, max_synthesis_rounds, created_at, updated_at, last_participant_at)
       SELECT 'old-' || n, CASE WHEN n % 2 = 0 THEN $1 ELSE 'gone-' || n END, CASE WHEN n % 2 = 1 THEN $2 END, 'failed', 'review', 1, 5,
         to_timestamp($3::float8 / 1000) - n * interval '1 hour', now(), now() FROM generate_series(1, 30) n`,
      eva.uuid,
      max.uuid,
      w.clock.now(),
    );
    const list = overviewOf(w, counted);
    const page = async (query: Partial<Parameters<typeof list.reviews>[0]>) => {
      statements.length = 0;
      const found = taken(await list.reviews({ status: 'all', agent: undefined, offset: 0, limit: 50, ...query }));
      expect(statements).toHaveLength(2);
      return found;
    };
    const all = await page({});
    expect(all).toMatchObject({ matching: 31, counts: { open: 0, waiting: 0, resolved: 1, failed: 30 } });
    expect(all.rows.map(({ review_id: review }) => review)).toEqual([
      id,
      ...Array.from({ length: 30 }, (_, i) => `old-${i + 1}`),
    ]);
    expect(all.rows[0]!.messages).toBeGreaterThan(4);
    const second = await page({ status: 'failed', offset: 10, limit: 10 });
    expect(second.matching).toBe(30);
    expect(second.rows).toEqual(all.rows.slice(11, 21));
    const ofEva = await page({ agent: 'Eva' });
    expect(ofEva).toMatchObject({ matching: 16, counts: { resolved: 1, failed: 15 } });
    expect(ofEva.rows).toHaveLength(16);
    expect((await page({ agent: 'Eva', status: 'resolved' })).rows).toEqual([all.rows[0]]);
    // An agent that is not in memory has no other name than its id.
    expect(all.rows[1]!.agent).toEqual({ agent_id: 'gone-1', name: 'gone-1' });
    expect(await list.reviews({ status: 'all', agent: 'Nobody', offset: 0, limit: 1 })).toMatchObject({
      ok: false,
      refusal: { code: 'AGENT_NOT_FOUND' },
    });
    expect(await list.review('none')).toMatchObject({ ok: false, refusal: { code: 'DIALECTIC_NOT_FOUND' } });
  });

  it('that wait, resolutions that were given up and troubles of the last day need a person', async () => {
    const at = new Date(w.clock.now()).toISOString();
    await w.rows(
      `INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, phase, session_type, synthesis_round,
         max_synthesis_rounds, awaiting_facilitation, facilitation_since, created_at, updated_at, last_participant_at)
       VALUES ('waits', $1, 'thesis', 'review', 0, 5, true, $2::timestamptz, now(), now(), now())`,
      eva.uuid,
      at,
    );
    const [stored] = await w.rows('SELECT * FROM coordination.session_resolution_sagas WHERE session_id = $1', id);
    await w.rows(
      `INSERT INTO coordination.session_resolution_sagas
       SELECT (jsonb_populate_record(s, $2::jsonb)).* FROM coordination.session_resolution_sagas s WHERE saga_id = $1`,
      stored!['saga_id'],
      JSON.stringify({
        saga_id: LETTER,
        session_id: 'old-1',
        resolution_payload_hash: 'h',
        state: 'reserved',
        attempt_count: 5,
        last_error: 'no luck',
        pg_committed_at: null,
        paused_agent_ack_at: null,
        reviewer_agent_ack_at: null,
        dead_letter_at: at,
      }),
    );
    const trouble = (type: string, hours: number, payload: Json) =>
      w.rows(
        `INSERT INTO audit.coordination_events (ts, event_id, event_type, service, payload, context)
         VALUES ($1::timestamptz, gen_random_uuid(), $2, 'governance_mcp', $3::jsonb, '{}')`,
        new Date(w.clock.now() - hours * HOUR_MS).toISOString(),
        type,
        JSON.stringify(payload),
      );
    await trouble(FAILURE_EVENTS.etsPgDivergence, 2, { store: 'older', key: 'k' });
    await trouble(FAILURE_EVENTS.etsPgDivergence, 1, { store: 'newer', key: 'k' });
    await trouble(FAILURE_EVENTS.etsPgDivergence, 25, { store: 'too old', key: 'k' });
    await trouble(FAILURE_EVENTS.cutover503RateBreach, 1, {
      rate: 0.5,
      threshold: 0.01,
      count_503: 1,
      count_request: 2,
    });
    w.clock.advance(2_000);
    const { needs, reviews } = await overview.now();
    expect(reviews).toEqual({ open: 1, waiting: 1 });
    const of = (kind: Need['kind']) => needs.filter((need) => need.kind === kind);
    expect(of('review_waiting')).toMatchObject([
      { severity: 'critical', since: at, review_id: 'waits', title: 'The review of Eva has no reviewer' },
    ]);
    expect(of('dead_letter')).toMatchObject([
      { severity: 'critical', since: at, saga_id: LETTER, review_id: 'old-1', acts: ['retry_saga', 'revert_saga'] },
    ]);
    expect(lineOf(of('divergence')[0]!, 'seen in the last day')).toBe(2);
    expect(lineOf(of('divergence')[0]!, 'store')).toBe('newer');
    expect(lineOf(of('breach')[0]!, 'share answered with 503')).toBe('50%');
    expect((await overview.system()).sagas).toMatchObject([{ saga_id: LETTER, dead_letter: true, attempts: 5 }]);
    expect(taken(await overview.reviews({ status: 'waiting', agent: undefined, offset: 0, limit: 1 }))).toMatchObject({
      matching: 1,
      rows: [{ review_id: 'waits', awaiting_facilitation: true, facilitation_since: at }],
    });
  });
});

describe('the server', async () => {
  const w = await testWorld();
  const overview = overviewOf(w);

  it('tells of itself what it knows', async () => {
    const { database, parts, partitions } = await overview.system();
    expect(database).toEqual({
      embedded: true,
      version: expect.stringMatching(/^\d+/) as string,
      bytes: expect.any(Number) as number,
      schema_version: database.schema_target,
      schema_target: expect.any(Number) as number,
    });
    expect(parts).toEqual({});
    expect(partitions!.map(({ table }) => table)).toContain('audit.events');
  });

  it('shows operators without any secret', async () => {
    const secret = await operator(w.node, w.database, 'operator:read', 'watcher');
    await operator(w.node, w.database, 'operator:act', 'actor');
    const view = await overview.operators();
    expect(view.operators.map(({ name, can_act: act, state }) => [name, act, state])).toEqual([
      ['actor', true, 'in force'],
      ['watcher', false, 'in force'],
    ]);
    expect(Object.keys(view.operators[0]!).sort()).toEqual([
      'can_act',
      'created_at',
      'expires_at',
      'last_seen_at',
      'name',
      'state',
    ]);
    expect(JSON.stringify(view)).not.toContain(secret);
  });

  it('answers from memory while PostgreSQL hangs, and asks it no second time meanwhile', async () => {
    verifies('BW-console.03');
    let asked = 0;
    const hanging: Database = {
      ...w.database,
      query: () => {
        asked += 1;
        return new Promise(() => undefined);
      },
    };
    const stuck = overviewOf(w, hanging);
    const ask = async () => {
      const answer = stuck.now();
      await settle();
      w.clock.advance(1_500);
      return answer;
    };
    const { needs, reviews } = await ask();
    expect([reviews, needs.map(({ title }) => title)]).toEqual([null, ['PostgreSQL does not answer']]);
    const once = asked;
    await ask();
    expect(asked).toBe(once);
  });

  it('asks PostgreSQL once a second for all who look', async () => {
    let asked = 0;
    const counting: Database = {
      ...w.database,
      query: (statement) => {
        asked += 1;
        return w.database.query(statement);
      },
    };
    const watched = overviewOf(w, counting);
    await Promise.all([watched.now(), watched.now(), watched.now()]);
    const once = asked;
    await watched.now();
    expect(asked).toBe(once);
    w.clock.advance(1_000);
    await watched.now();
    expect(asked).toBe(2 * once);
  });
});
