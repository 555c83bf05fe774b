import { AUDIT_EVENTS, type AuditEventType } from '@breakwater/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentHead } from '../../agents/index.ts';
import { head, ME, MINUTE, NOW, OTHER, pauseUntil, vitals } from '../../lifecycle/rules/testing/head.ts';
import { detect, DRIFT_THRESHOLD, RISK_THRESHOLDS, riskCrossings } from './detect.ts';
import type { FeedEvent } from './event.ts';
import { isAgent, isWanted } from './query.ts';
import { placeInChain, recall, type TrailRow } from './recall.ts';
import { SILENCE_MS, silentSince } from './silence.ts';
import { eventFor, updateFor } from './wire.ts';

const operator = { agentId: undefined, operator: true };
const anybody = { agentId: undefined, operator: false };

/** The agent at its next check-in. */
const next = (before: AgentHead, change: Parameters<typeof vitals>[0], over: Partial<AgentHead> = {}): AgentHead => ({
  ...before,
  updateCount: before.updateCount + 1,
  vitals: vitals(change),
  ...over,
});
const types = (...heads: Parameters<typeof detect>) => detect(...heads).map(({ type }) => type);

describe('what a check-in shows', () => {
  const before = head({ vitals: vitals({ drift: 0.1 }) });

  it('is nothing while nothing changes, and costs no memory then', () => {
    expect(detect(before, next(before, { drift: 0.1 }), [])).toBe(detect(before, next(before, { drift: 0.2 }), []));
    expect(detect(before, next(before, {}), [])).toEqual([]);
  });

  it.each([
    ['guide', 'warning'],
    ['pause', 'critical'],
    ['reject', 'critical'],
  ] as const)('a verdict that becomes %s is %s', (to, severity) => {
    expect(detect(before, next(before, { verdict: to }), [])).toEqual([
      { type: 'verdict_change', severity, details: { from: 'proceed', to } },
    ]);
  });

  it('a risk that goes through thresholds is told for each of them, and again on its way back', () => {
    const high = next(before, { risk: 0.65 });
    expect(detect(before, high, [])).toEqual([
      {
        type: 'risk_threshold',
        severity: 'warning',
        details: { threshold: 0.35, direction: 'above', from: 0.3, to: 0.65 },
      },
      {
        type: 'risk_threshold',
        severity: 'warning',
        details: { threshold: 0.6, direction: 'above', from: 0.3, to: 0.65 },
      },
    ]);
    expect(detect(high, next(high, { risk: 0.5 }), [])).toEqual([
      {
        type: 'risk_threshold',
        severity: 'info',
        details: { threshold: 0.6, direction: 'below', from: 0.65, to: 0.5 },
      },
    ]);
    expect(riskCrossings({ verdict: 'guide', risk: 0.69 }, { verdict: 'guide', risk: 0.7 })).toMatchObject([
      { severity: 'critical' },
    ]);
  });

  it('a threshold is crossed as often upwards as downwards, or once more', () => {
    const risks = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(risks, (path) => {
        const told = path.flatMap((risk, i) =>
          i === 0 ? [] : riskCrossings({ verdict: '', risk: path[i - 1] ?? 0 }, { verdict: '', risk }),
        );
        for (const threshold of RISK_THRESHOLDS) {
          const of = told.filter(({ details }) => details['threshold'] === threshold);
          const up = of.filter(({ details }) => details['direction'] === 'above').length;
          const beyond = (risk = 0) => Number(risk >= threshold);
          expect(up - (of.length - up)).toBe(beyond(path.at(-1)) - beyond(path[0]));
        }
      }),
    );
  });

  it('drift that reaches its threshold is told once, and one that was never measured is not', () => {
    const drifting = next(before, { drift: DRIFT_THRESHOLD });
    expect(types(before, drifting, [])).toEqual(['drift']);
    expect(types(drifting, next(drifting, { drift: 0.9 }), [])).toEqual([]);
    const old = head({ vitals: vitals() });
    expect(types(old, next(old, { drift: 0.9 }), [])).toEqual([]);
  });

  it('a change that is no check-in shows nothing of one, even when it brings other readings', () => {
    expect(types(before, { ...before, vitals: vitals({ verdict: 'guide', risk: 0.9 }) }, [])).toEqual([]);
  });

  it('what only the trail says is told, too', () => {
    const drafts = [
      { type: AUDIT_EVENTS.checkInRecorded, payload: {} },
      { type: AUDIT_EVENTS.voidEntered, payload: { V: 0.2 } },
    ];
    expect(detect(before, next(before, {}), drafts)).toEqual([
      { type: 'void_alert', severity: 'warning', details: { V: 0.2 } },
    ]);
    const loop = [{ type: AUDIT_EVENTS.loopDetected, payload: { rule: 'burst', secret: 1 } }];
    expect(detect(before, before, loop)).toMatchObject([
      { type: 'lifecycle_loop_detected', details: { rule: 'burst' } },
    ]);
  });
});

