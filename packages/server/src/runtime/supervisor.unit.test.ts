import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { Supervisor, type Part } from './supervisor.ts';
import { createGate } from './testing/gate.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { settle } from './testing/settle.ts';

const part = (name: string, log: string[], failing: { start?: boolean; stop?: boolean } = {}): Part => ({
  name,
  start: () => {
    log.push(`+${name}`);
    if (failing.start === true) throw new Error(`${name} does not start`);
  },
  stop: async () => {
    log.push(`-${name}`);
    if (failing.stop === true) throw new Error(`${name} does not stop`);
  },
});

const STOP_MS = 4_000;
const supervisorOf = (onError: (part: string, error: unknown) => void = () => undefined, clock = new ManualClock()) =>
  new Supervisor({ clock, stopMs: STOP_MS, onError });

describe('Supervisor', () => {
  it('stops in reverse order, once, and a part that fails to stop does not keep the others', async () => {
    const log: string[] = [];
    const errors: string[] = [];
    const supervisor = supervisorOf((name, error) => errors.push(`${name}: ${(error as Error).message}`));
    await supervisor.start(part('a', log));
    await supervisor.start(part('b', log, { stop: true }));
    await supervisor.start({ name: 'neither starts nor stops' });
    await supervisor.start(part('c', log));
    await Promise.all([supervisor.stop(), supervisor.stop()]);
    await supervisor.stop();
    expect(log).toEqual(['+a', '+b', '+c', '-c', '-b', '-a']);
    expect(errors).toEqual(['b: b does not stop']);
  });

  it('stops those before a part that fails to start, and its error reaches the caller', async () => {
    const log: string[] = [];
    const supervisor = supervisorOf();
    await supervisor.start(part('a', log));
    await expect(supervisor.start(part('b', log, { start: true }))).rejects.toThrow('b does not start');
    expect(log).toEqual(['+a', '+b', '-a']);
    await expect(supervisor.start(part('c', log))).rejects.toThrow('stopping');
    expect(log).toEqual(['+a', '+b', '-a']);
  });

  it('stops the part that was starting when the stop came, before the stop resolves', async () => {
    const log: string[] = [];
    const starting = createGate();
    const supervisor = supervisorOf();
    await supervisor.start(part('a', log));
    const start = supervisor.start({ ...part('b', log), start: () => starting.passed });
    const stop = supervisor.stop().then(() => log.push('stopped'));
    starting.open();
    await expect(start).rejects.toThrow('stopping');
    await stop;
    expect(log).toEqual(['+a', '-b', '-a', 'stopped']);
  });

  it('leaves a part behind that does not stop in time, and stops the others; the essential one is waited for', async () => {
    verifies('BW-nodes.05');
    const clock = new ManualClock();
    const log: string[] = [];
    const supervisor = supervisorOf((name, error) => log.push(`${name} ${(error as Error).message}`), clock);
    const essential = createGate();
    await supervisor.start({ name: 'essential', essential: true, stop: () => essential.passed });
    await supervisor.start(part('a', log));
    await supervisor.start({ name: 'hangs', stop: () => new Promise(() => undefined) });
    await supervisor.start({ name: 'hangs too', stop: () => new Promise(() => undefined) });
    const stop = supervisor.stop().then(() => log.push('stopped'));
    await settle();
    clock.advance(STOP_MS - 1);
    await settle();
    expect(log).toEqual(['+a']);
    clock.advance(1);
    await settle();
    expect(log).toEqual(['+a', 'hangs too did not stop within 4000 ms']);
    clock.advance(100);
    await settle();
    expect(log.slice(2)).toEqual(['hangs did not stop within 100 ms', '-a']);
    clock.advance(60_000);
    await settle();
    expect(log).not.toContain('stopped');
    essential.open();
    await stop;
    expect(log.at(-1)).toBe('stopped');
  });

  it('does not wait for ever for the part that was starting', async () => {
    verifies('BW-nodes.05');
    const clock = new ManualClock();
    const log: string[] = [];
    const supervisor = supervisorOf((name) => log.push(name), clock);
    await supervisor.start(part('a', log));
    void supervisor.start({ name: 'never starts', start: () => new Promise(() => undefined) });
    const stop = supervisor.stop();
    await settle();
    clock.advance(STOP_MS);
    await stop;
    expect(log).toEqual(['+a', 'the part that was starting', '-a']);
  });
});
