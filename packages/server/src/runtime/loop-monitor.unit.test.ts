import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from './clock.ts';
import { LoopMonitor, type LoopDelay } from './loop-monitor.ts';
import { ManualClock } from './testing/manual-clock.ts';

/** A clock whose timers fire as late as the test says. */
class LateClock extends ManualClock {
  lateBy = 0;
  override after(ms: number, fn: () => void) {
    const late = this.lateBy;
    this.lateBy = 0;
    return super.after(ms + late, fn);
  }
}

describe('LoopMonitor', () => {
  it('sees a loop that was really blocked, and reports its size', async () => {
    verifies('BW-runtime.07');
    const reports: LoopDelay[] = [];
    const monitor = new LoopMonitor({ clock: systemClock, everyMs: 50, limitMs: 150, onDelay: (d) => reports.push(d) });
    monitor.start();
    await sleep(20);
    const until = performance.now() + 300;
    while (performance.now() < until);
    while (reports.length === 0) await sleep(10);
    monitor.stop();
    // The sample under way when the block began may have waited for up to its 10 ms already.
    expect(reports[0]!.maxMs).toBeGreaterThanOrEqual(285);
    expect(reports[0]!.maxMs).toBeLessThan(5000);
  });

  it('misses no block, wherever in the interval it begins', () => {
    verifies('BW-runtime.07');
    for (let at = 0; at < 20; at += 1) {
      const clock = new LateClock();
      const reports: LoopDelay[] = [];
      const monitor = new LoopMonitor({ clock, everyMs: 100, limitMs: 50, onDelay: (d) => reports.push(d) });
      monitor.start();
      clock.advance(10 * at);
      clock.lateBy = 200;
      clock.advance(500);
      expect(reports, `block after sample ${at}`).toHaveLength(1);
      // The histogram keeps three digits.
      expect(Math.abs(reports[0]!.maxMs - 200)).toBeLessThan(0.2);
      monitor.stop();
      expect(clock.pending).toBe(0);
    }
  });

  it('reports nothing below the limit, and forgets an interval with the next', () => {
    const clock = new LateClock();
    const reports: LoopDelay[] = [];
    const monitor = new LoopMonitor({ clock, everyMs: 100, limitMs: 50, onDelay: (d) => reports.push(d) });
    monitor.start();
    clock.lateBy = 49;
    clock.advance(300);
    expect(reports).toEqual([]);
    expect(monitor.last.maxMs).toBeLessThan(0.01);
  });
});
