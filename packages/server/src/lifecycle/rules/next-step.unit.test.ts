import { describe, expect, it } from 'vitest';
import type { AgentHead, Hold } from '../../agents/agent.ts';
import { nextStep } from './next-step.ts';
import { standingOf, STANDINGS, type Standing } from './standings.ts';
import { head, NOW, vitals } from './testing/head.ts';

const UNTIL = new Date(NOW + 3_600_000).toISOString();
const pauseOf = (kind: string, end: string | null) => ({
  actuation_id: 'a-1',
  paused_at: new Date(NOW).toISOString(),
  expires_at: end,
  sub_action: kind,
  reason: 'because',
  evidence: { paused_by: 'ann' },
});

/** An agent that stands so, with what holds it. */
const standing = (wanted: Standing, end: string | null, risk: number): [AgentHead, Hold | undefined] => {
  const KINDS: Partial<Record<Standing, string>> = {
    claims_pause: 'claims_pause',
    risk_pause: 'risk_pause',
    conditions_pause: 'conditions_pause',
    operator_pause: 'operator_pause',
    review_cooldown: 'review_cooldown',
    review_held: 'review_escalate',
    unknown_pause: 'of_tomorrow',
  };
  const kind = KINDS[wanted];
  if (kind !== undefined) {
    const pause = pauseOf(kind, end);
    const held = head({ status: 'paused', pause, vitals: vitals({ risk }) });
    return [held, { holder: held, pause, inherited: false, now: NOW }];
  }
  if (wanted === 'inherited') {
    const pause = pauseOf('claims_pause', end);
    return [head(), { holder: head({ agentId: 'parent', status: 'paused', pause }), pause, inherited: true, now: NOW }];
  }
  const archive = (by: 'owner' | 'operator') => ({ at: UNTIL, by, actor: null, reason: 'r' });
  if (wanted === 'archived') return [head({ status: 'archived', archive: archive('owner') }), undefined];
  if (wanted === 'archived_by_operator') return [head({ status: 'archived', archive: archive('operator') }), undefined];
  return [head({ status: wanted === 'pause_over' ? 'paused' : (wanted as AgentHead['status']) }), undefined];
};

/** Words that begin what a reader is told to do. */
const IMPERATIVES = /\b(?:Ask|Call|Wait|Stop|Send|Read|Record|Carry|Do|Check|Repeat|Onboard|Resume)\b/gu;

describe('the next step', () => {
  it.each(STANDINGS)('of an agent that is %s is one', (wanted) => {
    for (const end of [UNTIL, null]) {
      for (const risk of [0.1, 0.5, 0.9]) {
        const [agent, hold] = standing(wanted, end, risk);
        expect(standingOf(agent, hold)).toBe(wanted);
        const { say } = nextStep(agent, hold);
        expect(say.match(IMPERATIVES), say).toHaveLength(1);
        if (hold !== undefined) expect(say).not.toContain('sync_state');
      }
    }
  });

  it('names the operator, the end, and the ancestor', () => {
    expect(nextStep(...standing('operator_pause', null, 0)).say).toBe('Wait for operator ann to resume you.');
    expect(nextStep(...standing('operator_pause', UNTIL, 0)).say).toBe(
      `Wait until ${UNTIL}, or for operator ann to resume you.`,
    );
    expect(nextStep(...standing('review_cooldown', UNTIL, 0)).say).toBe(`Wait until ${UNTIL}.`);
    expect(nextStep(...standing('inherited', null, 0)).say).toContain('the pause of parent');
  });
});
