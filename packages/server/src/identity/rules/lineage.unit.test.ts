import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentStatus, Lineage } from '../../agents/index.ts';
import { declareLineage, lineageState, redeclared, UNDECLARED } from './lineage.ts';
import type { LiveSignal } from '../../lifecycle/index.ts';

const NOW = Date.UTC(2026, 5, 1);
const at = new Date(NOW).toISOString();
const before = new Date(NOW - 86_400_000).toISOString();
const lineage = (over: Partial<Lineage> = {}): Lineage => ({ ...UNDECLARED, ...over });

describe('the state of a lineage', () => {
  it.each<[string, Lineage]>([
    ['no_lineage_declared', lineage()],
    ['provisional', lineage({ provisional: true, declared_at: at })],
    ['provisional', lineage({ provisional: true, confirmed_at: at })],
    ['confirmed', lineage({ confirmed_at: at })],
    ['demoted', lineage({ demoted_at: at, confirmed_at: at, provisional: true })],
    ['archived', lineage({ archived_at: at, demoted_at: at, provisional: true })],
  ])('%s', (state, of) => {
    expect(lineageState({ parentAgentId: 'p', lineage: of })).toBe(state);
    expect(lineageState({ parentAgentId: null, lineage: of })).toBe('no_lineage_declared');
  });
});

const LIVE: readonly LiveSignal[] = ['live_binding', 'live_presence'];
const declare = (over: {
  tags?: readonly string[];
  childTags?: readonly string[];
  live?: readonly LiveSignal[];
  spawnReason?: string | null;
  status?: AgentStatus;
  previous?: Lineage;
}) =>
  declareLineage({
    parent: {
      agentId: 'p',
      tags: over.tags ?? [],
      status: over.status ?? 'active',
      liveSignals: over.live ?? [],
    },
    childTags: over.childTags ?? [],
    spawnReason: over.spawnReason === undefined ? 'new_session' : over.spawnReason,
    ...(over.previous !== undefined && { previous: over.previous }),
    now: NOW,
  });

describe('declaring a parent', () => {
  it('makes a provisional claim', () => {
    verifies('BW-identity.10');
    expect(declare({})).toEqual({
      outcome: 'accepted',
      lineage: lineage({ declared_at: at, recorded_at: at, provisional: true }),
      event: {
        type: 'lineage_declared',
        payload: { parent_id: 'p', spawn_reason: 'new_session', parent_relationship: 'succession' },
      },
    });
  });

  it.each([
    ['new_session', 'succession'],
    ['explicit', 'succession'],
    ['whatever', 'unknown'],
    ['constructor', 'unknown'],
    [null, 'unknown'],
  ])('is a coincidence with a live parent and the reason %s', (spawnReason, relationship) => {
    expect(declare({ live: ['live_presence'], spawnReason })).toEqual({
      outcome: 'rejected_coincidental',
      event: {
        type: 'lineage_coincidental_rejected',
        payload: {
          claimed_parent_id: 'p',
          reason: 'parent_live_at_declaration',
          spawn_reason: spawnReason,
          parent_relationship: relationship,
          live_binding: false,
          live_presence: true,
        },
      },
    });
    expect(declare({ spawnReason })).toMatchObject({ outcome: 'accepted', lineage: { provisional: true } });
  });

  it.each(['subagent', 'dialectic_reviewer', 'dispatch', 'compaction'])(
    'may have a live parent as %s',
    (spawnReason) => {
      expect(declare({ live: LIVE, spawnReason }).outcome).toBe('accepted');
    },
  );

  it.each(['archived', 'disabled', 'deleted'] as const)('takes no parent for live that is %s', (status) => {
    expect(declare({ live: LIVE, status }).outcome).toBe('accepted');
  });

  it.each([
    [['ephemeral'], ['engaged_ephemeral'], true],
    [['engaged_ephemeral'], ['ephemeral'], true],
    [['persistent'], ['resident'], true],
    [['resident_persistent'], ['autonomous'], true],
    [['embodied'], ['embodied'], true],
    [['embodied'], ['ephemeral'], false],
    [['persistent'], ['ephemeral'], false],
    [['blue', 'ephemeral', 'persistent'], ['resident'], false],
    [['blue', 'persistent', 'ephemeral'], ['resident'], true],
    [['embodied'], [], true],
    [[], ['embodied'], true],
    [['blue'], ['embodied'], true],
  ] as const)('a parent with %j and a child with %j: %s', (tags, childTags, allowed) => {
    expect(declare({ tags, childTags }).outcome).toBe(allowed ? 'accepted' : 'rejected_cross_role');
    expect(declare({ tags, childTags, spawnReason: 'subagent' }).outcome).toBe(
      allowed ? 'accepted' : 'rejected_cross_role',
    );
  });

  it('says which roles do not fit, and asks for the coincidence first', () => {
    const crossed = { tags: ['x', 'embodied'], childTags: ['engaged_ephemeral'] };
    expect(declare(crossed)).toEqual({
      outcome: 'rejected_cross_role',
      event: {
        type: 'lineage_cross_role_rejected',
        payload: {
          claimed_parent_id: 'p',
          reason: 'role_envelope_mismatch',
          parent_class: 'embodied',
          successor_class: 'engaged_ephemeral',
          parent_family: 'embodied',
          successor_family: 'ephemeral',
        },
      },
    });
    expect(declare({ ...crossed, live: LIVE }).outcome).toBe('rejected_coincidental');
  });

  it('stamps the declaration once', () => {
    const previous = lineage({ declared_at: before, provisional: true });
    expect(declare({ previous })).toMatchObject({ lineage: { declared_at: before, provisional: true } });
  });

  it('starts anew after a terminal state: nothing of the old claim decides about the new one', () => {
    verifies('BW-identity.10');
    const past = { score_id: 's', recorded_at: before, declared_at: before, last_eval_at: before, chain_obs_count: 3 };
    for (const over of [{ archived_at: before }, { demoted_at: before, confirmed_at: before }]) {
      const previous = lineage({ ...past, ...over });
      expect(redeclared(previous)).toEqual(lineage({ score_id: 's', recorded_at: before }));
      const again = declare({ previous });
      expect(again).toMatchObject({
        lineage: lineage({ declared_at: at, provisional: true, score_id: 's', recorded_at: at }),
      });
    }
    const open = lineage({ ...past, provisional: true });
    expect(redeclared(open)).toBe(open);
  });
});
