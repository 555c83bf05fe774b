import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { Readiness } from './readiness.ts';
import { settle } from './testing/settle.ts';

describe('Readiness', () => {
  it('is ready exactly while every declared part is warm', () => {
    verifies('W3-10.05');
    const part = fc.constantFrom('a', 'b', 'c');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(part, fc.constantFrom('expect', 'warm', 'cold')), { size: 'max', maxLength: 30 }),
        (steps) => {
          const readiness = new Readiness();
          const parts = new Map<string, boolean>();
          for (const [name, step] of steps) {
            if (step === 'expect') {
              readiness.expect(name);
              parts.set(name, parts.get(name) ?? false);
            } else if (parts.has(name)) {
              readiness.report(name, step === 'warm');
              parts.set(name, step === 'warm');
            } else {
              expect(() => readiness.report(name, true)).toThrow('unknown part');
            }
            expect(readiness.ready).toBe(parts.size > 0 && [...parts.values()].every(Boolean));
            expect(readiness.parts()).toEqual(Object.fromEntries(parts));
          }
        },
      ),
    );
  });

  it('wakes everyone who waits when the last part is warm, and not before', async () => {
    const readiness = new Readiness();
    readiness.expect('a');
    readiness.expect('b');
    let woken = 0;
    for (let i = 0; i < 2; i += 1) void readiness.whenReady().then(() => (woken += 1));
    readiness.report('a', true);
    await settle();
    expect(woken).toBe(0);
    readiness.report('b', true);
    await settle();
    expect(woken).toBe(2);
    await readiness.whenReady();
  });

  it('knows since when it has not been ready, until it is, whatever else goes cold meanwhile', () => {
    let now = 0;
    const readiness = new Readiness(() => (now += 1));
    expect(readiness.coldSince).toBeUndefined();
    readiness.expect('a');
    readiness.expect('b');
    expect(readiness.coldSince).toBe(1);
    readiness.report('a', true);
    expect(readiness.coldSince).toBe(1);
    readiness.report('b', true);
    expect(readiness.coldSince).toBeUndefined();
    now = 10;
    readiness.report('b', false);
    readiness.report('a', false);
    readiness.report('b', true);
    expect(readiness.coldSince).toBe(11);
    readiness.report('a', true);
    expect(readiness.coldSince).toBeUndefined();
    const timeless = new Readiness();
    timeless.expect('a');
    expect(timeless.coldSince).toBeUndefined();
  });
});
