import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { isMeasured, shownRisk, standingWord } from './standing.ts';
import type { Vitals } from './agent.ts';

const vitalsOf = (graded: number, measured?: boolean) =>
  ({
    risk: 0.1,
    risk_word: 'safe',
    calibration: { error: null, graded },
    ...(measured !== undefined && { measured }),
  }) as Vitals;

describe('how an agent stands', () => {
  it('is paused before all, unmeasured without evidence, and only then as its risk says', () => {
    for (const vitals of [vitalsOf(0), vitalsOf(0, true), vitalsOf(9)])
      expect(standingWord(vitals, true)).toBe('paused');
    expect(standingWord(vitalsOf(0), false)).toBe('unmeasured');
    expect(standingWord(vitalsOf(0, false), false)).toBe('unmeasured');
    expect(standingWord(vitalsOf(0, true), false)).toBe('safe');
    expect(standingWord(vitalsOf(1, false), false)).toBe('safe');
  });

  it('has an unknown risk without evidence, and before the first check-in', () => {
    verifies('BW-checkin.07');
    expect([shownRisk(null), shownRisk(vitalsOf(0)), shownRisk(vitalsOf(1))]).toEqual([null, null, 0.1]);
    expect([isMeasured(vitalsOf(0)), isMeasured(vitalsOf(0, true))]).toEqual([false, true]);
  });
});
