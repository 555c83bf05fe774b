import { performance } from 'node:perf_hooks';
import { AGENT_SORTS } from '@breakwater/contract';
import { operatorRoutes } from '@breakwater/contract/routes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { testOverview } from '../testing/overview.ts';
import type { AgentHead } from '../../agents/agent.ts';
import { readCoverage } from '../../agents/coverage.ts';
import { shownRisk } from '../../agents/standing.ts';
import { fleets } from '../../lifecycle/rules/testing/fleets.ts';
import { head, HOUR, ME, MINUTE, NOW, OTHER, pauseUntil, vitals } from '../../lifecycle/rules/testing/head.ts';
import { columnsOfThese, createLiveTable } from '../../runtime/index.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { agentRow, agentsPage, countAtWork, refOf } from './agents.ts';

const around = (heads: readonly AgentHead[], stuck: readonly string[] = []) => ({
  now: NOW,
  stuckAfter: ({ agentId }: AgentHead) => (stuck.includes(agentId) ? -Infinity : Infinity),
  isStable: (agentId: string) => agentId !== OTHER,
  conditionsInForce: () => 2,
  find: (agentId: string) => heads.find((one) => one.agentId === agentId),
});

const queryOf = (raw: Readonly<Record<string, string>> = {}) => operatorRoutes.agents.query.parse(raw);

const FLEET = [
  head({
    agentId: 'a-1',
    label: 'Ada',
    tags: ['build'],
    lastActivityAt: NOW - 3 * MINUTE,
    vitals: vitals({ risk: 0.2 }),
  }),
  head({
    agentId: 'b-2',
    label: 'bob',
    purpose: 'Writes the ADA report',
    lastActivityAt: NOW - MINUTE,
    updateCount: 9,
  }),
  head({
    agentId: 'c-3',
    label: null,
    handle: 'Opus_1',
    status: 'paused',
    pause: pauseUntil(NOW + HOUR),
    lastActivityAt: NOW - 2 * MINUTE,
    createdAt: NOW - 2 * HOUR,
    vitals: vitals({ risk: 0.9, verdict: 'pause' }),
  }),
  head({ agentId: 'd-4', label: 'Dora', status: 'archived', lastActivityAt: null }),
  head({ agentId: 'e-5', label: 'Eve', status: 'deleted' }),
];
const page = (raw: Readonly<Record<string, string>>, stuck?: readonly string[]) =>
  agentsPage(columnsOfThese(FLEET), queryOf(raw), around(FLEET, stuck));
const ids = (raw: Readonly<Record<string, string>>, stuck?: readonly string[]) =>
  page(raw, stuck).rows.map(({ agent_id: id }) => id[0]);

