import { describe, expect, it } from 'vitest';
import type { AgentHead } from '../../agents/index.ts';
import { orphans, stuck } from './sweep.ts';
import { head, HOUR, MINUTE, NOW, pauseUntil, vitals } from './testing/head.ts';

const LIMITS = { maxAgeHours: 6, maxUpdates: 3, now: NOW };
const idle = (hours: number, over: Partial<AgentHead> = {}): AgentHead =>
  head({ createdAt: NOW - 48 * HOUR, lastActivityAt: NOW - hours * HOUR, ...over });
const reasonOf = (one: AgentHead, limits = LIMITS) => orphans([one], limits)[0]?.reason;

describe('orphans', () => {
  it.each([
    ['one check-in, half of the age', idle(3, { updateCount: 1 }), 'unlabeled_single_update'],
    ['one check-in, less than half', idle(2.99, { updateCount: 1 }), undefined],
    ['few check-ins, the age', idle(6, { updateCount: 3 }), 'unlabeled_few_updates'],
    ['few check-ins, less than the age', idle(5.99, { updateCount: 2 }), undefined],
    ['more check-ins', idle(600, { updateCount: 4 }), undefined],
    ['no check-in', idle(600, { updateCount: 0 }), undefined],
    ['a label that somebody chose', idle(600, { label: 'release-bot', updateCount: 1 }), undefined],
    ['a label with another day', idle(600, { label: 'report_20260101', updateCount: 1 }), undefined],
    ['a generated label', idle(6, { label: 'opus_20260530', updateCount: 5 }), 'generated_label_few_updates'],
    [
      'a generated label made unique',
      idle(6, { label: 'opus_20260530_11111111', updateCount: 1 }),
      'generated_label_few_updates',
    ],
    ['a generated label, more check-ins', idle(6, { label: 'opus_20260530', updateCount: 6 }), undefined],
    ['a generated label, less than the age', idle(5.9, { label: 'opus_20260530', updateCount: 1 }), undefined],
    ['one that waits', idle(6, { status: 'waiting_input' }), 'unlabeled_few_updates'],
  ])('%s', (_, one, reason) => {
    expect(reasonOf(one)).toBe(reason);
  });

  it.each<[string, Partial<AgentHead>]>([
    ...['pioneer', 'persistent', 'protected'].map((tag): [string, Partial<AgentHead>] => [tag, { tags: ['x', tag] }]),
    ['a pause', { status: 'paused', pause: pauseUntil(NOW - HOUR) }],
    ['an enrolment', { substrate: { unit: null, executable: '/bin/x' } }],
    ['the end of its life', { status: 'archived' }],
  ])('%s protects', (_, over) => {
    const orphan = idle(600, { updateCount: 1 });
    expect(reasonOf(orphan)).toBeDefined();
    expect(reasonOf({ ...orphan, ...over })).toBeUndefined();
  });

  it('counts from the birth when there was no activity since, and follows the limits', () => {
    const born = head({ createdAt: NOW - 12 * HOUR, lastActivityAt: null, updateCount: 4 });
    expect(reasonOf(born, { ...LIMITS, maxUpdates: 4 })).toBe('unlabeled_few_updates');
    expect(reasonOf(born, { ...LIMITS, maxUpdates: 4, maxAgeHours: 13 })).toBeUndefined();
  });

  it('lists the oldest first, each with what it stands on', () => {
    const found = orphans(
      [idle(7, { agentId: 'c' }), idle(30.06, { agentId: 'b', label: 'opus_20260530' }), idle(7, { agentId: 'a' })],
      LIMITS,
    );
    expect(found.map(({ agentId }) => agentId)).toEqual(['b', 'a', 'c']);
    expect(found[0]).toEqual({
      agentId: 'b',
      label: 'opus_20260530',
      updates: 3,
      idle_hours: 30.1,
      reason: 'generated_label_few_updates',
    });
  });
});

describe('stuck agents', () => {
  const silent = (minutes: number, over: Partial<AgentHead> = {}): AgentHead =>
    head({ createdAt: NOW - 48 * HOUR, lastActivityAt: NOW - minutes * MINUTE, ...over });
  const find = (...heads: AgentHead[]) => stuck(heads, { timeoutMinutes: 15, now: NOW });

  it.each([
    ['comfortable', 'no_activity'],
    ['tight', 'tight_margin_timeout'],
    ['warning', 'critical_margin_timeout'],
    ['critical', 'critical_margin_timeout'],
  ] as const)('with a %s margin: %s', (margin, reason) => {
    const agent = silent(16.9, { vitals: vitals({ margin }) });
    expect(find(agent)).toEqual([{ head: agent, reason, minutes: 16, margin }]);
  });

  it('are silent for longer than the limit, and checked in before', () => {
    expect(find(silent(15), silent(600, { updateCount: 0 }))).toEqual([]);
    expect(find(silent(15.1))).toMatchObject([{ reason: 'no_activity', margin: null }]);
  });

  it('may be paused, and the reason tells whether the pause is over', () => {
    const paused = (end: number) => silent(60, { status: 'paused', pause: pauseUntil(end), tags: ['autonomous'] });
    expect(find(paused(NOW))[0]?.reason).toBe('pause_in_force');
    expect(find(paused(NOW - 1))[0]?.reason).toBe('pause_over');
  });

  it('are never waiting, at their end, or without a pace of their own', () => {
    for (const status of ['waiting_input', 'archived', 'disabled', 'deleted'] as const) {
      expect(find(silent(600, { status }))).toEqual([]);
    }
    for (const tag of ['autonomous', 'embodied', 'anima']) expect(find(silent(600, { tags: [tag] }))).toEqual([]);
  });

  it('come oldest first', () => {
    const found = find(silent(20, { agentId: 'b' }), silent(90, { agentId: 'c' }), silent(20, { agentId: 'a' }));
    expect(found.map(({ head: { agentId } }) => agentId)).toEqual(['c', 'a', 'b']);
  });
});
