import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { operatorResume, resume } from './resume.ts';
import { head, MINUTE, NOW, operator, owner, pauseUntil, reader, stranger, vitals } from './testing/head.ts';

const paused = (risk?: number) =>
  head({
    status: 'paused',
    pause: pauseUntil(NOW + MINUTE),
    vitals: risk === undefined ? null : vitals({ risk }),
  });
const ask = { reason: 'go on', unstick: false };

describe('resume', () => {
  it('ends a wait, by the agent itself or by an operator', () => {
    verifies('BW-identity.07');
    const waiting = head({ status: 'waiting_input' });
    expect(resume(owner, waiting, ask, NOW)).toEqual({
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
              reason: 'go on',
              unstick: false,
              previous_status: 'waiting_input',
              actuation_id: null,
            },
          },
        ],
      },
    });
    expect(resume(operator, waiting, ask, NOW)).toMatchObject({
      value: { events: [{ payload: { operator: 'ada' } }] },
    });
  });

  it('does not let the paused agent lift its own pause, up to its last instant, and tells the way out', () => {
    verifies('BW-identity.07');
    const last = head({ status: 'paused', pause: pauseUntil(NOW) });
    expect(resume(owner, last, { ...ask, unstick: true }, NOW)).toMatchObject({
      refusal: {
        code: 'FORBIDDEN',
        details: { expires_at: new Date(NOW).toISOString() },
        // Nobody measured its risk, so it cannot recover by itself.
        recovery: {
          action: 'Ask for a review with request_review.',
          related_tools: ['request_review', 'check_working_state'],
        },
      },
    });
    expect(resume(owner, head({ status: 'paused', pause: null }), ask, NOW)).toMatchObject({
      refusal: { code: 'FORBIDDEN' },
    });
    const over = head({ status: 'paused', pause: pauseUntil(NOW - 1) });
    expect(resume(owner, over, ask, NOW)).toMatchObject({ value: { status: 'active', pause: null } });
  });

  it('lets an operator lift a pause within the limits of risk, also beside its own identity', () => {
    for (const actor of [operator, { ...owner, operator: operator.operator }]) {
      expect(resume(actor, paused(0.6), ask, NOW)).toMatchObject({
        value: { status: 'active', pause: null, events: [{ payload: { by: 'operator', actuation_id: 'a-1' } }] },
      });
      expect(resume(actor, paused(0.61), ask, NOW)).toMatchObject({ refusal: { code: 'SOFT_SAFETY_FAILED' } });
      expect(resume(actor, paused(0.81), ask, NOW)).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    }
  });

  it('has nothing to do for an active agent, unless it is to be unstuck, and for one that ended', () => {
    expect(resume(owner, head(), ask, NOW)).toMatchObject({
      refusal: { code: 'AGENT_NOT_RESUMABLE', details: { status: 'active' } },
    });
    expect(resume(owner, head(), { ...ask, unstick: true }, NOW)).toMatchObject({
      value: { status: 'active', events: [{ payload: { unstick: true, previous_status: 'active' } }] },
    });
    for (const status of ['archived', 'disabled', 'deleted'] as const) {
      expect(resume(operator, head({ status }), { ...ask, unstick: true }, NOW)).toMatchObject({
        refusal: { code: 'AGENT_NOT_RESUMABLE', details: { status } },
      });
    }
  });
});

describe('an operator resumes', () => {
  const press = (risk: number | undefined, force: boolean, actor = operator) =>
    operatorResume(actor, paused(), { reason: ' seen ', force, vitals: risk === undefined ? null : vitals({ risk }) });

  it.each([
    [0.6, false, 'resumed'],
    [0.6001, false, 'SOFT_SAFETY_FAILED'],
    [0.6001, true, 'resumed'],
    [0.8, true, 'resumed'],
    [0.8001, false, 'FORBIDDEN'],
    [0.8001, true, 'FORBIDDEN'],
    [Number.NaN, true, 'FORBIDDEN'],
    [undefined, false, 'SOFT_SAFETY_FAILED'],
    [undefined, true, 'resumed'],
  ] as const)('at risk %s, force %s: %s', (risk, force, outcome) => {
    const pressed = press(risk, force);
    if (outcome !== 'resumed') expect(pressed).toMatchObject({ refusal: { code: outcome } });
    else {
      expect(pressed).toMatchObject({
        value: {
          status: 'active',
          pause: null,
          events: [
            {
              type: 'lifecycle_resumed',
              payload: { operator: 'ada', reason: 'seen', forced: force, risk: risk ?? null, actuation_id: 'a-1' },
            },
          ],
        },
      });
    }
  });

  it('only with a credential that may act, never by who the caller is', () => {
    verifies('BW-identity.08');
    for (const actor of [owner, stranger, reader]) {
      expect(press(0.1, true, actor)).toMatchObject({ refusal: { code: 'OPERATOR_REQUIRED' } });
    }
  });

  it('only with a reason, and only what is paused or waits', () => {
    const args = { reason: 'seen', force: true, vitals: vitals() };
    expect(operatorResume(operator, paused(), { ...args, reason: '  ' })).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR', details: { parameter: 'reason' } },
    });
    expect(operatorResume(operator, head({ status: 'waiting_input' }), args).ok).toBe(true);
    for (const status of ['active', 'archived', 'disabled', 'deleted'] as const) {
      expect(operatorResume(operator, head({ status }), args)).toMatchObject({
        refusal: { code: 'AGENT_NOT_RESUMABLE', details: { status } },
      });
    }
  });
});
