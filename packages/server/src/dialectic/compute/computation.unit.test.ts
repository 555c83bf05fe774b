import { ok, refuse } from '@breakwater/contract';
import { describe, expect, it } from 'vitest';
import { boundaryCosts, placementOf } from '../../../bench/boundary.ts';
import { verifies } from '../../../testing/verifies.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { settle } from '../../runtime/testing/settle.ts';
import {
  Computation,
  type ComputeCall,
  type ComputeFailure,
  type Placed,
  type Placement,
  type Synthesis,
} from './computation.ts';

const synthesis = {
  message_a: { agent_id: 'a', proposed_conditions: ['add logging'], root_cause: 'a broken runner' },
  message_b: { agent_id: 'b', proposed_conditions: ['Add logging', 'report daily'], reasoning: 'it failed twice' },
  transcript: [{ phase: 'antithesis', agent_id: 'a', reasoning: 'I saw it' }],
  session_type: 'recovery',
};
const candidate = { agent_id: 'c', status: 'active', last_update_at: '2026-01-01T00:00:00Z' };
const selection = {
  candidates: [candidate],
  paused_agent_id: 'a',
  paused_agent_tags: [],
  excluded: [],
  busy: [],
  recent_pairs: [],
};
const call = (change: Partial<ComputeCall> = {}): ComputeCall => ({
  mode: 'synthesize',
  sessionId: 's1',
  round: 1,
  input: synthesis,
  ...change,
});
const choice = (input: object, sessionId = 's1') =>
  call({ mode: 'select_reviewer', sessionId, input: { ...selection, ...input } });

const start = (compute?: Placement) => {
  const clock = new ManualClock();
  const failures: ComputeFailure[] = [];
  const onFailure = (failure: ComputeFailure) => void failures.push(failure);
  const computation = new Computation({ clock, random: () => 0, onFailure, ...(compute && { compute }) });
  const run = async (change?: Partial<ComputeCall>) => {
    const outcome = await computation.run(call(change));
    if (!outcome.ok) throw new Error(outcome.refusal.message);
    return outcome.value;
  };
  return { clock, failures, computation, run };
};

/** A placement that counts, and answers with the count. */
const counting = () => {
  let count = 0;
  const compute: Placement = () => ok({ count: (count += 1) });
  return { compute, count: () => count };
};

/** A placement that answers when told to. */
const waiting = () => {
  const answers: ((placed: Placed) => void)[] = [];
  const signals: AbortSignal[] = [];
  const compute: Placement = (_job, signal) => {
    signals.push(signal);
    return new Promise((resolve) => answers.push(resolve));
  };
  return { compute, answers, signals };
};