describe('turns of a life', () => {
  const archive = { at: '', by: 'operator' as const, actor: 'ada', reason: 'done' };
  const paused = head({ status: 'paused', pause: pauseUntil(NOW) });
  it.each<[string, AgentHead | undefined, AgentHead, string[]]>([
    ['birth', undefined, head(), ['lifecycle_created']],
    ['an end that was found later', undefined, head({ status: 'deleted' }), []],
    ['pause', head(), paused, ['lifecycle_paused']],
    [
      'a pause in place of another',
      paused,
      { ...paused, pause: { ...pauseUntil(NOW), actuation_id: 'a-2' } },
      ['lifecycle_paused'],
    ],
    ['the same pause, read again', paused, { ...paused, pause: pauseUntil(NOW) }, []],
    ['resumption', paused, head(), ['lifecycle_resumed']],
    ['archive', head(), head({ status: 'archived', archive }), ['lifecycle_archived']],
    ['archive of a paused one', paused, head({ status: 'archived', archive }), ['lifecycle_archived']],
    ['way back', head({ status: 'archived', archive }), head(), ['lifecycle_reactivated']],
    ['deletion', head(), head({ status: 'deleted' }), ['lifecycle_deleted']],
    ['waiting for its user', head(), head({ status: 'waiting_input' }), []],
  ])('%s', (_, before, after, told) => {
    expect(types(before, after, undefined)).toEqual(told);
  });
});

describe('silence', () => {
  const spoke = (ms: number, over: Partial<AgentHead> = {}) =>
    head({ lastActivityAt: NOW - ms, vitals: vitals({ at: new Date(NOW - ms).toISOString() }), ...over });

  it('begins when an agent that is at work was not heard of for its time', () => {
    expect(silentSince(spoke(SILENCE_MS - 1), NOW)).toBeUndefined();
    expect(silentSince(spoke(SILENCE_MS), NOW)).toBe(NOW);
    expect(silentSince(spoke(SILENCE_MS + 5 * MINUTE), NOW)).toBe(NOW - 5 * MINUTE);
  });

  it('counts from the newest sign: activity is kept to the minute, and a check-in is known exactly', () => {
    const at = new Date(NOW - SILENCE_MS + 1).toISOString();
    expect(silentSince(spoke(SILENCE_MS + MINUTE, { vitals: vitals({ at }) }), NOW)).toBeUndefined();
  });

  it.each(['paused', 'archived', 'waiting_input', 'disabled', 'deleted'] as const)(
    'is allowed to one that is %s',
    (status) => {
      expect(silentSince(spoke(2 * SILENCE_MS, { status }), NOW)).toBeUndefined();
    },
  );

  it('is not said of one that never checked in', () => {
    expect(silentSince(spoke(2 * SILENCE_MS, { vitals: null }), NOW)).toBeUndefined();
  });
});

