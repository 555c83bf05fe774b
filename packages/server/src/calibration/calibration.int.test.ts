import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { onboard, operator, type Minted } from '../../testing/calls.ts';
import { testNode } from '../../testing/node.ts';
import type { Json } from '../../testing/rest.ts';
import { serveWorld } from '../../testing/serving.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld, type World } from '../../testing/world.ts';
import { calibrationError } from '../outcomes/index.ts';
import { claimsValue } from '../outcomes/testing/claims.ts';
import { decodeEvidence } from '../outcomes/index.ts';
import { freshBins, observeCalibration } from '../outcomes/index.ts';
import { DAY_MS, seededRandom } from '../runtime/index.ts';
import { assess } from './rules/assess.ts';
import { calibrationReply } from './rules/reply.ts';
import { tacticalBins, type Cell } from './rules/tally.ts';
import { cellOf, type Claim } from './rules/testing/cells.ts';
import * as sql from './sql.ts';

const FRESH_MS = 5_000;

let serial = 0;
const claimed = async (world: World, client_session_id: string, confidence: number | null, more: Json = {}) =>
  (
    await world.call('process_agent_update', {
      client_session_id,
      response_text: `Piece ${(serial += 1)} is done.`,
      confidence,
      ...more,
    })
  ).body['prediction_id'];
const settle = async (
  world: World,
  client_session_id: string,
  prediction_id: unknown,
  passed: boolean,
  more: Json = {},
) =>
  (
    await world.call('outcome_event', {
      client_session_id,
      outcome_type: passed ? 'test_passed' : 'test_failed',
      prediction_id,
      detail: { command: 'npm test', exit_code: passed ? 0 : 1 },
      ...more,
    })
  ).body;
const work = async (world: World, { secret }: Minted, confidence: number, results: readonly boolean[]) => {
  for (const passed of results) await settle(world, secret, await claimed(world, secret, confidence), passed);
};
const check = async (world: World, args: Json = {}) => (await world.call('calibration', args)).body;
const agent = (world: World, name: string) => onboard(world.call, { name, force_new: true });
const passes = (n: number, good: number) => Array.from({ length: n }, (_, i) => i < good);

/** A row as the server writes it, at any time. */
const insert = async (world: World, agentId: string, one: Claim & { readonly at: number }) => {
  const { claim, result, channel = 'tests', claimClass = 'agent_report', healthy = true, gap = null, at } = one;
  const notes = { channel, claim_class: claimClass, complexity_gap: gap, ended_healthy: healthy };
  await world.database.query({
    text: `INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, outcome_type, outcome_score, is_bad, detail,
             prediction_source, confidence, corroboration_grade, evidence_weight, graded)
           VALUES ($1::timestamptz, gen_random_uuid(), $2, 'test_passed', $3, false, $4::jsonb, 'registry', $5,
             'tool_observed', 0.65, $6)`,
    values: [
      new Date(at).toISOString(),
      agentId,
      result ?? null,
      JSON.stringify({ server_snapshot: notes }),
      claim,
      result !== undefined,
    ],
  });
};