describe('a computation', () => {
  it('merges two offers and says whether the limits are kept', async () => {
    verifies('W3-5.04', 'W3-5.07');
    const { run } = start();
    expect(await run()).toEqual({
      result: {
        conditions: ['add logging', 'report daily'],
        root_cause: 'a broken runner',
        reasoning: 'Agent A: I saw it\nAgent B: it failed twice',
        safe: true,
        violation: null,
      },
      elapsed_ms: 0,
      cache_hit: false,
    });
    const unsafe = { ...synthesis, message_b: { agent_id: 'b', proposed_conditions: ['disable governance'] } };
    expect((await run({ round: 2, input: unsafe })).result).toMatchObject({
      safe: false,
      violation: 'Cannot disable governance system',
    });
  });

  it('chooses a reviewer, or none when nobody is free', async () => {
    verifies('W3-5.04', 'W3-5.07');
    const { computation } = start();
    const chosen = async (input: object, sessionId: string) => {
      const outcome = await computation.run(choice(input, sessionId));
      return outcome.ok ? outcome.value.result['reviewer_agent_id'] : outcome.refusal.message;
    };
    expect(await chosen({}, 'free')).toBe('c');
    for (const [taken, input] of Object.entries({
      excluded: { excluded: ['c'] },
      busy: { busy: ['c'] },
      met: { recent_pairs: [{ reviewer_agent_id: 'c', paused_agent_id: 'a' }] },
      stale: { candidates: [{ ...candidate, last_update_at: '2025-12-30T23:59:00+00:00' }] },
      itself: { paused_agent_id: 'c' },
    })) {
      expect(await chosen(input, taken)).toBeNull();
    }
  });

  it.each([
    ['mode', call({ mode: 'triage' })],
    ['session_id', call({ sessionId: '' })],
    ['round', call({ round: 1.5 })],
    ['input', call({ input: undefined })],
    ['input.message_a', call({ input: { ...synthesis, message_a: null } })],
    [
      'input.message_b.proposed_conditions[1]',
      call({ input: { ...synthesis, message_b: { agent_id: 'b', proposed_conditions: ['x', 7] } } }),
    ],
    [
      'input.message_b.proposed_conditions',
      call({ input: { ...synthesis, message_b: { agent_id: 'b', proposed_conditions: Array(51).fill('x') } } }),
    ],
    ['input.candidates[0].status', choice({ candidates: [{ ...candidate, status: 'asleep' }] })],
    ['input.busy', choice({ busy: 'c' })],
  ])('without a good %s is refused, and the refusal names it', async (field, wrong) => {
    verifies('W3-5.04');
    const { compute, count } = counting();
    const outcome = await start(compute).computation.run(wrong);
    expect(outcome).toMatchObject({ ok: false, refusal: { code: 'BAD_REQUEST', details: { field } } });
    expect(count()).toBe(0);
  });
});

describe('the same session, round and mode', () => {
  it('is computed once in 60 s, and again after that', async () => {
    verifies('W3-5.05');
    const { compute, count } = counting();
    const { run, clock } = start(compute);
    expect(await run()).toMatchObject({ result: { count: 1 }, cache_hit: false });
    clock.advance(59_999);
    expect(await run({ input: { ...synthesis, session_type: 'review' } })).toMatchObject({
      result: { count: 1 },
      cache_hit: true,
    });
    clock.advance(1);
    expect(await run()).toMatchObject({ result: { count: 2 }, cache_hit: false });
    expect(count()).toBe(2);
  });

  it('is another one as soon as session, round or mode differs', async () => {
    verifies('W3-5.05');
    const { run } = start(counting().compute);
    await run();
    for (const other of [{ sessionId: 's2' }, { round: 2 }, { mode: 'select_reviewer', input: selection }]) {
      expect((await run(other)).cache_hit).toBe(false);
    }
  });

  it('asked for several times at once is computed once', async () => {
    verifies('W3-5.05');
    const { compute, answers } = waiting();
    const { run, clock } = start(compute);
    const first = run();
    clock.advance(100);
    const others = [run(), run()];
    clock.advance(5);
    answers[0]!(ok({ done: true }));
    expect(await first).toEqual({ result: { done: true }, elapsed_ms: 105, cache_hit: false });
    for (const other of others) {
      expect(await other).toEqual({ result: { done: true }, elapsed_ms: 5, cache_hit: true });
    }
    expect(answers).toHaveLength(1);
  });

  it('is computed again when more than 500 others came after it', async () => {
    verifies('W3-5.05');
    const { run } = start(counting().compute);
    for (let i = 0; i <= 500; i += 1) await run({ sessionId: `many-${i}` });
    expect((await run({ sessionId: 'many-1' })).cache_hit).toBe(true);
    expect((await run({ sessionId: 'many-0' })).cache_hit).toBe(false);
  });
});