describe('the list of agents', () => {
  it('shows those at work, the newest activity first, and counts them all', () => {
    const found = page({}, ['a-1']);
    expect(found.rows.map(({ name }) => name)).toEqual(['bob', 'Opus_1', 'Ada']);
    expect({ ...found, rows: [] }).toEqual({
      rows: [],
      matching: 3,
      total: 4,
      counts: { active: 2, paused: 1, waiting_input: 0, archived: 1, stuck: 1 },
      offset: 0,
      limit: 50,
    });
  });

  it.each<[Record<string, string>, string[]]>([
    [{ search: 'ADA' }, ['b', 'a']],
    [{ search: 'OPUS_1' }, ['c']],
    [{ search: 'uil' }, ['a']],
    [{ search: 'c-' }, ['c']],
    [{ search: 'dora' }, []],
    [{ search: 'dora', status: 'all' }, ['d']],
    [{ status: 'paused' }, ['c']],
    [{ status: 'stuck' }, ['a']],
    [{ status: 'all' }, ['b', 'c', 'a', 'd']],
    [{ status: 'deleted' }, ['e']],
    [{ verdict: 'pause' }, ['c']],
    [{ tag: 'build' }, ['a']],
    [{ tag: 'buil' }, []],
    [{ search: 'ada', tag: 'build' }, ['a']],
  ])('filters by %o', (raw, expected) => {
    expect(ids(raw, ['a-1'])).toEqual(expected);
  });

  it.each<[Record<string, string>, string[]]>([
    [{ sort: 'name' }, ['a', 'b', 'c']],
    [{ sort: 'name', order: 'desc' }, ['c', 'b', 'a']],
    [{ sort: 'status' }, ['a', 'b', 'c']],
    [{ sort: 'check_ins' }, ['b', 'a', 'c']],
    [{ sort: 'created', order: 'asc' }, ['c', 'a', 'b']],
    // Whose risk is not known is neither the highest nor the lowest.
    [{ sort: 'risk' }, ['c', 'a', 'b']],
    [{ sort: 'risk', order: 'asc' }, ['a', 'c', 'b']],
  ])('sorts by %o', (raw, expected) => {
    expect(ids(raw)).toEqual(expected);
  });

  it('sorts by pass rate, gap, coverage and evidence; who has none of it comes last either way', () => {
    const one = (agentId: string, pass_rate: number, mean_claim: number, settled: number, claims: number) =>
      head({
        agentId,
        vitals: vitals({
          claims,
          calibration: { error: null, graded: 9, pass_rate, mean_claim },
          coverage: {
            made: 10,
            settled,
            expired: 10 - settled,
            unclaimed: 0,
            ungraded: 0,
            silence: [1, 1, 1, 1],
            from: 0,
            open: [],
          },
        }),
      });
    const heads = [
      one('x', 0.2, 0.9, 4, 1.5),
      one('y', 0.9, 0.85, 9, 1),
      one('z', 0.5, 0.6, 2, 90),
      head({ agentId: 'n', vitals: vitals({ claims: 1 }) }),
    ];
    const order = (sort: string, direction: string) =>
      agentsPage(columnsOfThese(heads), queryOf({ sort, order: direction }), around(heads))
        .rows.map(({ agent_id }) => agent_id)
        .join('');
    for (const [sort, up] of [
      ['pass_rate', 'x z y'],
      ['gap', 'y z x'],
      ['coverage', 'z x y'],
      ['evidence', 'y x z'],
    ] as const) {
      expect(order(sort, 'asc'), sort).toBe(`${up.replaceAll(' ', '')}n`);
      expect(order(sort, 'desc'), sort).toBe(`${up.split(' ').toReversed().join('')}n`);
    }
  });

  it('counts the same whatever is asked for, deleted agents never', () => {
    const counted = ({ total, counts }: ReturnType<typeof page>) => ({ total, counts });
    for (const raw of [{ status: 'deleted' }, { status: 'all' }, { search: 'nobody' }]) {
      expect(counted(page(raw))).toEqual(counted(page({})));
    }
    expect(page({ status: 'deleted' }).matching).toBe(1);
  });

  it('pages without loss or repetition', () => {
    const heads = Array.from({ length: 23 }, (_, i) => head({ agentId: `id-${i}` }));
    const seen = [0, 10, 20, 30].flatMap((offset) =>
      agentsPage(columnsOfThese(heads), queryOf({ offset: String(offset), limit: '10' }), around(heads)).rows.map(
        (r) => r.agent_id,
      ),
    );
    expect(seen).toHaveLength(23);
    expect(new Set(seen).size).toBe(23);
    // Equals keep their places also when memory was filled in another order, as after a restart.
    const reversed = [...heads].reverse();
    const again = agentsPage(columnsOfThese(reversed), queryOf({ limit: '23' }), around(reversed)).rows.map(
      (r) => r.agent_id,
    );
    expect(again).toEqual(seen);
  });
});

