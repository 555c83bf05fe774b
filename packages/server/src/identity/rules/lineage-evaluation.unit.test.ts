import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Lineage } from '../../agents/index.ts';
import type { Score } from './continuity-score.ts';
import { evaluateLineage, needsScore } from './lineage-evaluation.ts';
import { lineageState, UNDECLARED } from './lineage.ts';
import { HOUR_MS, iso } from '../../runtime/index.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY = 24 * HOUR_MS;
const at = iso(NOW);

const provisional = (over: Partial<Lineage> = {}): Lineage => ({
  ...UNDECLARED,
  declared_at: iso(NOW - DAY),
  recorded_at: iso(NOW - DAY),
  provisional: true,
  chain_obs_count: 2,
  ...over,
});
const confirmed = (over: Partial<Lineage> = {}) =>
  provisional({ provisional: false, confirmed_at: iso(NOW - DAY / 2), ...over });

const score = (plausibility: Score['plausibility']): Score => ({
  plausibility,
  components: { E: 1 },
  observations: 7,
  parentMature: true,
  reasons: ['why'],
});
const evidence = { observations: 7, parent_mature: true, components: { E: 1 }, reasons: ['why'] };

const evaluate = (lineage: Lineage, of: Score | undefined | 'error', parentAgentId: string | null = 'p') =>
  evaluateLineage({ lineage, parentAgentId, now: NOW, score: of });

describe('evaluating a lineage', () => {
  it('confirms what is plausible, and keeps the trace of the claim', () => {
    verifies('BW-identity.10');
    expect(evaluate(provisional(), score('plausible'))).toEqual({
      kind: 'confirm',
      lineage: provisional({ provisional: false, confirmed_at: at, last_eval_at: at }),
      clearsParent: false,
      event: { type: 'lineage_promoted', payload: { parent_id: 'p', plausibility: 'plausible', ...evidence } },
    });
  });

  it.each([
    ['r1_unsupported', provisional()],
    ['post_promotion_divergence', confirmed()],
  ])('demotes what is unsupported: %s', (reason, lineage) => {
    verifies('BW-identity.10');
    expect(evaluate(lineage, score('unsupported'))).toEqual({
      kind: 'demote',
      lineage: { ...lineage, provisional: false, demoted_at: at, last_eval_at: at, chain_obs_count: 0 },
      clearsParent: true,
      event: { type: 'lineage_demoted', payload: { parent_id: 'p', reason, plausibility: 'unsupported', ...evidence } },
    });
  });

  it.each([
    ['inconclusive', provisional(), score('inconclusive')],
    ['plausible and confirmed already', confirmed(), score('plausible')],
    ['inconclusive after the confirmation', confirmed(), score('inconclusive')],
  ])('only stamps the time when it is %s', (_, lineage, of) => {
    expect(evaluate(lineage, of)).toEqual({ kind: 'stamp', lineage: { ...lineage, last_eval_at: at } });
  });

  it('gives a claim up after thirty days, without a score', () => {
    verifies('BW-identity.10');
    const declared = iso(NOW - 30 * DAY - 1);
    const old = provisional({ declared_at: declared });
    expect(needsScore({ lineage: old, parentAgentId: 'p', now: NOW })).toBe(false);
    expect(evaluate(old, undefined)).toEqual({
      kind: 'archive',
      lineage: { ...old, declared_at: null, provisional: false, archived_at: at, last_eval_at: at },
      clearsParent: false,
      event: {
        type: 'lineage_grace_expired',
        payload: { parent_id: 'p', declared_at: declared, grace_days: 30 },
      },
    });
    expect(evaluate(provisional({ declared_at: iso(NOW - 30 * DAY) }), score('plausible')).kind).toBe('confirm');
    expect(evaluate(confirmed({ declared_at: declared }), score('inconclusive')).kind).toBe('stamp');
  });

  it.each([
    ['no_parent', provisional(), null],
    ['terminal_state', provisional({ demoted_at: iso(NOW - DAY) }), 'p'],
    ['terminal_state', provisional({ archived_at: iso(NOW - DAY) }), 'p'],
    ['terminal_state', provisional({ archived_at: iso(NOW - DAY), declared_at: iso(NOW - 99 * DAY) }), 'p'],
    ['within_cadence', provisional({ last_eval_at: iso(NOW - HOUR_MS + 1) }), 'p'],
    ['within_cadence', provisional({ last_eval_at: iso(NOW - HOUR_MS + 1), declared_at: iso(NOW - 99 * DAY) }), 'p'],
  ])('skips with %s, and no score is needed', (reason, lineage, parentAgentId) => {
    verifies('BW-identity.10');
    expect(needsScore({ lineage, parentAgentId, now: NOW })).toBe(false);
    expect(evaluate(lineage, score('unsupported'), parentAgentId)).toEqual({ kind: 'skip', reason });
  });

  it('takes its next turn after an hour', () => {
    const due = provisional({ last_eval_at: iso(NOW - HOUR_MS) });
    expect(needsScore({ lineage: due, parentAgentId: 'p', now: NOW })).toBe(true);
    expect(evaluate(due, score('plausible')).kind).toBe('confirm');
  });

  it.each(['error', undefined] as const)('decides nothing when the score is %s, and uses the turn up', (of) => {
    expect(evaluate(provisional(), of)).toEqual({
      kind: 'skip',
      reason: 'r1_error',
      lineage: provisional({ last_eval_at: at }),
    });
  });
});

describe('any sequence of evaluations', () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 10 * DAY }),
    score: fc.constantFrom(
      'error' as const,
      undefined,
      ...(['plausible', 'unsupported', 'inconclusive'] as const).map(score),
    ),
  });

  it('never leaves a terminal state, and has one audit row for each change and none without', () => {
    verifies('BW-identity.10');
    const reached = new Set<string>();
    const start = fc.constantFrom(provisional(), confirmed(), UNDECLARED);
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 40 }), (first, steps) => {
        let lineage = first;
        let parentAgentId: string | null = 'p';
        let now = NOW;
        // The parent is held for the state: a demotion takes it away, and would hide what follows.
        const state = () => lineageState({ parentAgentId: 'p', lineage });
        for (const { wait, score: of } of steps) {
          now += wait;
          const from = state();
          const kept = structuredClone(lineage);
          const needed = needsScore({ lineage, parentAgentId, now });
          const evaluation = evaluateLineage({ lineage, parentAgentId, now, score: of });
          expect(lineage).toEqual(kept);
          // A score that is not needed changes nothing.
          if (!needed) expect(evaluateLineage({ lineage, parentAgentId, now, score: undefined })).toEqual(evaluation);
          if ('lineage' in evaluation) lineage = evaluation.lineage;
          if ('clearsParent' in evaluation && evaluation.clearsParent) parentAgentId = null;
          const to = state();
          reached.add(to);
          if (from === 'demoted' || from === 'archived') expect({ to, lineage }).toEqual({ to: from, lineage: kept });
          if (from === 'confirmed') expect(['confirmed', 'demoted']).toContain(to);
          expect('event' in evaluation).toBe(from !== to);
          expect(parentAgentId === null).toBe(to === 'demoted');
          if (from !== to) {
            expect(evaluation).toMatchObject({
              event: {
                type: { confirmed: 'lineage_promoted', demoted: 'lineage_demoted', archived: 'lineage_grace_expired' }[
                  to as 'confirmed'
                ],
              },
            });
          }
        }
      }),
      { numRuns: 500, seed: 20_260_601 },
    );
    expect([...reached]).toEqual(expect.arrayContaining(['provisional', 'confirmed', 'demoted', 'archived']));
  });
});
