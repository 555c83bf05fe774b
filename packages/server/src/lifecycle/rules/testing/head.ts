import type { AgentHead, Pause, Vitals } from '../../../agents/index.ts';
import type { Actor } from '../authority.ts';

export const NOW = Date.UTC(2026, 5, 1, 12);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const ME = '11111111-1111-4111-8111-111111111111';
export const OTHER = '22222222-2222-4222-8222-222222222222';

/** An active agent with three check-ins, the last a minute ago, born an hour ago. */
export const head = (over: Partial<AgentHead> = {}): AgentHead => ({
  agentId: ME,
  identityId: 1,
  label: null,
  purpose: null,
  status: 'active',
  handle: 'Opus_20260601',
  tags: [],
  parentAgentId: null,
  spawnReason: null,
  threadId: null,
  threadPosition: null,
  lineage: {
    declared_at: null,
    provisional: false,
    score_id: null,
    recorded_at: null,
    confirmed_at: null,
    demoted_at: null,
    archived_at: null,
    last_eval_at: null,
    chain_obs_count: 0,
  },
  archive: null,
  substrate: null,
  conditions: [],
  createdAt: NOW - HOUR,
  lastActivityAt: NOW - MINUTE,
  sequence: 3,
  updateCount: 3,
  nodeIndex: 1,
  activeSessionKey: null,
  auditHead: '',
  auditCount: 4,
  pause: null,
  vitals: null,
  ...over,
});

export const vitals = (over: Partial<Vitals> = {}): Vitals => ({
  E: 0.7,
  I: 0.7,
  S: 0.2,
  V: 0,
  risk: 0.3,
  risk_latest: 0.3,
  risk_word: 'safe',
  verdict: 'proceed',
  action: 'proceed',
  sub_action: 'approve',
  margin: 'comfortable',
  regime: 'STABLE',
  phase: 'baselined',
  source: 'measured',
  at: new Date(NOW - MINUTE).toISOString(),
  calibration: { error: null, graded: 0 },
  claims: 1,
  measured: true,
  ...over,
});

/** A pause that ends at this instant. */
export const pauseUntil = (end: number): Pause => ({
  actuation_id: 'a-1',
  paused_at: new Date(NOW - HOUR).toISOString(),
  expires_at: new Date(end).toISOString(),
  sub_action: 'risk_pause',
  reason: 'risk',
  evidence: {},
});

export const owner: Actor = { agentId: ME, operator: undefined, proven: true };
export const inferred: Actor = { agentId: ME, operator: undefined, proven: false };
export const stranger: Actor = { agentId: OTHER, operator: undefined, proven: true };
export const nobody: Actor = { agentId: undefined, operator: undefined, proven: false };
export const operator: Actor = { agentId: undefined, operator: { name: 'ada', act: true }, proven: false };
export const reader: Actor = { agentId: undefined, operator: { name: 'bob', act: false }, proven: false };