describe('a row', () => {
  it('says null for what is not known', () => {
    verifies('BW-console.03');
    expect(agentRow(head({ lastActivityAt: null, parentAgentId: OTHER }), around([], [ME]))).toEqual({
      agent_id: ME,
      name: 'Opus_20260601',
      status: 'active',
      tags: [],
      purpose: null,
      parent: { agent_id: OTHER, name: OTHER },
      created_at: new Date(NOW - HOUR).toISOString(),
      last_activity_at: null,
      is_stuck: true,
      is_stable: true,
      check_ins: 3,
      vitals: null,
      pause: null,
      conditions: 2,
    });
  });

  it('shows a pause as long as it holds, and figures as they were measured', () => {
    const pause = pauseUntil(NOW);
    const calibration = { error: 0.1, graded: 7, pass_rate: 0.5, mean_claim: 0.9 };
    const row = agentRow(
      head({ agentId: OTHER, status: 'paused', pause, vitals: vitals({ claims: 3, calibration }) }),
      around([]),
    );
    expect(row.pause).toEqual({
      paused_at: pause.paused_at,
      expires_at: pause.expires_at,
      kind: 'risk_pause',
      reason: 'risk',
      evidence: {},
    });
    expect(row.vitals).toMatchObject({
      E: 0.7,
      S: 0.2,
      claims: 3,
      calibration_error: 0.1,
      graded: 7,
      pass_rate: 0.5,
      mean_claim: 0.9,
      mean_gap: 0.4,
      risk_word: 'paused',
    });
    expect(row.is_stable).toBe(false);
    expect(agentRow(head({ pause: pauseUntil(NOW - 1) }), around([])).pause).toBeNull();
  });

  it('names an agent by its label, its handle, or its id when memory has no more', () => {
    const heads = [head({ label: 'Ada' }), head({ agentId: OTHER })];
    const names = [ME, OTHER, 'x'].map((id) => refOf(id, (asked) => heads.find((one) => one.agentId === asked)).name);
    expect(names).toEqual(['Ada', 'Opus_20260601', 'x']);
  });
});

describe('large fleets', () => {
  const fleet = (size: number) => {
    const { table, writer } = createLiveTable<AgentHead>('agents');
    for (let i = 0; i < size; i += 1) {
      const agentId = `${String(i).padStart(8, '0')}-1111-4111-8111-111111111111`;
      writer.publish(
        agentId,
        head({
          agentId,
          label: `Agent ${(i * 7919) % size}`,
          purpose: i % 3 === 0 ? 'Keeps the build green' : null,
          tags: ['ephemeral', `team-${i % 20}`],
          status: i % 11 === 0 ? 'paused' : 'active',
          pause: i % 11 === 0 ? pauseUntil(NOW + HOUR) : null,
          // A third has been silent for long.
          lastActivityAt: NOW - (i % 90) * MINUTE,
          updateCount: i % 50,
          vitals: vitals({ risk: (i % 100) / 100 }),
        }),
      );
    }
    return table;
  };
  const nobody = { query: () => Promise.reject(new Error('the list asks nobody')) } as never;

  /** The median of a request's time in ms, over every sort and a search. */
  const medianOf = (size: number) => {
    const overview = testOverview(nobody, fleet(size), { clock: new ManualClock(NOW) });
    const queries = [
      ...['activity', 'name', 'status', 'risk', 'check_ins', 'created', 'pass_rate', 'gap', 'coverage', 'evidence'].map(
        (sort) => queryOf({ sort }),
      ),
      queryOf({ search: 'build', tag: 'team-3', sort: 'name' }),
      queryOf({ status: 'stuck', sort: 'risk', offset: '50' }),
    ];
    const times = queries.flatMap((query) =>
      Array.from({ length: 3 }, () => {
        const started = performance.now();
        const { rows } = overview.agents(query);
        expect(rows.length).toBeGreaterThan(0);
        return performance.now() - started;
      }),
    );
    times.sort((a, b) => a - b);
    return times[Math.floor(times.length / 2)]!;
  };

  it('of 1,000 and of 10,000 agents filter, sort and page in less than 100 ms, from memory alone', () => {
    verifies('BW-console.04');
    expect(medianOf(1_000)).toBeLessThan(100);
    expect(medianOf(10_000)).toBeLessThan(100);
  });
});