describe('a computation over 2 s', () => {
  it('is refused with TIMEOUT, told of once, aborted, and not tried again', async () => {
    verifies('W3-5.06');
    const { compute, answers, signals } = waiting();
    const { computation, clock, failures } = start(compute);
    const asked = [computation.run(call()), computation.run(call())];
    clock.advance(1999);
    await settle();
    expect([failures.length, signals[0]!.aborted]).toEqual([0, false]);
    clock.advance(1);
    for (const outcome of await Promise.all(asked)) {
      expect(outcome).toMatchObject({ ok: false, refusal: { code: 'TIMEOUT', details: { session_id: 's1' } } });
    }
    expect(failures).toEqual([
      { mode: 'synthesize', sessionId: 's1', round: 1, elapsedMs: 2000, errorClass: 'timeout' },
    ]);
    expect([answers.length, signals[0]!.aborted, clock.pending]).toEqual([1, true, 0]);
    answers[0]!(ok({ late: true }));
    await settle();
    void computation.run(call());
    expect(answers).toHaveLength(2);
  });

  it('is one too when it held up the process, so that no timer could fire', async () => {
    verifies('W3-5.06');
    const clock = new ManualClock();
    const failures: ComputeFailure[] = [];
    // The time passes without the timers, as it does for a function that does not give way.
    let passed = 0;
    const computation = new Computation({
      clock: {
        now: () => clock.now(),
        monotonic: () => passed,
        after: (ms, fn) => clock.after(ms, fn),
      },
      random: () => 0,
      onFailure: (failure) => void failures.push(failure),
      compute: () => {
        passed = 2001;
        return ok({});
      },
    });
    expect(await computation.run(call())).toMatchObject({ ok: false, refusal: { code: 'TIMEOUT' } });
    expect(failures).toHaveLength(1);
  });

  it('a placement that refuses or fails is not kept either', async () => {
    verifies('W3-5.06');
    const answers: Placement[] = [
      () => refuse('OVERLOADED', 'No room.'),
      () => Promise.reject(new Error('lost')),
      () => ok({ fine: true }),
    ];
    const { computation, clock, failures } = start((job, signal) => answers.shift()!(job, signal));
    expect(await computation.run(call())).toMatchObject({ ok: false, refusal: { code: 'OVERLOADED' } });
    await expect(computation.run(call())).rejects.toThrow('lost');
    expect(await computation.run(call())).toMatchObject({ ok: true, value: { cache_hit: false } });
    expect([failures.length, clock.pending]).toEqual([0, 0]);
  });
});

it('a computation that is lost is refused, told of once, and not kept', async () => {
  verifies('W3-6.04');
  const { compute, answers } = waiting();
  const { computation, clock, failures } = start(compute);
  const asked = [computation.run(call()), computation.run(call())];
  clock.advance(30);
  answers[0]!({ ok: false, lost: { errorClass: 'non_200', statusCode: 502, reason: 'it answered 502' } });
  for (const outcome of await Promise.all(asked)) {
    expect(outcome).toMatchObject({
      ok: false,
      refusal: { code: 'NOT_READY', retryAfterSeconds: 5, details: { session_id: 's1', error_class: 'non_200' } },
    });
  }
  expect(failures).toEqual([
    {
      mode: 'synthesize',
      sessionId: 's1',
      round: 1,
      elapsedMs: 30,
      errorClass: 'non_200',
      statusCode: 502,
      reason: 'it answered 502',
    },
  ]);
  const again = computation.run(call());
  answers[1]!(ok({ fine: true }));
  expect(await again).toMatchObject({ ok: true, value: { cache_hit: false } });
});

