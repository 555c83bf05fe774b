import fc from 'fast-check';
import { FINDING_STATUSES, FINDING_TYPES } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { DAY, finding, NOW } from '../testing/finding.ts';
import type { Finding } from './finding.ts';
import { addTallies, fateOf, isPermanent, NOTHING_DONE, PERMANENT_TYPES } from './lifecycle.ts';
import { likelyStale } from './staleness.ts';
import { EPHEMERAL_TAGS, PERMANENT_TAGS } from './tags.ts';

const statusAfter = (over: Partial<Finding>) => fateOf(finding(over), NOW).status;

describe('the lifecycle', () => {
  it.each(EPHEMERAL_TAGS)('archives an open finding tagged %s after a week, to the millisecond', (tag) => {
    verifies('BW-knowledge.04');
    expect(statusAfter({ tags: [tag], createdAt: NOW - 7 * DAY })).toBe('archived');
    expect(statusAfter({ tags: [tag], createdAt: NOW - 7 * DAY + 1 })).toBeUndefined();
    expect(statusAfter({ tags: ['x'], createdAt: NOW - 999 * DAY })).toBeUndefined();
    expect(statusAfter({ tags: [tag], status: 'disputed', createdAt: NOW - 99 * DAY })).toBeUndefined();
  });

  it.each(['resolved', 'closed', 'wont_fix', 'superseded'] as const)(
    'archives what was %s after thirty days',
    (status) => {
      verifies('BW-knowledge.04');
      expect(statusAfter({ status, resolvedAt: NOW - 30 * DAY, createdAt: NOW - 31 * DAY })).toBe('archived');
      expect(statusAfter({ status, resolvedAt: NOW - 30 * DAY + 1, createdAt: NOW - 99 * DAY })).toBeUndefined();
    },
  );

  it('cools what was archived after ninety days', () => {
    verifies('BW-knowledge.04');
    expect(statusAfter({ status: 'archived', archivedAt: NOW - 90 * DAY })).toBe('cold');
    expect(statusAfter({ status: 'archived', archivedAt: NOW - 90 * DAY + 1 })).toBeUndefined();
    expect(statusAfter({ status: 'cold', archivedAt: NOW - 999 * DAY })).toBeUndefined();
  });

  it.each([
    ...PERMANENT_TYPES.map((type) => ({ type, tags: ['temp'] })),
    ...PERMANENT_TAGS.map((tag) => ({ type: 'note', tags: ['temp', tag] })),
  ])('leaves what is permanent, and counts it: %j', (kind) => {
    verifies('BW-knowledge.04');
    const old = finding({ ...kind, createdAt: NOW - 99 * DAY });
    expect(fateOf(old, NOW)).toEqual({ tally: { skipped_permanent: 1 } });
    expect(isPermanent(old)).toBe(true);
  });

  it('knows both spellings of an architecture decision', () => {
    verifies('BW-knowledge.04');
    expect(isPermanent({ type: 'architectural_decision', tags: [] })).toBe(true);
    expect(isPermanent({ type: 'architecture_decision', tags: [] })).toBe(true);
  });

  it('puts tags of one meaning together, whatever becomes of the finding', () => {
    expect(fateOf(finding({ tags: ['db', 'database'] }), NOW)).toEqual({
      tags: ['database'],
      tally: { tags_canonicalized: 1 },
    });
    expect(fateOf(finding({ tags: ['auth', 'temp'], createdAt: 0 }), NOW)).toEqual({
      status: 'archived',
      tags: ['identity', 'temp'],
      tally: { tags_canonicalized: 1, ephemeral_archived: 1 },
    });
  });

  it('deletes nothing, brings nothing back, touches nothing permanent, and never acts twice', () => {
    verifies('BW-knowledge.04');
    const any = fc.record({
      status: fc.constantFrom(...FINDING_STATUSES),
      type: fc.constantFrom(...FINDING_TYPES),
      tags: fc.uniqueArray(fc.constantFrom('x', 'db', 'temp', 'test', 'permanent', 'decision')),
      createdAt: fc.integer({ min: NOW - 200 * DAY, max: NOW }),
      resolvedAt: fc.option(fc.integer({ min: NOW - 200 * DAY, max: NOW })),
      archivedAt: fc.option(fc.integer({ min: NOW - 200 * DAY, max: NOW })),
    });
    const order = (status: Finding['status']) => (status === 'cold' ? 2 : status === 'archived' ? 1 : 0);
    fc.assert(
      fc.property(any, (over) => {
        const before = finding(over);
        const fate = fateOf(before, NOW);
        const after = {
          ...before,
          ...(fate.status && { status: fate.status, archivedAt: NOW }),
          tags: fate.tags ?? before.tags,
        };
        expect(addTallies(NOTHING_DONE, fate.tally).discoveries_deleted).toBe(0);
        expect(order(after.status)).toBeGreaterThanOrEqual(order(before.status));
        if (isPermanent(before)) expect(after.status).toBe(before.status);
        const again = fateOf(after, NOW);
        expect(again.tags).toBeUndefined();
        if (fate.status !== undefined) expect(again.status).toBeUndefined();
      }),
    );
  });
});

describe('a finding is likely stale', () => {
  it('when it is open and nobody touched it for thirty days', () => {
    const stale = (over: Partial<Finding>) => likelyStale(finding(over), NOW);
    expect(stale({ createdAt: NOW - 30 * DAY })).toBe(true);
    expect(stale({ createdAt: NOW - 30 * DAY + 1 })).toBe(false);
    expect(stale({ createdAt: NOW - 60 * DAY, updatedAt: NOW - 1 })).toBe(false);
    expect(stale({ createdAt: NOW - 60 * DAY, status: 'disputed' })).toBe(true);
    expect(stale({ createdAt: NOW - 60 * DAY, status: 'resolved' })).toBe(false);
    expect(stale({ createdAt: NOW - 60 * DAY, type: 'pattern' })).toBe(false);
  });
});