describe('a page of any fleet', () => {
  type Key = string | number | null;
  const claimGap = ({ vitals: known }: AgentHead) =>
    known?.calibration.pass_rate == null ? null : known.calibration.mean_claim! - known.calibration.pass_rate;
  const sorts: Record<string, (agent: AgentHead) => Key> = {
    activity: ({ lastActivityAt, createdAt }) => lastActivityAt ?? createdAt,
    name: ({ label, handle }) => (label ?? handle).toLowerCase(),
    status: ({ status }) => status,
    risk: ({ vitals: known }) => shownRisk(known),
    check_ins: ({ updateCount }) => updateCount,
    created: ({ createdAt }) => createdAt,
    pass_rate: ({ vitals: known }) => known?.calibration.pass_rate ?? null,
    gap: claimGap,
    coverage: ({ vitals: known }) => readCoverage(known?.coverage, NOW).share,
    evidence: ({ vitals: known }) => (known === null || known.calibration.graded === 0 ? null : known.claims),
  };

  it('is what filtering and sorting all of it gives, and so are its counts', () => {
    verifies('BW-console.04');
    const queries = fc.record({
      search: fc.constantFrom(undefined, 'ada', 'ADA', 'build', '3', 'opus', 'nobody'),
      status: fc.constantFrom('present', 'all', 'stuck', 'active', 'paused', 'archived', 'deleted', 'disabled'),
      verdict: fc.constantFrom(undefined, undefined, 'pause'),
      tag: fc.constantFrom(undefined, undefined, 'build'),
      sort: fc.constantFrom(...AGENT_SORTS),
      order: fc.constantFrom('asc' as const, 'desc' as const),
      offset: fc.nat(20),
      limit: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(fleets, queries, (heads, query) => {
        const isSilent = ({ status, updateCount }: AgentHead) => status === 'active' && updateCount > 1;
        const surroundings = {
          ...around(heads),
          stuckAfter: (agent: AgentHead) => (isSilent(agent) ? NOW - 1 : Infinity),
        };
        const key = sorts[query.sort]!;
        const matching = heads
          .filter((agent) => {
            const { status, verdict, tag } = query;
            if (agent.status === 'deleted' && status !== 'deleted') return false;
            if (status === 'stuck' && !isSilent(agent)) return false;
            if (status === 'present' && agent.status === 'archived') return false;
            if (!['present', 'all', 'stuck', agent.status].includes(status)) return false;
            if (verdict !== undefined && agent.vitals?.verdict !== verdict) return false;
            if (tag !== undefined && !agent.tags.includes(tag)) return false;
            const wanted = query.search?.toLowerCase() ?? '';
            const texts = [agent.label ?? '', agent.handle, agent.purpose ?? '', ...agent.tags];
            return texts.some((text) => text.toLowerCase().includes(wanted)) || agent.agentId.startsWith(wanted);
          })
          .sort((a, b) => {
            const [one, other] = [key(a), key(b)];
            if ((one === null) !== (other === null)) return one === null ? 1 : -1;
            if (one !== null && other !== null && one !== other)
              return one < other === (query.order === 'desc') ? 1 : -1;
            return a.agentId < b.agentId ? -1 : 1;
          });
        const found = agentsPage(columnsOfThese(heads), query, surroundings);
        const shown = matching.slice(query.offset, query.offset + query.limit);
        expect(found.rows.map(({ agent_id: id }) => id)).toEqual(shown.map(({ agentId }) => agentId));
        const present = heads.filter(({ status }) => status !== 'deleted');
        const counts: Record<string, number> = { active: 0, paused: 0, waiting_input: 0, archived: 0 };
        for (const { status } of present) counts[status] = (counts[status] ?? 0) + 1;
        counts['stuck'] = present.filter(isSilent).length;
        expect(found).toMatchObject({ matching: matching.length, total: present.length });
        expect(found.counts).toEqual(counts);
      }),
      { numRuns: 500 },
    );
  });
});

it('at work is who has checked in within the last five minutes, and not who was only born', () => {
  const checkedIn = (agentId: string, ago: number) =>
    head({ agentId, vitals: vitals({ at: new Date(NOW - ago).toISOString() }) });
  const heads = [
    checkedIn('a', 0),
    checkedIn('b', 5 * MINUTE - 1),
    checkedIn('c', 5 * MINUTE),
    head({ agentId: 'd', vitals: null, createdAt: NOW }),
  ];
  expect(countAtWork(columnsOfThese(heads), NOW)).toBe(2);
});
