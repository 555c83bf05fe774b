import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { checkSelfRecovery, quickRecovery, reviewRecovery } from './self-recovery.ts';
import {
  head,
  inferred,
  MINUTE,
  nobody,
  NOW,
  operator,
  owner,
  pauseUntil,
  reader,
  stranger,
  vitals,
} from './testing/head.ts';

const pausedBy = (sub_action: string, risk?: number, until = NOW + MINUTE) =>
  head({
    status: 'paused',
    pause: { ...pauseUntil(until), sub_action },
    vitals: risk === undefined ? null : vitals({ risk }),
  });
const paused = (risk?: number) => pausedBy('risk_pause', risk);

const REFLECTION = 'I guessed instead of testing.';
const quick = (target: ReturnType<typeof head>, actor = owner) => quickRecovery(actor, target, { reason: null }, NOW);
const review = (
  target: ReturnType<typeof head>,
  over: { reflection?: string; conditions?: readonly string[] } = {},
  actor = owner,
) => reviewRecovery(actor, target, { reflection: REFLECTION, rootCause: 'haste', conditions: [], ...over }, NOW);
const check = (target: ReturnType<typeof head>, actor = owner) => checkSelfRecovery(actor, target, NOW);

describe('self recovery, all of it', () => {
  const acts = [
    ['check', (target, actor) => check(target, actor)],
    ['quick', (target, actor) => quick(target, actor)],
    ['review', (target, actor) => review(target, {}, actor)],
  ] satisfies [string, (target: ReturnType<typeof head>, actor: typeof owner) => unknown][];

  it.each(acts)('%s is for the agent itself, by its own proof', (_name, act) => {
    verifies('BW-dialectic.10');
    expect(act(paused(0.1), owner)).toMatchObject({ ok: true });
    expect(act(paused(0.1), { ...owner, operator: reader.operator })).toMatchObject({ ok: true });
    for (const actor of [inferred, { ...inferred, operator: operator.operator }]) {
      expect(act(paused(0.1), actor)).toMatchObject({ refusal: { code: 'STRONG_IDENTITY_REQUIRED' } });
    }
    expect(act(paused(0.1), nobody)).toMatchObject({ refusal: { code: 'IDENTITY_REQUIRED' } });
    for (const actor of [stranger, operator, reader, { ...stranger, operator: operator.operator }]) {
      expect(act(paused(0.1), actor)).toMatchObject({
        refusal: { code: 'FORBIDDEN', recovery: { related_tools: ['operator_resume_agent'] } },
      });
    }
  });

  it.each(acts.slice(1))('%s never lifts a pause of the claims detector while it holds', (_name, act) => {
    verifies('BW-dialectic.10');
    expect(act(pausedBy('claims_pause', 0, NOW), owner)).toMatchObject({
      refusal: {
        code: 'FORBIDDEN',
        details: { sub_action: 'claims_pause', expires_at: new Date(NOW).toISOString() },
        recovery: {
          action: 'Ask for a review with request_review.',
          related_tools: ['request_review', 'check_working_state'],
        },
      },
    });
    expect(act(pausedBy('claims_pause', 0, NOW - 1), owner)).toMatchObject({ value: { status: 'active' } });
    for (const kind of ['risk_pause', 'cirs_block', 'reject']) {
      expect(act(pausedBy(kind, 0), owner)).toMatchObject({ value: { status: 'active' } });
    }
  });

  it.each(acts.slice(1))(
    '%s never lifts a pause that a person decides on, and sends nobody to a review',
    (_name, act) => {
      verifies('BW-console.02');
      for (const kind of ['operator_pause', 'review_block', 'a_kind_of_tomorrow']) {
        expect(act(pausedBy(kind, 0, NOW), owner)).toMatchObject({
          refusal: {
            code: 'FORBIDDEN',
            details: { sub_action: kind },
            recovery: {
              action: expect.stringMatching(/^Wait until 2026-.*, or for an operator to /) as string,
              related_tools: ['check_working_state'],
            },
          },
        });
        expect(act(pausedBy(kind, 0, NOW - 1), owner)).toMatchObject({ value: { status: 'active' } });
      }
    },
  );

  it.each(acts.slice(1))('%s never lifts what a review agreed on: a pause for a broken condition', (_name, act) => {
    verifies('BW-breaker.03');
    expect(act(pausedBy('conditions_pause', 0, NOW), owner)).toMatchObject({
      refusal: { code: 'FORBIDDEN', recovery: { action: 'Ask for a review with request_review.' } },
    });
  });

  it.each(acts.slice(1))('%s does not lift a pause of which no record is left', (_name, act) => {
    const target = head({ status: 'paused', pause: null, vitals: vitals({ risk: 0 }) });
    expect(act(target, owner)).toMatchObject({ refusal: { code: 'FORBIDDEN', details: { sub_action: null } } });
  });

  it.each(acts.slice(1))('%s ends a wait, and has nothing to do for any other status', (_name, act) => {
    const low = { vitals: vitals({ risk: 0.1 }) };
    expect(act(head({ status: 'waiting_input', ...low }), owner)).toMatchObject({
      value: { status: 'active', pause: null, events: [{ payload: { previous_status: 'waiting_input' } }] },
    });
    for (const status of ['active', 'archived', 'disabled', 'deleted'] as const) {
      expect(act(head({ status, ...low }), owner)).toMatchObject({
        refusal: { code: 'AGENT_NOT_RESUMABLE', details: { status } },
      });
    }
  });
});

