import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentHead, Pause } from '../../agents/index.ts';
import { execute } from './execution.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const PAUSE: Pause = {
  actuation_id: 'a',
  paused_at: '2026-03-01T11:00:00.000Z',
  expires_at: '2026-03-01T12:30:00.000Z',
  sub_action: 'risk_pause',
  reason: 'risk',
  evidence: { risk: 0.9 },
};
const head = (status: AgentHead['status'], pause: Pause | null) =>
  ({ status, pause, conditions: [] }) as unknown as AgentHead;
const agreed = (action: 'resume' | 'cooldown' | 'block' | 'escalate') => ({
  action,
  conditions: [
    { text: 'Set complexity to 0.4', kind: 'complexity_cap', limit: 0.4 } as const,
    { text: 'Monitor for 1 hour', kind: 'monitoring', durationMs: 3_600_000 } as const,
  ],
  sessionId: 's',
  sagaId: 'g',
  resolutionHash: 'h',
});

describe('what a resolution does to its agent', () => {
  it.each(['active', 'archived', 'waiting_input'] as const)('is nothing to one that is %s', (status) => {
    expect(execute(head(status, null), agreed('block'), NOW)).toBeUndefined();
  });

  it.each(['resume', 'cooldown', 'block', 'escalate'] as const)(
    'is nothing to one that an operator paused meanwhile, as long as that holds: %s',
    (action) => {
      verifies('BW-console.02');
      const frozen = (expires_at: string | null) =>
        head('paused', { ...PAUSE, sub_action: 'operator_pause', expires_at });
      expect(execute(frozen(null), agreed(action), NOW)).toBeUndefined();
      expect(execute(frozen(new Date(NOW).toISOString()), agreed(action), NOW)).toBeUndefined();
      expect(execute(frozen(new Date(NOW - 1).toISOString()), agreed(action), NOW)).toBeDefined();
    },
  );

  it.each(['review_block', 'review_escalate', 'review_cooldown', 'tomorrow'])(
    'lets nobody out of a pause that no review may be asked for: %s',
    (sub_action) => {
      verifies('BW-breaker.03');
      const held = head('paused', { ...PAUSE, sub_action });
      for (const action of ['resume', 'cooldown'] as const) expect(execute(held, agreed(action), NOW)).toBeUndefined();
      expect(execute(held, agreed('block'), NOW)).toBeDefined();
      expect(execute(head('paused', PAUSE), agreed('resume'), NOW)).toBeDefined();
    },
  );

  it('counts the time of the conditions from when the agent may go on', () => {
    verifies('BW-dialectic.06');
    const ends = (action: 'resume' | 'cooldown') =>
      execute(head('paused', PAUSE), agreed(action), NOW)?.change.conditions?.map((term) => term['expiresAt']);
    expect(ends('resume')).toEqual([NOW + 3_600_000, NOW + 3_600_000]);
    expect(ends('cooldown')).toEqual([NOW + 7_200_000, NOW + 7_200_000]);
  });

  it('keeps what the pause stood on, and who put it in force', () => {
    const { change, settles } = execute(head('paused', PAUSE), agreed('block'), NOW)!;
    expect(change.pause).toMatchObject({
      actuation_id: 'a',
      paused_at: PAUSE.paused_at,
      expires_at: null,
      sub_action: 'review_block',
      evidence: { risk: 0.9 },
    });
    expect([change.status, change.conditions, settles]).toEqual([undefined, undefined, false]);
  });

  it('gives a pause without its record one', () => {
    const { change } = execute(head('paused', null), agreed('escalate'), NOW)!;
    expect(change.pause).toMatchObject({ actuation_id: 'g', paused_at: '2026-03-01T12:00:00.000Z', evidence: {} });
  });
});
