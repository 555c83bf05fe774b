import { describe, expect, it } from 'vitest';
import type { Pause } from '../../agents/agent.ts';
import { isPausedAgain, reasonsToConfirm } from './confirmation.ts';
import { HOUR_MS } from '../../runtime/index.ts';

const AT = Date.UTC(2026, 4, 13, 12);
const pause = (sub_action: string): Pause => ({
  actuation_id: 'a',
  paused_at: new Date(AT).toISOString(),
  expires_at: null,
  sub_action,
  reason: 'r',
  evidence: {},
});

describe('what an operator confirms', () => {
  it('is a claims pause that an agreement would lift, unless the policy leaves it to peers', () => {
    expect(reasonsToConfirm('resume', pause('claims_pause'), 'operator', null)).toEqual(['claims_review']);
    expect(reasonsToConfirm('cooldown', pause('claims_pause'), 'operator', null)).toEqual(['claims_review']);
    expect(reasonsToConfirm('resume', pause('claims_pause'), 'peer', null)).toEqual([]);
    expect(reasonsToConfirm('resume', pause('risk_pause'), 'operator', null)).toEqual([]);
  });

  it('is any second pause within a day of the end of the last one, whatever the policy says', () => {
    const previous = AT - 24 * HOUR_MS + 1;
    expect(reasonsToConfirm('resume', pause('risk_pause'), 'peer', previous)).toEqual(['paused_again']);
    expect(reasonsToConfirm('resume', pause('claims_pause'), 'operator', previous)).toEqual([
      'claims_review',
      'paused_again',
    ]);
    expect(reasonsToConfirm('resume', pause('risk_pause'), 'peer', AT - 24 * HOUR_MS)).toEqual([]);
    expect(isPausedAgain(AT, AT + 1)).toBe(false);
  });

  it('is nothing that keeps the agent in, and nothing about an agent that is not paused', () => {
    for (const action of ['block', 'escalate'] as const) {
      expect(reasonsToConfirm(action, pause('claims_pause'), 'operator', AT - HOUR_MS)).toEqual([]);
    }
    expect(reasonsToConfirm('resume', null, 'operator', null)).toEqual([]);
    expect(reasonsToConfirm('resume', pause('operator_pause'), 'operator', AT - HOUR_MS)).toEqual([]);
  });
});