describe('check', () => {
  it.each([
    [0.4, true, [], true, true],
    [0.4001, true, [], false, true],
    [0.65, true, [], false, false],
    [0.6501, false, ['high_risk'], false, false],
    [undefined, false, ['risk_unknown'], false, false],
    [Number.NaN, false, ['risk_unknown'], false, false],
  ] as const)('at risk %s: eligible %s, blockers %s', (risk, eligible, blockers, quick_open, review_open) => {
    verifies('BW-dialectic.10');
    expect(check(paused(risk))).toMatchObject({ value: { eligible, blockers, quick_open, review_open } });
    expect([quick(paused(risk)).ok, review(paused(risk)).ok]).toEqual([quick_open, review_open]);
  });

  it('shows what it judged by, and the next call', () => {
    const target = { ...paused(), vitals: vitals({ risk: 0.5, risk_latest: 0.6, V: -0.1, margin: 'tight' }) };
    expect(check(target)).toMatchObject({
      value: {
        metrics: { risk: 0.5, risk_latest: 0.6, V: -0.1 },
        margin: 'tight',
        thresholds: { blockerRisk: 0.65, quickRisk: 0.4, reviewRisk: 0.65, reflectionCharacters: 20 },
        recommendations: ['Call self_recovery(action=review) with a reflection on what went wrong.'],
      },
    });
    expect(check(paused(0.1))).toMatchObject({ value: { recommendations: ['Call self_recovery(action=quick).'] } });
    expect(check(paused())).toMatchObject({
      value: {
        metrics: { risk: null, risk_latest: null, V: null },
        margin: null,
        recommendations: ['Ask for a review with request_review.'],
      },
    });
  });

  it('names a pause that others must lift, and a status that needs no recovery', () => {
    expect(check(pausedBy('claims_pause', 0.1))).toMatchObject({
      value: {
        eligible: false,
        blockers: ['claims_pause'],
        quick_open: false,
        recommendations: ['Ask for a review with request_review.'],
      },
    });
    expect(check(pausedBy('conditions_pause', 0.1))).toMatchObject({
      value: { eligible: false, blockers: ['conditions_pause'], quick_open: false },
    });
    for (const [kind, blocker] of [
      ['operator_pause', 'operator_pause'],
      ['a_kind_of_tomorrow', 'unknown_pause'],
      ['review_escalate', 'review_pause'],
    ] as const) {
      expect(check(pausedBy(kind, 0.1))).toMatchObject({
        value: {
          eligible: false,
          blockers: [blocker],
          review_open: false,
          recommendations: [expect.stringMatching(/^Wait until 2.*, or for an operator to /)],
        },
      });
    }
    expect(check(head({ status: 'paused', pause: null, vitals: vitals() }))).toMatchObject({
      value: { blockers: ['unknown_pause'], review_open: false },
    });
    expect(check(head({ vitals: vitals() }))).toMatchObject({
      value: { eligible: false, blockers: ['not_paused'], recommendations: ['Nothing is to be recovered.'] },
    });
  });
});