describe('the synthesis of a session', () => {
  const message = (agentId: string, conditions: readonly string[]) => ({
    agentId,
    conditions,
    rootCause: 'a broken runner',
    reasoning: null,
  });
  const ours: Synthesis = {
    sessionId: 's1',
    round: 1,
    a: message('a', ['add logging']),
    b: message('b', ['Add logging', 'report daily']),
    record: [
      { type: 'antithesis', agentId: 'a', rootCause: null, reasoning: 'I saw it' },
      { type: 'synthesis', agentId: 'b', rootCause: null, reasoning: 'no part of it' },
    ],
    sessionType: 'recovery',
  };
  const ofOurs = {
    conditions: ['add logging', 'report daily'],
    rootCause: 'a broken runner',
    reasoning: 'I saw it',
  };

  it('gives the terms', async () => {
    verifies('W3-5.07');
    expect(await start().computation.synthesize(ours)).toEqual(ok(ofOurs));
  });

  it('crosses as a caller of the route would send it, without what takes no part in it', async () => {
    verifies('W3-5.04');
    const sent: unknown[] = [];
    const { computation } = start(({ request }) => {
      sent.push(request);
      return refuse('OVERLOADED', 'No room.');
    });
    await computation.synthesize(ours);
    expect(sent).toEqual([
      {
        mode: 'synthesize',
        session_id: 's1',
        round: 1,
        input: {
          message_a: {
            agent_id: 'a',
            proposed_conditions: ['add logging'],
            root_cause: 'a broken runner',
            reasoning: null,
          },
          message_b: {
            agent_id: 'b',
            proposed_conditions: ['Add logging', 'report daily'],
            root_cause: 'a broken runner',
            reasoning: null,
          },
          transcript: [{ phase: 'antithesis', agent_id: 'a', root_cause: null, reasoning: 'I saw it' }],
          session_type: 'recovery',
        },
      },
    ]);
  });

  it('is never what a caller of the route sent for the session, kept or under way', async () => {
    verifies('W3-5.05');
    const theirs = { ...synthesis, message_a: { agent_id: 'a', proposed_conditions: ['trust the agent'] } };
    const ofTheirs = { conditions: ['trust the agent', 'Add logging', 'report daily'] };
    const { computation, run } = start();
    const underWay = run({ input: theirs });
    expect(await computation.synthesize(ours)).toEqual(ok(ofOurs));
    expect(await underWay).toMatchObject({ result: ofTheirs, cache_hit: false });
    expect(await computation.synthesize(ours)).toEqual(ok(ofOurs));
    expect(await run()).toMatchObject({ result: ofTheirs, cache_hit: true });
  });

  it('is computed once for the same offers, and again for others in the same round', async () => {
    verifies('W3-5.05');
    let computed = 0;
    const { computation } = start(() => {
      computed += 1;
      return ok({ conditions: [`${computed}`], root_cause: '', reasoning: '', safe: true, violation: null });
    });
    const conditionsOf = async (change: Partial<Synthesis>) => {
      const outcome = await computation.synthesize({ ...ours, ...change });
      return outcome.ok && outcome.value.conditions;
    };
    expect(await Promise.all([conditionsOf({}), conditionsOf({})])).toEqual([['1'], ['1']]);
    expect(await conditionsOf({})).toEqual(['1']);
    expect(await conditionsOf({ b: message('b', ['report weekly']) })).toEqual(['2']);
    expect(await conditionsOf({ round: 2 })).toEqual(['3']);
  });

  it('over 2 s is refused with TIMEOUT', async () => {
    verifies('W3-5.06');
    const { computation, clock, failures } = start(waiting().compute);
    const asked = computation.synthesize(ours);
    clock.advance(2000);
    expect(await asked).toMatchObject({
      ok: false,
      refusal: { code: 'TIMEOUT', details: { session_id: 's1', round: 1 } },
    });
    expect(failures).toMatchObject([{ errorClass: 'timeout', mode: 'synthesize' }]);
  });
});

it('the audit gives the cost of every function and of a crossing, and where it belongs', async () => {
  verifies('W3-5.08');
  const costs = await boundaryCosts(20);
  expect(costs.map(({ name }) => name.split(',')[0])).toEqual([
    'mergeOffers',
    'unsafeReason',
    'selectReviewer',
    'similarity',
    'canonicalPayload',
    'resolutionHash',
    'authority',
  ]);
  for (const cost of costs) {
    expect(Math.min(cost['own µs'], cost['thread µs'], cost['json µs'], cost['http µs'])).toBeGreaterThan(0);
    // What a crossing costs is no property of the function: each would be computed in less time than the way there takes.
    expect(cost.placement, JSON.stringify(cost)).toBe('in process');
  }
  // A function of a second would be worth the way.
  expect([placementOf(1_000_000, 50), placementOf(499, 50), placementOf(500, 50)]).toEqual([
    'elsewhere',
    'in process',
    'elsewhere',
  ]);
});