describe('the calibration tool', async () => {
  const world = await testWorld();
  afterAll(() => world.node.stop());
  beforeEach(() => {
    world.clock.advance(FRESH_MS);
  });

  test('with no data says no_data to anybody who asks', async () => {
    verifies('BW-outcomes.03');
    const empty = await check(world);
    expect(empty).toMatchObject({
      success: true,
      scope: 'fleet',
      calibrated: null,
      calibration_status: 'no_data',
      accuracy: null,
      total_samples: 0,
      tactical_evidence: { n: 0, newest_at: null },
      sequential: { agents: 0, highest: null },
    });
    expect(await check(world, { action: 'check' })).toMatchObject({ calibration_status: 'no_data' });
    expect((await world.call('check_calibration')).body).toMatchObject({ calibration_status: 'no_data' });
  });

  test('counts what was claimed and came of it, for the fleet and for one agent by id or name', async () => {
    verifies('BW-outcomes.03', 'BW-outcomes.04');
    const ada = await agent(world, 'Ada');
    const ben = await agent(world, 'Ben');
    await work(world, ada, 0.85, passes(10, 9));
    await work(world, ben, 0.95, passes(4, 0));
    const fleet = await check(world);
    expect(fleet).toMatchObject({
      total_samples: 14,
      accuracy: 0.6429,
      truth_channel: 'confidence_outcome_match',
      per_channel_calibration: { tests: { n: 14 } },
      by_class: { agent_report: { n: 14 } },
      sequential: { agents: 2 },
    });
    expect(fleet).not.toHaveProperty('used_by_check_ins');
    const { curves } = fleet as unknown as { curves: { tactical: { bins: Json[] } } };
    expect(curves.tactical.bins.map(({ n }) => n)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 10, 4]);
    for (const name of ['Ada', ada.uuid, ada.uuid.toUpperCase()]) {
      expect(await check(world, { agent_id: name })).toMatchObject({
        scope: 'agent',
        agent_id: name,
        calibration_status: 'undecided',
        calibrated: null,
        accuracy: 0.9,
        total_samples: 10,
        used_by_check_ins: { n: 10 },
        sequential: { graded: 10 },
      });
    }
    expect(JSON.stringify(await check(world, { agent_id: 'Ada' }))).not.toContain(ada.uuid);
    expect(await check(world, { target_agent_id: 'Ben' })).toMatchObject({
      calibration_status: 'no_data',
      total_samples: 4,
    });
  });

  test("gives an agent's over-confidence as its check-ins use it", async () => {
    const cid = await agent(world, 'Cid');
    await work(world, cid, 0.9, passes(6, 3));
    const told = await check(world, { agent_id: 'Cid' });
    const { body } = await world.call('process_agent_update', {
      client_session_id: cid.secret,
      response_text: 'More.',
    });
    expect(told['used_by_check_ins']).toEqual(body['calibration']);
    expect(told['worst_bin_gap']).toBeCloseTo(0.4, 4);
    expect(told).toMatchObject({ mean_gap: 0.4, skill: { n: 6, uncertainty: 0.25, one_class: false } });
  });

  test('names what is wrong: an unknown agent, a name of several', async () => {
    await agent(world, 'Twin');
    await world.rows("UPDATE core.agents SET label = 'Twin' WHERE label = 'Ben'");
    expect((await world.call('calibration', { agent_id: 'nobody' })).code).toBe('AGENT_NOT_FOUND');
    expect((await world.call('calibration', { agent_id: 'Twin' })).code).toBe('PARAMETER_ERROR');
    expect((await world.call('calibration', { action: 'improve' })).code).toBe('PARAMETER_ERROR');
  });

  test('takes no word for a result: update and backfill are refused, with the way out, and nothing changes', async () => {
    verifies('BW-outcomes.01');
    const { secret } = await agent(world, 'Dan');
    const actor = { operatorSecret: await operator(world.node, world.database, 'operator:act', 'truth') };
    const before = await check(world);
    for (const [name, args] of [
      ['calibration', { action: 'update', actual_correct: true, confidence: 0.9 }],
      ['calibration', { action: 'backfill' }],
      ['update_calibration_ground_truth', { actual_correct: true }],
      ['backfill_calibration_from_dialectic', {}],
    ] as const) {
      const refused = await world.call(name, { client_session_id: secret, ...args }, actor);
      expect(refused.code, name).toBe('CALIBRATION_BY_OUTCOMES_ONLY');
      expect(JSON.stringify(refused.body['recovery'])).toContain('record_result');
    }
    world.clock.advance(FRESH_MS);
    const { window: _before, ...was } = before;
    const { window: _after, ...is } = await check(world);
    for (const part of ['total_samples', 'accuracy', 'curves', 'issues']) expect(is[part]).toEqual(was[part]);
  });

  test('leaves out test data, confidences that nobody claimed, and words without evidence', async () => {
    verifies('BW-outcomes.02');
    const eve = await agent(world, 'Eve');
    const { secret } = eve;
    await settle(world, secret, await claimed(world, secret, 0.9), true, {
      detail: { command: 'x', exit_code: 0, do_not_persist: true },
    });
    await settle(world, secret, await claimed(world, secret, null), true);
    await settle(world, secret, undefined, true, { confidence: 0.9 });
    expect(await check(world, { agent_id: 'Eve' })).toMatchObject({ total_samples: 0, tactical_evidence: { n: 0 } });
    await settle(world, secret, await claimed(world, secret, 0.9), true, { detail: { note: 'works' } });
    world.clock.advance(FRESH_MS);
    expect(await check(world, { agent_id: 'Eve' })).toMatchObject({
      total_samples: 1,
      tactical_evidence: { n: 0 },
      calibration_status: 'no_data',
    });
  });

  test('says stale after seven days without a result', async () => {
    verifies('BW-outcomes.03');
    world.clock.advance(7 * DAY_MS + 3_600_000);
    expect(await check(world, { agent_id: 'Ada' })).toMatchObject({
      calibration_status: 'signal_stale',
      calibrated: null,
    });
    expect(await check(world)).toMatchObject({ calibration_status: 'signal_stale' });
  });
});

