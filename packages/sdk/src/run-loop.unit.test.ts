import { describe, expect, it } from 'vitest';
import { Agent, type CheckInReport } from './agent.ts';
import type { Client } from './client.ts';
import {
  IdentityDriftError,
  IdentityRefusedError,
  refusedError,
  UnavailableError,
  UnreachableError,
} from './errors.ts';
import type { Json } from './json.ts';
import type { LoopOptions } from './loop.ts';

const ME = '11111111-1111-4111-8111-111111111111';
const GO = { agent_id: ME, decision: { action: 'proceed' } };
const paused = (expires_at: string | null = null) =>
  refusedError({ code: 'AGENT_PAUSED', message: 'Paused', details: { reason: 'claims', recovery: { expires_at } } });

/** Runs a resident on a server that gives these answers in turn, for so many rests. */
const run = async (options: {
  readonly checkIns?: (Json | Error)[];
  readonly states?: (Json | Error)[];
  readonly rests?: number;
  readonly resident?: Partial<LoopOptions>;
}) => {
  const { checkIns = [], states = [], rests = 4 } = options;
  const log: string[] = [];
  const sent: Json[] = [];
  const waits: number[] = [];
  const end = new AbortController();
  let now = 0;
  let timers = 0;
  const client: Client = {
    url: new URL('http://server.test/'),
    clock: {
      now: () => now,
      sleep: async (ms) => {
        timers += 1;
        waits.push(ms);
        now += ms;
        if (waits.length >= rests) end.abort();
        await Promise.resolve();
        timers -= 1;
        return true;
      },
    },
    close: () => Promise.resolve(),
    call: (tool: string, args: Json) => {
      const next = { sync_state: () => checkIns.shift() ?? GO, check_working_state: () => states.shift() ?? {} }[tool];
      if (tool === 'sync_state') sent.push(args);
      if (tool === 'check_working_state') log.push('state');
      const answer = next?.() ?? { uuid: ME, client_session_id: 's' };
      const told = answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ success: true, ...answer });
      return told as Promise<never>;
    },
  };
  const agent = await Agent.open({ client, name: 'Ada' });
  const undelivered = await agent
    .runLoop({
      signal: end.signal,
      work: ({ number }) => {
        log.push(`turn ${number}`);
        return { text: `work ${number}` };
      },
      onPause: () => void log.push('pause'),
      onResume: () => void log.push('resume'),
      onUnavailable: () => void log.push('unavailable'),
      onRefused: ({ code }) => void log.push(`refused ${code}`),
      ...options.resident,
    })
    .catch((error: unknown) => error as Error);
  return { log, waits, sent, texts: sent.map((args) => args['response_text']), undelivered, end, timers };
};

