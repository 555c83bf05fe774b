import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { unsafeReason } from './hard-limits.ts';

const reason = (conditions: readonly string[], sessionType = 'review', rootCause: string | null = 'a cause') =>
  unsafeReason({ conditions, rootCause }, sessionType);

describe('what no review can grant', () => {
  it('case 46: "disable governance" is unsafe, "enable governance" is safe', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect(reason(['Disable governance'])).toBe('Cannot disable governance system');
    expect(reason(['Enable governance'])).toBeUndefined();
  });

  it.each([
    ['bypass all SAFETY', 'Cannot bypass safety checks'],
    ['remove the monitor', 'Cannot remove monitoring'],
    ['unlimited risk', 'Cannot allow unlimited risk'],
    ['skip the check', 'Cannot skip safety checks'],
    ['ignore thresholds', 'Cannot ignore thresholds'],
    ['disable any circuit or breaker', 'Cannot disable circuit breaker'],
    ['remove every limit', 'Cannot remove safety limits'],
    ['remove limit, skip check', 'Cannot skip safety checks'],
  ])('is found in its order of words: %s', (condition, expected) => {
    verifies('BW-dialectic.01');
    expect(reason([condition])).toBe(expected);
    expect(reason([condition.split(' ').toReversed().join(' ')])).not.toBe(expected);
  });

  it('holds across conditions and in every session, and ends with the line', () => {
    verifies('BW-dialectic.01');
    expect(reason(['disable cache', 'improve governance'], 'exploration')).toBe('Cannot disable governance system');
    expect(reason(['disable\rgovernance'])).toBe('Cannot disable governance system');
    expect(reason(['disable\ngovernance'])).toBeUndefined();
    expect(reason(['first\nskip the check'])).toBe('Cannot skip safety checks');
  });
});

describe('thresholds', () => {
  it('case 47: a risk threshold of 0.90 is safe, 0.91 is not, and 95 is no threshold', () => {
    verifies('BW-dialectic.01');
    expect(reason(['risk threshold 0.90'])).toBeUndefined();
    expect(reason(['risk threshold 0.91'])).toBe('Risk threshold 0.91 exceeds maximum allowed (0.90)');
    expect(reason(['risk threshold 1'])).toBe('Risk threshold 1.0 exceeds maximum allowed (0.90)');
    expect(reason(['risk threshold 95'])).toBeUndefined();
    expect(reason(['risk threshold 1.01'])).toBeUndefined();
    expect(reason(['risk threshold .95'])).toBeUndefined();
    expect(reason(['threshold for risk 0.95'])).toBeUndefined();
  });

  it('are all read, each with the first number behind it', () => {
    verifies('BW-dialectic.01');
    expect(reason(['risk threshold 0.5, risk threshold 0.99'])).toContain('0.99');
    expect(reason(['risk threshold 0.5 0.99, threshold 0.99'])).toBeUndefined();
    expect(reason(['risk threshold, risk 0.5, threshold 0.99'])).toBeUndefined();
    expect(reason(['risk threshold v0.99 is at 0.95'])).toBeUndefined();
    expect(reason(['risk threshold v99 is at 0.95'])).toContain('0.95');
    expect(reason(['risk threshold 0.95é'])).toBeUndefined();
    expect(reason(['risk threshold 0.95_ 0.92'])).toBeUndefined();
    expect(reason(['risk threshold\n0.95'])).toBeUndefined();
  });

  it('of coherence lie between 0.1 and 1, in three forms', () => {
    verifies('BW-dialectic.01');
    expect(reason(['coherence threshold 0.1', 'coherence = 1', 'coherence < 0.5'])).toBeUndefined();
    expect(reason(['coherence threshold 0.05'])).toBe('Coherence threshold 0.05 is too low (minimum 0.1)');
    expect(reason(['coherence < 0'])).toBe('Coherence threshold 0.0 is too low (minimum 0.1)');
    expect(reason(['coherence >= 3'])).toBe('Coherence threshold 3.0 exceeds maximum (1.0)');
    expect(reason(['coherence < 0.09, coherence threshold 2'])).toContain('2.0 exceeds');
  });

  it('are spelled alike at every size', () => {
    verifies('BW-dialectic.01');
    const spelled = (number: string) => reason([`coherence = ${number}`])?.split(' ')[2];
    expect(spelled('0.0001')).toBe('0.0001');
    expect(spelled('0.000012')).toBe('1.2e-05');
    expect(spelled('0.00000000001')).toBe('1e-11');
    expect(spelled('9999999999999998')).toBe('9999999999999998.0');
    expect(spelled('10000000000000000')).toBe('1e+16');
    expect(spelled('1'.padEnd(400, '0'))).toBe('inf');
  });

  it('are sought in time that grows no faster than the text', () => {
    const long = 'risk threshold coherence < = disable circuit '.repeat(20_000);
    expect(reason([long])).toBeUndefined();
    expect(reason([`${'risk threshold 0.5 '.repeat(50_000)}risk threshold 0.95`])).toContain('0.95');
  });
});

describe('the form of a resolution', () => {
  it('case 49: "maybe" is unsafe in a review and safe in an exploration', () => {
    verifies('BW-dialectic.01');
    for (const strict of ['review', 'recovery', 'dispute']) {
      expect(reason(['Maybe reduce load'], strict)).toBe("Condition too vague: 'Maybe reduce load'");
    }
    expect(reason(['Maybe reduce load'], 'exploration')).toBeUndefined();
    expect(reason(['rest', 'perhaps'])).toBe("Condition too vague: 'perhaps'");
    expect(reason(['trying hard'])).toBe("Condition too vague: 'trying hard'");
    expect(reason(['considerable rest'])).toBe("Condition too vague: 'considerable rest'");
    expect(reason([' maybe'])).toBeUndefined();
  });

  it('case 50: no conditions are unsafe in every session', () => {
    verifies('BW-dialectic.01');
    for (const type of ['review', 'exploration']) {
      expect(reason([], type)).toBe('Resolution must include at least one condition');
    }
    expect(reason([''])).toBeUndefined();
  });

  it('needs a root cause in a review, after everything else', () => {
    verifies('BW-dialectic.01');
    for (const missing of ['', ' \u2003\n', null]) {
      expect(reason(['rest'], 'review', missing)).toBe('Root cause is missing entirely');
      expect(reason(['rest'], 'design_review', missing)).toBeUndefined();
    }
    expect(reason(['maybe'], 'review', '')).toBe("Condition too vague: 'maybe'");
  });
});
