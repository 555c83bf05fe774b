import { describe, expect, it } from 'vitest';
import { seededRandom } from '../src/runtime/index.ts';
import { findInOrder, findInReadiness, isDisturbed, type DoneFault, type SentCheckIn } from './history.ts';
import { FAULTS, OF_ALL, planFaults } from './plan.ts';

/** A check-in of one agent that was acknowledged as `update` between two times. */
const sent = (
  mark: string,
  update: number,
  from: number,
  to: number,
  over: Partial<SentCheckIn> = {},
): SentCheckIn => ({
  agentId: 'a',
  node: 0,
  mark,
  startedAt: from,
  endedAt: to,
  end: 'ok',
  isUnserved: false,
  code: 'ok',
  update,
  ...over,
});
const stored = (...marks: (string | null)[]) => marks.map((mark, i) => ({ agentId: 'a', mark, update: i + 1 }));

describe('the order of check-ins', () => {
  it('holds when what callers were told and what is stored agree, whatever overlapped', () => {
    const calls = [
      sent('x', 2, 0, 10),
      sent('y', 1, 5, 9),
      sent('z', 3, 11, 12),
      sent('open', 0, 6, 20, { end: 'unknown', code: 'gone' }),
      sent('no', 0, 6, 7, { end: 'refused', code: 'AGENT_PAUSED' }),
    ];
    expect(findInOrder(calls, stored('y', 'x', 'z'))).toEqual([]);
    expect(findInOrder(calls, stored('y', 'x', 'z', 'open')), 'an open end may be either').toEqual([]);
  });

  it.each([
    ['one is lost', [sent('x', 1, 0, 1), sent('y', 2, 2, 3)], stored('x'), 'LOST: y'],
    ['one is doubled', [sent('x', 1, 0, 1)], stored('x', 'x'), 'DOUBLED: x'],
    ['one was refused and stands', [sent('x', 0, 0, 1, { end: 'refused', code: 'NO' })], stored('x'), 'x was refused'],
    [
      'one stands elsewhere',
      [sent('x', 2, 0, 9), sent('y', 1, 0, 9)],
      stored('x', 'y'),
      'x was acknowledged as update 2',
    ],
    ['one was sent by nobody', [sent('x', 1, 0, 1)], stored('x', 'ghost'), 'was sent by nobody'],
    ['an update is missing', [sent('x', 2, 0, 1)], [{ agentId: 'a', mark: 'x', update: 2 }], 'stands where 1 belongs'],
    ['a later one comes first', [sent('x', 2, 0, 1), sent('y', 1, 2, 3)], stored('y', 'x'), 'ORDER: y'],
  ])('does not hold when %s', (_, calls, rows, told) => {
    expect(findInOrder(calls, rows).join('; ')).toContain(told);
  });
});

describe('readiness', () => {
  const fault = (over: Partial<DoneFault> = {}): DoneFault => ({
    fault: 'hang',
    node: 0,
    from: 1_000,
    to: 9_000,
    ...over,
  });
  const reading = (at: number, status: number, node = 0) => ({ node, at, status });

  it('may be late by the bound, and no later, and only on the node that suffers', () => {
    const within = findInReadiness([reading(900, 200), reading(2_500, 200), reading(5_000, 503)], [fault()], [], 2_000);
    expect(within).toEqual({ findings: [], latestMs: 1_500 });
    expect(findInReadiness([reading(4_000, 200)], [fault()], [], 2_000).findings[0]).toContain('3000 ms after');
    expect(findInReadiness([reading(4_000, 200, 1)], [fault()], [], 2_000).findings).toEqual([]);
    expect(findInReadiness([reading(4_000, 200, 1)], [fault({ fault: 'standby' })], [], 2_000).findings).toHaveLength(
      1,
    );
  });

  it('lies when it is 200 all along while a write is not served, unless the process itself was away', () => {
    const write = sent('x', 0, 3_000, 4_000, { end: 'refused', isUnserved: true, code: 'STORAGE_UNAVAILABLE' });
    const all = [reading(2_500, 200), reading(4_500, 200)];
    expect(findInReadiness(all, [], [write], 2_000).findings[0]).toContain('all along');
    expect(findInReadiness([...all, reading(4_600, 503)], [], [write], 2_000).findings).toEqual([]);
    const frozen = fault({ fault: 'freeze', from: 2_000, to: 3_500 });
    expect(findInReadiness(all, [frozen], [write], 2_000).findings).toEqual([]);
    expect(isDisturbed([frozen], 0, 3_400, 3_600)).toBe(true);
    expect(isDisturbed([frozen], 1, 3_400, 3_600)).toBe(false);
  });
});

describe('the plan of a seed', () => {
  const planOf = (seed: number, seconds = 200) =>
    planFaults({ random: seededRandom(seed), nodes: 3, seconds, faults: FAULTS });

  it('is the same each time, fills the time, and has every fault', () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(7)).not.toEqual(planOf(8));
    const total = planOf(7).reduce((sum, { forMs, thenMs }) => sum + forMs + thenMs, 0);
    expect(total).toBeGreaterThanOrEqual(200_000);
    expect(new Set(planOf(7).map(({ fault }) => fault))).toEqual(new Set(FAULTS));
  });

  it('asks nothing of a standby that has become the primary', () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const faults = planOf(seed).map(({ fault }) => fault);
      const after = faults.slice(faults.indexOf('failover') + 1);
      expect(after.filter((fault) => OF_ALL.has(fault))).toEqual([]);
    }
  });
});