describe('memory and PostgreSQL', async () => {
  const world = await testWorld({ pastMs: 95 * DAY_MS });
  const one = await onboard(world.call, { name: 'One', force_new: true });
  afterAll(() => world.node.stop());
  const now = () => world.clock.now();
  const graded = async () => ((await check(world))['tactical_evidence'] as Json)['n'];

  test('a look costs no query while it is fresh, says how old it is, and is shared', async () => {
    verifies('BW-outcomes.03');
    await insert(world, one.uuid, { claim: 0.9, result: 1, at: now() });
    const before = world.queries;
    const looks = await Promise.all(Array.from({ length: 20 }, () => check(world)));
    const cost = world.queries - before;
    expect(cost).toBe(2);
    for (const look of looks) expect(look).toMatchObject({ tactical_evidence: { n: 1 }, window: { age_ms: 0 } });
    await insert(world, one.uuid, { claim: 0.9, result: 1, at: now() });
    world.clock.advance(FRESH_MS - 1);
    expect(await check(world)).toMatchObject({ tactical_evidence: { n: 1 }, window: { age_ms: FRESH_MS - 1 } });
    expect(world.queries - before).toBe(cost);
    world.clock.advance(1);
    expect(await check(world)).toMatchObject({ tactical_evidence: { n: 2 }, window: { age_ms: 0 } });
  });

  test('a row that comes late is counted: within ten minutes at once, later with the next whole count', async () => {
    world.clock.advance(FRESH_MS);
    const n = (await graded()) as number;
    await insert(world, one.uuid, { claim: 0.9, result: 1, at: now() - 600_000 });
    world.clock.advance(FRESH_MS);
    expect(await graded()).toBe(n + 1);
    await insert(world, one.uuid, { claim: 0.9, result: 1, at: now() - 2 * DAY_MS });
    world.clock.advance(FRESH_MS);
    expect(await graded()).toBe(n + 1);
    world.clock.advance(3_600_000);
    expect(await graded()).toBe(n + 2);
  });

  test('a row of 23:59 that commits after a look past midnight is counted at the next look', async () => {
    verifies('BW-outcomes.03');
    const midnight = (Math.floor(now() / DAY_MS) + 1) * DAY_MS;
    world.clock.advance(midnight + 30_000 - now());
    const n = (await graded()) as number;
    await insert(world, one.uuid, { claim: 0.9, result: 1, at: midnight - 60_000 });
    world.clock.advance(60_000);
    expect(await graded()).toBe(n + 1);
  });

  test('claims on the edge of a bin belong to the upper one, in PostgreSQL as in the rules of a check-in', async () => {
    verifies('BW-outcomes.03');
    const { uuid } = await onboard(world.call, { name: 'Edge', force_new: true });
    const edges = Array.from({ length: 11 }, (_, i) => i / 10);
    for (const claim of edges) await insert(world, uuid, { claim, result: 1, at: now() });
    world.clock.advance(FRESH_MS);
    expect(await graded()).toBeGreaterThanOrEqual(edges.length);
    const counted = await world.database.query<sql.CellRow>(sql.selectCells(0, uuid));
    const ofSql = tacticalBins(counted.map(sql.cellFromRow)).map(({ n }) => n);
    const ofRules = edges.reduce((bins, claim) => observeCalibration(bins, { claim, result: 1 }), freshBins);
    expect(ofSql).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
    expect(ofRules.map(({ n }) => n)).toEqual(ofSql);
  });

  test('rebuild is for operators that may act, tells the days that differed, and only tries with dry_run', async () => {
    await graded();
    const at = now() - 3 * DAY_MS;
    await insert(world, one.uuid, { claim: 0.9, result: 1, at });
    const n = (await graded()) as number;
    const reader = { operatorSecret: await operator(world.node, world.database, 'operator:read', 'r') };
    const actor = { operatorSecret: await operator(world.node, world.database, 'operator:act', 'a') };
    for (const [args, seen] of [
      [{}, {}],
      [{ client_session_id: one.secret }, {}],
      [{}, reader],
    ] as const) {
      expect((await world.call('calibration', { action: 'rebuild', ...args }, seen)).code).toBe('OPERATOR_REQUIRED');
    }
    const rebuild = async (args: Json) => (await world.call('rebuild_calibration', args, actor)).body;
    const day = new Date(at).toISOString().slice(0, 10);
    const difference = { day, before: expect.anything() as unknown, after: expect.anything() as unknown };
    expect(await rebuild({ dry_run: true })).toMatchObject({
      dry_run: true,
      graded: n + 1,
      days_that_differed: 1,
      differences: [difference],
    });
    expect(await graded()).toBe(n);
    expect(await rebuild({})).toMatchObject({
      dry_run: false,
      graded: n + 1,
      days_that_differed: 1,
      differences: [difference],
    });
    expect(await graded()).toBe(n + 1);
    expect(await rebuild({})).toMatchObject({ days_that_differed: 0, differences: [] });
  });

  test('a restart, and another node, say the same', async () => {
    verifies('BW-outcomes.03');
    const said = async () => {
      const { window: _, server_time: __, timestamp: ___, ...rest } = await check(world);
      return rest;
    };
    world.clock.advance(FRESH_MS);
    const before = await said();
    await world.restart();
    expect(await said()).toEqual(before);
    const other = await testNode(world.database, { clock: world.clock });
    const look = await other.calibration.look();
    if (!look.ok) throw new Error('refused');
    const reply = calibrationReply(look.value.assessment, look.value.reading, look.value.freshness);
    expect(reply['curves']).toEqual(before['curves']);
    await other.stop();
  });

  test('PostgreSQL counts as the rules do, day by day, bin by bin', async () => {
    verifies('BW-outcomes.03');
    const random = seededRandom(11);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const { uuid } = await onboard(world.call, { name: 'Random', force_new: true });
    const start = Math.floor(now() / DAY_MS) * DAY_MS - 90 * DAY_MS;
    const rows = Array.from({ length: 300 }, (_, i) => ({
      // Edges of bins among them, which binary fractions miss by a hair.
      claim: i % 3 === 0 ? Math.floor(random() * 11) / 10 : random(),
      result: pick([undefined, 0, 1, 1, random()]),
      channel: pick(['tests', 'lint', 'other']),
      claimClass: pick(['agent_report', 'prediction', null]),
      healthy: pick([true, true, false, null]),
      gap: pick([null, 0.3, 0.300001, random()]),
      at: pick([start, start + DAY_MS - 1, start + DAY_MS, now(), start + Math.floor(random() * 90 * DAY_MS)]),
    }));
    const outside = [start - 1, start - 4 * DAY_MS].map((at) => ({ claim: 0.9, result: 0, at }));
    for (const row of [...rows, ...outside]) await insert(world, uuid, row);
    world.clock.advance(FRESH_MS);
    const counted = await world.database.query<sql.CellRow>(sql.selectCells(start, uuid));
    const sizes = (cells: readonly Cell[]) => {
      const sums = new Map<string, number>();
      for (const { day, channel, claimClass, bin, claims } of cells) {
        const key = [day, channel, claimClass, bin].join(' ');
        sums.set(key, (sums.get(key) ?? 0) + claims);
      }
      return [...sums].sort();
    };
    expect(sizes(counted.map(sql.cellFromRow))).toEqual(sizes(rows.map(cellOf)));
    const look = await world.node.calibration.look('Random');
    if (!look.ok) throw new Error('refused');
    const expected = assess(rows.map(cellOf), now(), calibrationError);
    const shown = (assessment: typeof expected) => {
      const { calibrated: _, ...reply } = calibrationReply(assessment, look.value.reading, look.value.freshness);
      return reply;
    };
    expect(shown(look.value.assessment)).toEqual(shown(expected));
    expect(look.value.assessment.tactical.n).toBe(rows.filter(({ result }) => result !== undefined).length);
    expect(look.value.assessment.tactical.newest).toBe(expected.tactical.newest);
  });

  test('counts graded outcomes from before the server kept notes', async () => {
    const { uuid } = await onboard(world.call, { name: 'Old', force_new: true });
    await world.rows(
      `INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, outcome_type, outcome_score, is_bad, prediction_source,
         confidence, corroboration_grade, evidence_weight, graded)
       SELECT to_timestamp($2 / 1000.0), gen_random_uuid(), $1, 'test_passed', 1, false, 'registry', 0.9, 'tool_observed', 0.65, g
       FROM unnest(ARRAY[true, false]) g`,
      uuid,
      now(),
    );
    expect(await check(world, { agent_id: 'Old' })).toMatchObject({
      total_samples: 1,
      per_channel_calibration: { other: { n: 1 } },
    });
  });

  test('whatever stands in a detail, the row can be written', async () => {
    const { uuid } = await onboard(world.call, { name: 'Odd', force_new: true });
    for (const notes of [{ complexity_gap: 'far', ended_healthy: 'well', channel: 'x' }, [], 'x', { channel: null }]) {
      await world.rows(
        `INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, outcome_type, is_bad, detail, prediction_source,
           confidence, corroboration_grade, evidence_weight, graded)
         VALUES (to_timestamp($2 / 1000.0), gen_random_uuid(), $1, 'test_passed', false, $3::jsonb, 'registry', 0.9, 'x', 0.1, false)`,
        uuid,
        now(),
        JSON.stringify({ server_snapshot: notes }),
      );
    }
    expect(await check(world, { agent_id: 'Odd' })).toMatchObject({ total_samples: 1, tactical_evidence: { n: 0 } });
  });

  test('reads the detectors of the fleet as each agent has its own, and leaves out those that have ended', async () => {
    const agents = [];
    for (const [name, results] of [
      ['Good', passes(6, 6)],
      ['Bad', passes(6, 0)],
      ['Gone', passes(3, 0)],
    ] as const) {
      const minted = await agent(world, name);
      await work(world, minted, 0.9, results);
      agents.push(minted);
    }
    await world.call('agent', { client_session_id: agents[2]!.secret, action: 'archive', force: true });
    const values = [];
    for (const { uuid } of agents.slice(0, 2)) {
      const [row] = await world.rows('SELECT evidence FROM core.identities WHERE agent_id = $1', uuid);
      values.push(claimsValue(decodeEvidence(row?.['evidence'] as Json).claims));
    }
    world.clock.advance(FRESH_MS);
    const { sequential } = (await check(world)) as { sequential: Json };
    expect(sequential).toMatchObject({ agents: 2, at_guide_or_above: 1, at_pause_or_above: 1 });
    expect(sequential['highest']).toBeCloseTo(Math.max(...values), 3);
    const own = (await check(world, { agent_id: 'Bad' })) as { sequential: Json };
    expect(own.sequential).toMatchObject({ graded: 6, value: expect.closeTo(values[1]!, 3) as number });
  });

  test('the diagram is served, of the fleet and of an agent', async () => {
    verifies('BW-outcomes.04');
    const served = await serveWorld(world);
    const draw = async (query: string) => {
      const answer = await fetch(`${served.url}/v1/calibration/diagram.svg${query}`);
      return { status: answer.status, text: await answer.text() };
    };
    const fleet = await draw('');
    expect([fleet.status, fleet.text.slice(0, 4)]).toEqual([200, '<svg']);
    expect((await draw('?agent_id=Bad')).text).toContain('Calibration of Bad (n = 6)');
    expect((await draw('?agent_id=nobody')).status).toBe(404);
    await served.close();
  });

  test('without PostgreSQL it refuses and invents nothing', async () => {
    world.clock.advance(FRESH_MS);
    world.cutOff(true);
    expect((await world.call('calibration')).code).toBe('STORAGE_UNAVAILABLE');
    world.cutOff(false);
    expect((await world.call('calibration')).ok).toBe(true);
  });
});