describe('recall', () => {
  const row = (
    event_type: string,
    chain_index: number,
    payload: TrailRow['payload'] = {},
    agent_id = ME,
  ): TrailRow => ({
    agent_id,
    ts: NOW + chain_index,
    event_type,
    chain_index,
    payload,
  });
  const checkIn = (index: number, verdict: string, risk: number, agentId = ME) =>
    row(AUDIT_EVENTS.checkInRecorded, index, { verdict, risk }, agentId);

  it('finds in the trail what the detector found when it happened, agent by agent and in order', () => {
    const rows = [
      row(AUDIT_EVENTS.agentCreated, 1, { parent_agent_id: null }),
      checkIn(2, 'proceed', 0.1),
      checkIn(3, 'proceed', 0.9, OTHER),
      checkIn(4, 'guide', 0.4),
      row(AUDIT_EVENTS.agentPaused, 5, { sub_action: 'risk_pause', reason: 'risk', actuation_id: 'a' }),
      checkIn(6, 'proceed', 0.95, OTHER),
    ];
    const told = recall([...rows].reverse());
    expect(told.map(({ type, agentId, chainIndex }) => [type, agentId, chainIndex])).toEqual([
      ['lifecycle_created', ME, 1],
      ['verdict_change', ME, 4],
      ['risk_threshold', ME, 4],
      ['lifecycle_paused', ME, 5],
    ]);
    expect(told.at(-1)?.details).toEqual({ sub_action: 'risk_pause', reason: 'risk', expires_at: null });
  });

  it('passes over rows that it does not know, and check-ins that say nothing', () => {
    const odd = row(AUDIT_EVENTS.checkInRecorded, 3, { verdict: 7 });
    expect(recall([row('agent_updated', 1), checkIn(2, 'proceed', 0.1), odd])).toEqual([]);
  });

  it('knows an event by the row that stands for it, or else by the first of its change', () => {
    const audit = ([AUDIT_EVENTS.checkInRecorded, AUDIT_EVENTS.agentPaused] as AuditEventType[]).map((type, i) => ({
      type,
      chainIndex: 8 + i,
    }));
    expect(placeInChain(audit, 'lifecycle_paused')).toBe(9);
    expect(placeInChain(audit, 'verdict_change')).toBe(8);
  });
});

describe('what a viewer sees', () => {
  const event: FeedEvent = {
    type: 'risk_threshold',
    severity: 'warning',
    details: { threshold: 0.35, from: 0.123456, reason: `after ${OTHER}` },
    cursor: 5,
    at: NOW,
    agentId: ME,
    head: head({ label: `Ada_${ME.slice(0, 8)}` }),
    chainIndex: 3,
  };

  it('of others is neither their id, nor a piece of it in a name, nor an id in a text', () => {
    verifies('BW-identity.14');
    const shown = eventFor(event, anybody);
    expect(shown).toMatchObject({
      agent_name: 'Ada',
      event_id: 5,
      from: 0.1235,
      timestamp: new Date(NOW).toISOString(),
    });
    expect(shown['agent_id']).toMatch(/^agent-redacted-[0-9a-f]{12}$/);
    const update = updateFor(
      { at: NOW, head: event.head as AgentHead, isStable: true, own: undefined, checkIns: 1, events: [event] },
      anybody,
    );
    for (const text of [JSON.stringify(shown), JSON.stringify(update)]) {
      expect(text).not.toContain(ME);
      expect(text).not.toContain(ME.slice(0, 8));
      expect(text).not.toContain(OTHER);
    }
  });

  it('as an operator is all of it, under the same key', () => {
    const shown = eventFor(event, operator);
    expect(shown).toMatchObject({ agent_id: ME, reason: `after ${OTHER}` });
    expect(shown['key']).toBe(eventFor(event, anybody)['key']);
  });

  it('of a check-in that another node made is what its head says, and null for the rest', () => {
    const update = updateFor(
      {
        at: NOW,
        head: head({ vitals: vitals({ E: 0.71234567 }) }),
        isStable: true,
        own: undefined,
        checkIns: 3,
        events: [],
      },
      operator,
    );
    expect(update).toMatchObject({
      type: 'eisv_update',
      detail: 'short',
      check_ins: 3,
      eisv: { E: 0.7123, I: 0.7, S: 0.2, V: 0 },
      coherence: null,
      decision: { action: 'proceed', reason: null },
      inputs: { complexity: null, confidence: null, ethical_drift: null },
      eisv_telemetry: null,
      provenance: { coherence: 'unknown', confidence: 'unknown' },
    });
  });

  it('is chosen by the real id or by the redacted one', () => {
    const redacted = String(eventFor(event, anybody)['agent_id']);
    for (const agentId of [ME, redacted]) {
      expect(isAgent({ agentId }, ME)).toBe(true);
      expect(isAgent({ agentId }, OTHER)).toBe(false);
    }
    expect(isWanted({ types: new Set(['drift']) }, event)).toBe(false);
  });
});
