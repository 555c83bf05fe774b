import { describe, expect, it } from 'vitest';
import { SharedAnswers } from './shared-answers.ts';
import { ManualClock } from './testing/manual-clock.ts';

const counting = () => {
  const clock = new ManualClock();
  const shared = new SharedAnswers(clock);
  let made = 0;
  return { clock, shared, make: () => Promise.resolve((made += 1)), made: () => made };
};

describe('shared answers', () => {
  it('are made once for all who ask at one time, and once a second after that', async () => {
    const { clock, shared, make, made } = counting();
    expect(await Promise.all(Array.from({ length: 100 }, () => shared.get('a', make)))).toEqual(Array(100).fill(1));
    clock.advance(999);
    expect(await shared.get('a', make)).toBe(1);
    clock.advance(1);
    expect(await shared.get('a', make)).toBe(2);
    expect(await shared.get('b', make)).toBe(3);
    expect(made()).toBe(3);
  });

  it('count their second from the answer, so that one who is slow is not asked twice at once', async () => {
    const { clock, shared, make } = counting();
    const gate = Promise.withResolvers<number>();
    const slow = shared.get('a', () => gate.promise);
    clock.advance(5000);
    const other = shared.get('a', make);
    gate.resolve(0);
    expect([await slow, await other]).toEqual([0, 0]);
    expect(await shared.get('a', make)).toBe(0);
  });

  it('that failed are not kept, nor those from before somebody acted', async () => {
    const { shared, make } = counting();
    await expect(shared.get('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await shared.get('a', make)).toBe(1);
    shared.clear();
    expect(await shared.get('a', make)).toBe(2);
  });

  it('are few, however many things are asked', async () => {
    const { shared, make } = counting();
    for (let i = 0; i < 1000; i += 1) await shared.get(`page ${i}`, make);
    expect(await shared.get('page 999', make)).toBe(1000);
    expect(await shared.get('page 0', make)).toBe(1001);
  });
});