describe('what check-ins use of it (spec checkin 2.4, 2.5 and 2.9)', async () => {
  const [calm, wild] = [await testWorld(), await testWorld()];
  afterAll(() => Promise.all([calm.node.stop(), wild.node.stop()]));

  /** Five check-ins with results of the same kind in both worlds, as they are answered in full. */
  const story = async (world: World) => {
    const { secret } = await agent(world, 'Same');
    const answers: Json[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { body } = await world.call('process_agent_update', {
        client_session_id: secret,
        response_text: `Step ${i} of the same work.`,
        confidence: 0.8,
        complexity: 0.4,
        response_mode: 'full',
      });
      await settle(world, secret, body['prediction_id'], i % 3 !== 0);
      const { decision, verdict, metrics, calibration, scoring, evidence, update } = body;
      answers.push({ decision, verdict, metrics, calibration, scoring, evidence, update });
      world.clock.advance(60_000);
    }
    return answers;
  };

  test("is the agent's own error; the fleet's calibration changes nothing of a check-in", async () => {
    verifies('BW-outcomes.03');
    const other = await agent(wild, 'Wild');
    for (let i = 0; i < 50; i += 1) await insert(wild, other.uuid, { claim: 0.99, result: 0, at: wild.clock.now() });
    await work(wild, other, 0.95, passes(5, 0));
    expect(await check(wild)).toMatchObject({ calibration_status: 'miscalibrated' });
    const [a, b] = [await story(calm), await story(wild)];
    expect(b).toEqual(a);
    expect(a.at(-1)?.['calibration']).toMatchObject({ n: 7, error: 0.2286 });
  });
});