describe('quick', () => {
  it('makes the agent active at a risk of at most 0.40, and records how', () => {
    verifies('BW-dialectic.10');
    expect(quickRecovery(owner, paused(0.4), { reason: 'seen' }, NOW)).toEqual({
      ok: true,
      value: {
        status: 'active',
        pause: null,
        events: [
          {
            type: 'lifecycle_resumed',
            payload: {
              by: 'owner',
              operator: null,
              via: 'self_recovery_quick',
              reason: 'seen',
              risk: 0.4,
              previous_status: 'paused',
              actuation_id: 'a-1',
            },
          },
        ],
      },
    });
  });

  it.each([0.4001, 0.9, Number.NaN, undefined])('is refused at risk %s, naming the threshold', (risk) => {
    verifies('BW-dialectic.10');
    const refused = quick(paused(risk));
    expect(refused).toMatchObject({
      refusal: {
        code: 'NOT_SAFE_FOR_QUICK_RESUME',
        details: { failed_checks: ['risk'], risk: risk ?? null, limit: 0.4 },
      },
    });
    expect(refused.ok ? '' : refused.refusal.message).toContain('quick needs a risk of at most 0.4');
  });
});

describe('review', () => {
  it('makes the agent active at a risk below 0.65, and records the reflection and the conditions', () => {
    verifies('BW-dialectic.10');
    expect(
      review(paused(0.6499), { reflection: ` ${REFLECTION} `, conditions: ['Work in small steps'] }),
    ).toMatchObject({
      value: {
        status: 'active',
        pause: null,
        events: [
          {
            type: 'lifecycle_resumed',
            payload: {
              by: 'owner',
              via: 'self_recovery_review',
              reflection: REFLECTION,
              root_cause: 'haste',
              conditions: ['Work in small steps'],
              risk: 0.6499,
              actuation_id: 'a-1',
            },
          },
        ],
      },
    });
  });

  it.each([0.65, 0.9, Number.NaN, undefined])('is refused at risk %s, naming the threshold', (risk) => {
    verifies('BW-dialectic.10');
    const refused = review(paused(risk));
    expect(refused).toMatchObject({
      refusal: {
        code: 'SOFT_SAFETY_FAILED',
        details: { failed_checks: ['risk'], risk: risk ?? null, limit: 0.65 },
        recovery: { related_tools: ['request_review', 'operator_resume_agent'] },
      },
    });
    expect(refused.ok ? '' : refused.refusal.message).toContain('review needs a risk below 0.65');
  });

  it('needs a reflection of 20 characters, without the space around it', () => {
    verifies('BW-dialectic.10');
    expect(review(paused(0.1), { reflection: 'x'.repeat(20) }).ok).toBe(true);
    for (const [reflection, characters] of [
      [`  ${'x'.repeat(19)}  `, 19],
      ['😀'.repeat(19), 19],
      ['', 0],
    ] as const) {
      expect(review(paused(0.1), { reflection })).toMatchObject({
        refusal: { code: 'REFLECTION_REQUIRED', details: { characters, limit: 20 } },
      });
    }
  });

  it.each([
    ['Disable the monitor', 'disable'],
    ['bypass it', 'bypass'],
    ['Ignore  SAFETY', 'ignore safety'],
    ['remove\nmonitoring', 'remove monitoring'],
    ['skip governance', 'skip governance'],
    ['override limits', 'override limits'],
  ])('refuses the condition %j and names it', (condition, phrase) => {
    verifies('BW-dialectic.10');
    expect(review(paused(0.1), { conditions: ['Test first', condition] })).toMatchObject({
      refusal: { code: 'UNSAFE_CONDITIONS', details: { conditions: [condition], phrases: [phrase] } },
    });
  });
});