describe('a resident', () => {
  it('works in turns and checks in what they return', async () => {
    const { log, texts, waits, undelivered, timers } = await run({ rests: 3 });
    expect(log).toEqual(['state', 'turn 1', 'turn 2', 'turn 3']);
    expect(texts).toEqual(['work 1', 'work 2', 'work 3']);
    expect(waits).toEqual([60_000, 60_000, 60_000]);
    expect([undelivered, timers]).toEqual([undefined, 0]);
  });

  it('says that it lives after a long silence, and not before', async () => {
    const { texts } = await run({ rests: 62, resident: { work: () => undefined } });
    expect(texts).toEqual([
      'Heartbeat: turn 31, nothing to report for 1800 s.',
      'Heartbeat: turn 61, nothing to report for 1800 s.',
    ]);
  });

  it('does not work while it is paused: it tells so once, asks at intervals, and goes on with the same report', async () => {
    const { log, waits, sent } = await run({
      rests: 5,
      checkIns: [paused()],
      states: [{}, { status: 'paused' }, { status: 'paused' }, { status: 'active' }],
      resident: { pausePollMs: 7000 },
    });
    expect(log).toEqual(['state', 'turn 1', 'pause', 'state', 'state', 'state', 'resume', 'turn 2']);
    expect(waits).toEqual([7000, 7000, 7000, 60_000, 60_000]);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('does not begin to work when it was paused before it was started', async () => {
    const { log, sent } = await run({ rests: 2, states: Array(9).fill({ status: 'paused' }) as Json[] });
    expect(log).toEqual(['state', 'pause', 'state']);
    expect(sent).toEqual([]);
  });

  it('is paused by a check-in that says so, and asks a moment after the end of the pause', async () => {
    const pause = { paused_at: 'x', expires_at: new Date(5000).toISOString() };
    const { log, waits } = await run({ rests: 2, checkIns: [{ decision: { action: 'pause' }, paused: pause }] });
    expect(waits[0]).toBe(6000);
    expect(log).toEqual(['state', 'turn 1', 'pause', 'state', 'resume', 'turn 2']);
  });

  it('waits for a server that is away, the longer of both times, and then sends the same report under the same key', async () => {
    const { log, waits, sent } = await run({
      rests: 4,
      resident: { everyMs: 10_000 },
      checkIns: [
        new UnavailableError(30, 'starting'),
        new UnavailableError(2, 'starting'),
        new UnreachableError('lost'),
      ],
    });
    expect(waits).toEqual([30_000, 10_000, 10_000, 10_000]);
    expect(log).toEqual(['state', 'turn 1', 'unavailable', 'unavailable', 'unavailable']);
    expect(new Set(sent.map((args) => args['idempotency_key'])).size).toBe(1);
  });

  it('does not begin to work before it knows how it stands', async () => {
    const { log } = await run({ rests: 2, states: [new UnreachableError('down'), {}] });
    expect(log).toEqual(['state', 'unavailable', 'state', 'turn 1']);
  });

  it('leaves out what goes in circles, and keeps what only came too early', async () => {
    const loop = refusedError({ code: 'LOOP_DETECTED', message: 'loop', retryAfterSeconds: 90 });
    const early = refusedError({ code: 'RATE_LIMIT_EXCEEDED', message: 'early', retryAfterSeconds: 70 });
    const { log, texts, waits } = await run({ rests: 4, checkIns: [loop, early] });
    expect(texts).toEqual(['work 1', 'work 2', 'work 2', 'work 3']);
    expect(log).toContain('refused LOOP_DETECTED');
    expect(waits.slice(0, 2)).toEqual([90_000, 70_000]);
  });

  it('sends again what the catalogue says to send again, but not for ever', async () => {
    const bug = () => refusedError({ code: 'INTERNAL_ERROR', message: 'bug' });
    const { log, texts } = await run({ rests: 4, checkIns: [bug(), bug(), bug()] });
    expect(texts).toEqual(['work 1', 'work 1', 'work 1', 'work 2']);
    expect(log).toEqual(['state', 'turn 1', 'refused INTERNAL_ERROR', 'turn 2']);
  });

  it.each([
    ['a refused identity', refusedError({ code: 'SESSION_UNKNOWN', message: 'who' }), IdentityRefusedError],
    [
      'another identity',
      { agent_id: '22222222-2222-4222-8222-222222222222', decision: { action: 'proceed' } },
      IdentityDriftError,
    ],
  ])('is ended by %s', async (_title, answer, expected) => {
    const { undelivered, sent } = await run({ checkIns: [answer] });
    expect(undelivered).toBeInstanceOf(expected);
    expect(sent).toHaveLength(1);
  });

  it('is ended by a turn that fails, unless somebody takes the error', async () => {
    const broken = new Error('broken');
    const work = () => {
      throw broken;
    };
    expect((await run({ resident: { work } })).undelivered).toBe(broken);
    const taken: unknown[] = [];
    const { waits, undelivered } = await run({ rests: 2, resident: { work, onError: (e) => void taken.push(e) } });
    expect([taken, waits, undelivered]).toEqual([[broken, broken], [60_000, 60_000], undefined]);
  });

  it('delivers, once it is to end, what the last turn returned', async () => {
    const end = new AbortController();
    const last = { signal: end.signal, work: (): CheckInReport => (end.abort(), { text: 'last' }) };
    const { texts, undelivered, waits } = await run({ resident: last });
    expect([texts, undelivered, waits.length]).toEqual([['last'], undefined, 1]);
  });

  it('gives back what it could not deliver', async () => {
    const end = new AbortController();
    const last = { signal: end.signal, work: (): CheckInReport => (end.abort(), { text: 'last' }) };
    const { undelivered } = await run({ resident: last, checkIns: [new UnreachableError('down')] });
    expect(undelivered).toMatchObject({ text: 'last' });
  });
});
