import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentHead } from '../../agents/index.ts';
import { columnsOfThese } from '../../runtime/index.ts';
import { listAgents, type ListQuery } from './listing.ts';
import type { Viewer } from './redaction.ts';
import { fleets } from './testing/fleets.ts';
import { head, HOUR, ME, MINUTE, NOW, OTHER } from './testing/head.ts';

const DAY = 24 * HOUR;
const me: Viewer = { agentId: ME, operator: false };
const anyone: Viewer = { agentId: undefined, operator: false };
const operator: Viewer = { agentId: undefined, operator: true };
const THIRD = '33333333-3333-4333-8333-333333333333';
const other = (over: Partial<AgentHead> = {}): AgentHead => head({ agentId: OTHER, ...over });

const list = (heads: readonly AgentHead[], query: ListQuery = {}, viewer = operator) =>
  listAgents(columnsOfThese(heads), query, viewer, () => true, NOW);
const ids = (heads: readonly AgentHead[], query: ListQuery = {}, viewer = operator) =>
  list(heads, query, viewer).agents.map(({ id }) => id);
/** Agents a, b, c … each active a minute later than the one after it. */
const fleet = (n: number, over: Partial<AgentHead> = {}) =>
  Array.from({ length: n }, (_, i) => head({ agentId: `agent-${i}`, lastActivityAt: NOW - i * MINUTE, ...over }));

describe('a list of agents', () => {
  it('has rows of agents', () => {
    const parented = head({ label: 'bot', purpose: 'tests', parentAgentId: OTHER, spawnReason: 'subagent' });
    expect(list([parented])).toEqual({
      agents: [
        {
          id: ME,
          label: 'bot',
          status: 'active',
          is_stable: true,
          purpose: 'tests',
          updates: 3,
          last: new Date(NOW - MINUTE).toISOString(),
          parent_agent_id: OTHER,
          spawn_reason: 'subagent',
        },
      ],
      shown: 1,
      matching: 1,
      total_all: 1,
      more: false,
      by_status: { active: 1 },
    });
  });

  it('shows the newest activity first, then the newest birth, then by id', () => {
    const at = NOW - HOUR;
    const heads = [
      head({ agentId: 'd', lastActivityAt: at, createdAt: at - 2 }),
      head({ agentId: 'c', lastActivityAt: at, createdAt: at - 2 }),
      head({ agentId: 'b', lastActivityAt: at, createdAt: at - 1 }),
      head({ agentId: 'a', lastActivityAt: null, createdAt: at + 1 }),
    ];
    expect(ids(heads)).toEqual(['a', 'b', 'c', 'd']);
  });

  it.each<[string, AgentHead, ListQuery, boolean]>([
    ['an archived one', other({ status: 'archived' }), {}, false],
    ['an archived one, asked for', other({ status: 'archived' }), { statusFilter: 'archived' }, true],
    ['an archived one, among all', other({ status: 'archived' }), { statusFilter: 'all' }, true],
    ['an active one, when paused are asked for', other(), { statusFilter: 'paused' }, false],
    ['a deleted one, even asked for', other({ status: 'deleted' }), { statusFilter: 'deleted' }, false],
    ['a deleted one, among all', other({ status: 'deleted' }), { statusFilter: 'all' }, false],
    ['one with enough check-ins', other(), { minUpdates: 3 }, true],
    ['one with too few', other(), { minUpdates: 4 }, false],
    ['one of a week ago', other({ lastActivityAt: NOW - 7 * DAY }), {}, true],
    ['an older one', other({ lastActivityAt: NOW - 7 * DAY - 1 }), {}, false],
    ['an older one, without a bound', other({ lastActivityAt: NOW - 700 * DAY }), { recentDays: null }, true],
    ['one of yesterday, when today is asked for', other({ lastActivityAt: NOW - DAY - 1 }), { recentDays: 1 }, false],
    ['one without a name, when names are asked for', other(), { namedOnly: true }, false],
    ['one with a name', other({ label: 'bot' }), { namedOnly: true }, true],
    ['a test agent by tag', other({ tags: ['test'] }), {}, false],
    ['a test agent by label', other({ label: 'Demo_1' }), {}, false],
    ['a test agent, asked for', other({ tags: ['demo'] }), { includeTestAgents: true }, true],
    ['one that runs tests', other({ label: 'test-runner' }), {}, true],
  ])('%s', (_, one, query, listed) => {
    expect(ids([one], query)).toEqual(listed ? [OTHER] : []);
    expect(list([one], query).matching).toBe(listed ? 1 : 0);
  });

  it('counts all by status, whatever is asked for', () => {
    const heads = [head(), other({ status: 'archived' }), other({ status: 'archived' }), other({ status: 'deleted' })];
    expect(list(heads, { minUpdates: 99 })).toMatchObject({
      agents: [],
      matching: 0,
      total_all: 3,
      by_status: { active: 1, archived: 2 },
    });
  });

  it('pages through every match once', () => {
    const heads = fleet(45);
    const pages = [0, 20, 40].map((offset) => list(heads, { offset }));
    expect(pages.map(({ shown, more }) => [shown, more])).toEqual([
      [20, true],
      [20, true],
      [5, false],
    ]);
    expect(pages.flatMap(({ agents }) => agents.map(({ id }) => id))).toEqual(heads.map(({ agentId }) => agentId));
    expect(list(fleet(20)).more).toBe(false);
  });

  it('brings limit and offset into range', () => {
    const heads = fleet(250);
    expect(list(heads, { limit: 1000 }).shown).toBe(200);
    expect(list(heads, { limit: 0 }).shown).toBe(1);
    expect(list(heads, { limit: 3.9, offset: -5 }).agents.map(({ id }) => id)).toEqual([
      'agent-0',
      'agent-1',
      'agent-2',
    ]);
    expect(list(heads, { offset: 250 })).toMatchObject({ shown: 0, matching: 250, more: false });
  });

  it('always has the caller itself, once, in its place', () => {
    verifies('BW-identity.14');
    const mine = head({ status: 'archived', lastActivityAt: NOW - 90 * DAY, tags: ['test'] });
    const page = list([mine, ...fleet(30)], { limit: 5 }, me);
    expect(page).toMatchObject({ shown: 6, matching: 30 });
    expect(page.agents[5]).toMatchObject({ id: ME, you: true, status: 'archived' });
    expect(page.agents.filter(({ you }) => you)).toHaveLength(1);
    const first = list([...fleet(30), head({ lastActivityAt: NOW + MINUTE })], { limit: 5 }, me);
    expect(first).toMatchObject({ shown: 5, matching: 31 });
    expect(first.agents[0]?.id).toBe(ME);
    const later = list([...fleet(30), head({ lastActivityAt: NOW + MINUTE })], { limit: 5, offset: 20 }, me);
    expect(later).toMatchObject({ shown: 6, matching: 31 });
    expect(later.agents[0]?.id).toBe(ME);
  });
});

