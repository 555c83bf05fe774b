import { afterEach, describe, expect, it } from 'vitest';
import { armFault, armFaultFromEnvironment, disarmFault, faultPoint } from './faults.ts';

afterEach(disarmFault);

describe('fault points', () => {
  it('fire at the n-th pass of their own point, once', () => {
    let fired = 0;
    armFault('commit.sent', 3, () => (fired += 1));
    const passes = ['commit.sent', 'commit.before', 'commit.sent', 'commit.durable'] as const;
    for (const point of passes) faultPoint(point);
    expect(fired).toBe(0);
    faultPoint('commit.sent');
    expect(fired).toBe(1);
    for (let i = 0; i < 5; i += 1) faultPoint('commit.sent');
    expect(fired).toBe(1);
  });

  it('may be armed again from within', () => {
    const fired: string[] = [];
    armFault('commit.sent', 1, () => {
      fired.push('first');
      armFault('commit.durable', 1, () => fired.push('second'));
    });
    faultPoint('commit.sent');
    faultPoint('commit.durable');
    expect(fired).toEqual(['first', 'second']);
  });

  it.each(['nowhere', 'commit.sent:0', 'commit.sent:x', 'commit.sent:1.5', 'commit.sent:'])(
    'a misspelt fault (%s) is refused, so that it cannot pass for a survived one',
    (text) => {
      expect(() => armFaultFromEnvironment({ BREAKWATER_FAULT: text })).toThrow('expected <point>:<nth>');
    },
  );

  it('an absent or empty one arms nothing', () => {
    for (const environment of [{}, { BREAKWATER_FAULT: '' }]) {
      armFaultFromEnvironment(environment);
      expect(() => faultPoint('commit.sent')).not.toThrow();
    }
  });
});
