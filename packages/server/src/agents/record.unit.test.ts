import { describe, expect, it } from 'vitest';
import { recordOf } from './record.ts';

describe('the record of claims', () => {
  it('has the mean gap of claim and result, which is no worst bin', () => {
    const calibration = { error: 0.45, graded: 121, pass_rate: 116 / 121, mean_claim: 0.81 };
    expect(recordOf({ calibration })).toEqual({ graded: 121, pass_rate: 0.9587, mean_claim: 0.81, mean_gap: -0.1487 });
  });

  it('knows nothing before the first graded result, and no means in what older versions stored', () => {
    const unknown = { pass_rate: null, mean_claim: null, mean_gap: null };
    expect(recordOf(null)).toEqual({ graded: 0, ...unknown });
    expect(recordOf({ calibration: { error: null, graded: 0, pass_rate: null, mean_claim: null } })).toEqual({
      graded: 0,
      ...unknown,
    });
    expect(recordOf({ calibration: { error: 0.1, graded: 7 } })).toEqual({ graded: 7, ...unknown });
  });
});