describe('redaction', () => {
  const child = other({ label: 'worker', parentAgentId: THIRD });

  it('hides the ids of others behind stable names that hold nothing of them', () => {
    verifies('BW-identity.14');
    for (const viewer of [me, anyone]) {
      const [row] = list([child], {}, viewer).agents;
      expect(row).toMatchObject({ label: 'worker', uuid_redacted: true, parent_agent_id_redacted: true });
      expect(row?.id).toMatch(/^agent-redacted-[0-9a-f]{12}$/);
      expect(row?.parent_agent_id).toMatch(/^agent-redacted-[0-9a-f]{12}$/);
      expect(row?.id).not.toBe(row?.parent_agent_id);
      expect(list([head({ agentId: THIRD })], {}, viewer).agents[0]?.id).toBe(row?.parent_agent_id);
    }
  });

  it('hides nothing from an operator, and from an agent not its own id, also as a parent', () => {
    verifies('BW-identity.14');
    const row = list([child], {}, operator).agents[0];
    expect(row).toMatchObject({ id: OTHER, parent_agent_id: THIRD });
    expect(Object.keys(row ?? {})).not.toContain('uuid_redacted');
    expect(list([head({ parentAgentId: OTHER })], {}, me).agents[0]).toMatchObject({
      id: ME,
      you: true,
      parent_agent_id_redacted: true,
    });
    expect(list([other({ parentAgentId: ME })], {}, me).agents[0]).toMatchObject({ parent_agent_id: ME });
  });

  it.each([
    ['opus_20260601_22222222', 'opus_20260601'],
    ['opus-22222222', 'opus'],
    ['bot (22222222-2222-4222-8222-222222222222) two', 'bot'],
    ['plain', 'plain'],
    ['22222222', 'Opus_20260601'],
    [OTHER, 'Opus_20260601'],
    [`of ${THIRD.toUpperCase()}!`, /^of agent-redacted-[0-9a-f]{12}!$/],
    [`of ${THIRD.replaceAll('-', '')}`, /^of agent-redacted-[0-9a-f]{12}$/],
    [`mine: ${ME}`, `mine: ${ME}`],
  ])('shows the label %s to a stranger without its id', (label, shown) => {
    verifies('BW-identity.14');
    const seen = list([other({ label })], {}, me).agents[0]?.label;
    if (typeof shown === 'string') expect(seen).toBe(shown);
    else expect(seen).toMatch(shown);
    expect(list([other({ label })], {}, operator).agents[0]?.label).toBe(label);
  });

  it('takes the piece of the id out of an old handle too, and has a name when nothing is left', () => {
    verifies('BW-identity.14');
    expect(list([other({ handle: 'Agent_20260601_22222222' })], {}, me).agents[0]?.label).toBe('Agent_20260601');
    expect(list([other({ handle: '22222222' })], {}, me).agents[0]?.label).toBe('agent');
  });

  it('leaves hashes in texts alone that are no ids', () => {
    const purpose = `at ${'a1'.repeat(20)}`;
    expect(list([other({ purpose })], {}, me).agents[0]?.purpose).toBe(purpose);
  });

  it('never shows a stranger the id of another agent, in no field', () => {
    verifies('BW-identity.14');
    const uuids = fc.uniqueArray(fc.uuid(), { minLength: 3, maxLength: 6 });
    const words = fc.array(fc.constantFrom('bot', '_', ' ', '0', '1', '2', 'X', '-', 'f'), { maxLength: 8 });
    fc.assert(
      fc.property(uuids, words, words, fc.boolean(), fc.boolean(), (agents, before, after, upper, bare) => {
        const text = (i: number): string => {
          const id = agents[i % agents.length] ?? '';
          const written = bare ? ` ${id.replaceAll('-', '')} ` : id;
          return `${before.join('')}${upper ? written.toUpperCase() : written}${after.join('')}`;
        };
        const heads = agents.map((agentId, i) =>
          head({
            agentId,
            label: text(i),
            purpose: text(i + 1),
            spawnReason: text(i + 2),
            parentAgentId: agents[(i + 1) % agents.length] ?? null,
          }),
        );
        const viewer = agents[0] ?? '';
        const seen = JSON.stringify(list(heads, {}, { agentId: viewer, operator: false })).toLowerCase();
        for (const agentId of agents.slice(1)) {
          expect(seen).not.toContain(agentId);
          expect(seen).not.toContain(agentId.replaceAll('-', ''));
        }
        expect(seen).toContain(viewer);
      }),
    );
  });
});

describe('a page of any fleet', () => {
  const latest = ({ lastActivityAt, createdAt }: AgentHead) => lastActivityAt ?? createdAt;

  it('is what filtering and sorting all of it gives', () => {
    const queries = fc.record({
      limit: fc.integer({ min: 1, max: 8 }),
      offset: fc.nat(20),
      statusFilter: fc.constantFrom('active', 'paused', 'archived', 'all', undefined),
      minUpdates: fc.option(fc.nat(3), { nil: undefined }),
      recentDays: fc.constantFrom(null, undefined, 1),
      namedOnly: fc.boolean(),
      includeTestAgents: fc.boolean(),
    });
    fc.assert(
      fc.property(fleets, queries, fc.nat(120), (heads, query, at) => {
        const viewer = { agentId: heads[at]?.agentId, operator: true };
        const since = query.recentDays === null ? -Infinity : NOW - (query.recentDays ?? 7) * DAY;
        const present = heads.filter(({ status }) => status !== 'deleted');
        const order = (a: AgentHead, b: AgentHead) =>
          latest(b) - latest(a) || b.createdAt - a.createdAt || (a.agentId < b.agentId ? -1 : 1);
        const matching = present
          .filter(
            (one) =>
              ['all', one.status].includes(query.statusFilter ?? 'active') &&
              one.updateCount >= (query.minUpdates ?? 0) &&
              latest(one) >= since &&
              (!query.namedOnly || one.label !== null) &&
              (query.includeTestAgents || !(one.tags.includes('test') || one.label?.startsWith('test_') === true)),
          )
          .sort(order);
        const page = matching.slice(query.offset, query.offset + query.limit);
        const own = present.find(({ agentId }) => agentId === viewer.agentId);
        const shown = own === undefined || page.includes(own) ? page : [...page, own].sort(order);
        const found = list(heads, query, viewer);
        expect(found.agents.map(({ id }) => id)).toEqual(shown.map(({ agentId }) => agentId));
        expect(found).toMatchObject({
          matching: matching.length,
          more: query.offset + query.limit < matching.length,
          total_all: present.length,
        });
        expect(found.by_status).toEqual(
          Object.fromEntries(
            Object.entries(Object.groupBy(present, ({ status }) => status)).map(([word, of]) => [word, of.length]),
          ),
        );
      }),
    );
  });
});
