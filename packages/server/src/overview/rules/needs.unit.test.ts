import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentHead } from '../../agents/agent.ts';
import { head, HOUR, ME, MINUTE, NOW, OTHER, pauseUntil, vitals } from '../../lifecycle/rules/testing/head.ts';
import { columnsOfThese, iso } from '../../runtime/index.ts';
import { needsOf, type NeedFacts, type OpenReview, type StoredFacts } from './needs.ts';

const nothing: StoredFacts = { reviews: [], deadLetters: [], troubles: [], successors: [], previousEnds: new Map() };

const around = (heads: readonly AgentHead[], stuck: readonly string[] = []) => ({
  now: NOW,
  stuckAfter: ({ agentId }: AgentHead) => (stuck.includes(agentId) ? -Infinity : Infinity),
  isStable: () => true,
  conditionsInForce: () => 0,
  find: (agentId: string) => heads.find((one) => one.agentId === agentId),
});

const look = (heads: readonly AgentHead[], facts: Partial<NeedFacts> = {}, stuck: readonly string[] = []) =>
  needsOf(
    { fleet: columnsOfThese(heads), stored: nothing, coldParts: [], overdue: [], ...facts },
    around(heads, stuck),
  );
const only = (...args: Parameters<typeof look>) => {
  const { needs } = look(...args);
  expect(needs).toHaveLength(1);
  return needs[0]!;
};

const paused = (pause: Partial<NonNullable<AgentHead['pause']>> = {}, over: Partial<AgentHead> = {}): AgentHead =>
  head({ label: 'Ada', status: 'paused', pause: { ...pauseUntil(NOW + HOUR), ...pause }, ...over });

const review = (over: Partial<OpenReview> = {}): OpenReview => ({
  reviewId: 'r-1',
  pausedAgentId: ME,
  reviewerAgentId: OTHER,
  phase: 'antithesis',
  reason: 'my claims were wrong',
  waitingSince: null,
  confirmation: null,
  ...over,
});

/** As a check-in writes it. */
const measured = {
  schema: 'dialectic.pause_evidence.v1',
  measurement: {
    update: 12,
    eisv: { E: 0.7, I: 0.6, S: 0.3, V: 0.1 },
    risk: { raw: 0.7, final: 0.71, gated: 0.65432 },
    components: {},
    claims: { value: 41.23456, graded: 11, mean_claim: 0.9, accuracy: 0.454 },
  },
  policy_evaluation: { policy: 'behavioural.v1', sub_action: 'claims_pause', limits: { claims: 20, risk: 0.6 } },
  enforcement: { mode: 'circuit_breaker', effect: 'check_ins_refused' },
};
const MEASURED_LINES = [
  { name: 'claimed on average', value: '90%' },
  { name: 'actual pass rate', value: '45%' },
  { name: 'mean gap, in points', value: '+45' },
  { name: 'graded results', value: 11 },
  { name: 'evidence score', value: '41 (pauses at 20)' },
  { name: 'risk', value: 0.654 },
  { name: 'limit of risk', value: 0.6 },
  { name: 'check-in', value: 12 },
];

describe('a paused agent', () => {
  it('needs a person, with the evidence of its pause in words', () => {
    verifies('BW-console.03');
    expect(only([paused({ sub_action: 'claims_pause', reason: 'claims', evidence: measured })])).toEqual({
      key: `paused:${ME}:a-1`,
      kind: 'paused',
      severity: 'critical',
      since: iso(NOW - HOUR),
      title: 'Ada is paused: it claims more than its results show',
      evidence: [
        { name: 'reason', value: 'claims' },
        ...MEASURED_LINES,
        { name: 'auto-resumes', value: iso(NOW + HOUR) },
      ],
      agent: { agent_id: ME, name: 'Ada' },
      review_id: null,
      saga_id: null,
      acts: ['resume', 'archive'],
    });
  });

  it('by the claims detector alone shows what that found', () => {
    const evidence = { detector: 'claims', value: 25, limit: 20, graded: 9, mean_claim: 0.8, accuracy: 0.25 };
    expect(only([paused({ evidence })]).evidence).toEqual([
      { name: 'reason', value: 'risk' },
      { name: 'claimed on average', value: '80%' },
      { name: 'actual pass rate', value: '25%' },
      { name: 'mean gap, in points', value: '+55' },
      { name: 'graded results', value: 9 },
      { name: 'evidence score', value: '25 (pauses at 20)' },
      { name: 'auto-resumes', value: iso(NOW + HOUR) },
    ]);
  });

  it('without graded results says nothing of claims, and null for a figure that was not recorded', () => {
    verifies('BW-console.03');
    const claims = { value: 1, graded: 0, mean_claim: null, accuracy: null };
    const evidence = { measurement: { update: 3, claims }, policy_evaluation: {} };
    expect(only([paused({ evidence })]).evidence).toEqual([
      { name: 'reason', value: 'risk' },
      { name: 'risk', value: null },
      { name: 'limit of risk', value: null },
      { name: 'check-in', value: 3 },
      { name: 'auto-resumes', value: iso(NOW + HOUR) },
    ]);
  });

  it('shows evidence of an unknown form as it was recorded, no more than fits', () => {
    const evidence = {
      paused_by: 'ada',
      is_new: true,
      deep: { er: { risk_now: 0.123456 } },
      list: [1],
      text: 'x'.repeat(900),
      a: 1,
      b: 2,
      c: 3,
    };
    const { evidence: lines, title } = only([paused({ sub_action: 'new_pause', evidence, expires_at: null })]);
    expect(title).toBe('Ada is paused (new pause)');
    expect(lines).toEqual([
      { name: 'reason', value: 'risk' },
      { name: 'paused by', value: 'ada' },
      { name: 'is new', value: 'yes' },
      { name: 'deep · er · risk now', value: 0.123 },
      { name: 'text', value: 'x'.repeat(300) },
      { name: 'a', value: 1 },
      { name: 'b', value: 2 },
      { name: 'stays paused', value: 'until it is resumed' },
    ]);
  });

  it.each([
    ['claims_pause', 'is paused: it claims more than its results show'],
    ['risk_pause', 'is paused for risk'],
    ['cirs_block', 'is paused: its risk is above 0.70'],
    ['conditions_pause', 'is paused: it broke a condition that it works under'],
    ['operator_pause', 'was paused by an operator'],
    ['review_cooldown', 'cools down as its review agreed'],
    ['review_block', 'is blocked by its review until an operator decides'],
    ['review_escalate', 'is handed to an operator by its review'],
  ])('%s is said in words', (sub_action, words) => {
    expect(only([paused({ sub_action })]).title).toBe(`Ada ${words}`);
  });

  it('that an operator paused is listed after all that asks for somebody', () => {
    const meant = paused({ sub_action: 'operator_pause' });
    const asks = paused({ sub_action: 'claims_pause' }, { agentId: OTHER, label: 'Bob' });
    const { needs } = look([meant, asks]);
    expect(needs.map(({ title, severity }) => `${severity}: ${title}`)).toEqual([
      'critical: Bob is paused: it claims more than its results show',
      'info: Ada was paused by an operator',
    ]);
  });

  it('in review is looked after: a warning, and no reviewer to assign while it has one', () => {
    const need = only([paused()], { stored: { ...nothing, reviews: [review()] } });
    expect(need).toMatchObject({ kind: 'paused', severity: 'warning', review_id: 'r-1', acts: ['resume', 'archive'] });
    expect(need.evidence.at(-1)).toEqual({ name: 'review', value: 'open, antithesis' });
    const untaken = only([paused()], { stored: { ...nothing, reviews: [review({ reviewerAgentId: null })] } });
    expect(untaken.acts).toEqual(['assign_reviewer', 'resume', 'archive']);
  });

  it('whose review waits is one need, which shows the evidence of both', () => {
    const waitingSince = NOW - MINUTE;
    const pause = { sub_action: 'claims_pause', reason: 'claims', evidence: measured };
    const stored = { ...nothing, reviews: [review({ waitingSince, reviewerAgentId: null })] };
    expect(only([paused(pause)], { stored })).toMatchObject({
      key: 'review:r-1',
      kind: 'review_waiting',
      severity: 'critical',
      since: iso(waitingSince),
      title: 'The review of Ada has no reviewer',
      evidence: [
        { name: 'asked for because', value: 'my claims were wrong' },
        { name: 'reviewers', value: 'no agent that qualifies is free' },
        { name: 'phase', value: 'antithesis' },
        { name: 'reviewer', value: null },
        { name: 'paused because', value: 'claims' },
        ...MEASURED_LINES,
        { name: 'auto-resumes', value: iso(NOW + HOUR) },
      ],
      acts: ['assign_reviewer', 'resume'],
    });
  });

  it('whose pause has run out needs nobody', () => {
    expect(look([paused({ expires_at: iso(NOW - 1) })]).needs).toEqual([]);
    expect(look([paused({ expires_at: iso(NOW) })]).needs).toHaveLength(1);
  });
});

describe('other needs', () => {
  it('a given up resolution can be tried again or taken back', () => {
    const deadLetter = { sagaId: 's-1', sessionId: 'r-1', pausedAgentId: ME, attempts: 5, lastError: 'x' };
    const stored = { ...nothing, deadLetters: [{ ...deadLetter, deadLetterAt: NOW }] };
    expect(only([head({ label: 'Ada' })], { stored })).toMatchObject({
      kind: 'dead_letter',
      severity: 'critical',
      since: iso(NOW),
      review_id: 'r-1',
      saga_id: 's-1',
      evidence: [
        { name: 'last error', value: 'x' },
        { name: 'attempts', value: 5 },
      ],
      acts: ['retry_saga', 'revert_saga'],
    });
  });

  it('silent agents: each for itself, and many of them as one', () => {
    const heads = Array.from({ length: 6 }, (_, i) =>
      head({ agentId: `a${i}`, label: `Agent ${i}`, lastActivityAt: NOW - (i + 40) * MINUTE }),
    );
    const ids = heads.map(({ agentId }) => agentId);
    expect(look(heads, {}, ids.slice(0, 5)).needs.map(({ key }) => key)).toEqual(
      ['a4', 'a3', 'a2', 'a1', 'a0'].map((id) => `stuck:${id}`),
    );
    expect(only(heads, {}, ids)).toMatchObject({ key: 'stuck:many', severity: 'info', agent: null, acts: [] });
    expect(only([heads[0]!], {}, ids).evidence).toEqual([
      { name: 'check-ins', value: 3 },
      { name: 'last verdict', value: null },
      { name: 'risk', value: null },
    ]);
    expect(only([head({ agentId: 'a0', vitals: vitals() })], {}, ids).evidence).toContainEqual({
      name: 'last verdict',
      value: 'proceed',
    });
  });

  it('troubles in shares and counts', () => {
    const breach = { window_seconds: 60, rate: 0.0213, threshold: 0.01, count_503: 4, count_request: 188 };
    const trouble = { count: 3, last: NOW };
    const stored: StoredFacts = {
      ...nothing,
      troubles: [
        { ...trouble, kind: 'breach', payload: { incident_id: 'i', ...breach } },
        { ...trouble, kind: 'divergence', payload: { store: 'agents', key: 'k' } },
      ],
    };
    expect(look([], { stored }).needs.map(({ kind, severity, evidence }) => [kind, severity, evidence])).toEqual([
      [
        'breach',
        'warning',
        [
          { name: 'seen in the last day', value: 3 },
          { name: 'share answered with 503', value: '2.1%' },
          { name: 'limit of that share', value: '1%' },
          { name: 'answered with 503', value: 4 },
          { name: 'requests', value: 188 },
          { name: 'counted over', value: '60 s' },
        ],
      ],
      [
        'divergence',
        'warning',
        [
          { name: 'seen in the last day', value: 3 },
          { name: 'store', value: 'agents' },
          { name: 'key', value: 'k' },
        ],
      ],
    ]);
  });

  it('says which part is not ready, or that PostgreSQL does not answer, and what is not known then', () => {
    verifies('BW-console.03');
    expect(only([], { stored: undefined, coldParts: ['postgres'] })).toMatchObject({
      kind: 'not_ready',
      severity: 'critical',
      evidence: [{ name: 'not ready', value: 'postgres' }],
    });
    expect(only([], { stored: undefined }).title).toBe('PostgreSQL does not answer');
    expect(look([]).needs).toEqual([]);
  });

  it('names partitions that should be gone', () => {
    expect(only([], { overdue: ['events_2026_01'] })).toMatchObject({
      kind: 'retention',
      severity: 'warning',
      evidence: [{ name: 'partition', value: 'events_2026_01' }],
    });
  });
});

describe('the list of needs', () => {
  it('has the worst first, then the oldest, whatever order they were found in', () => {
    const heads = [
      head({ agentId: 'silent', label: 'silent', lastActivityAt: NOW - HOUR }),
      paused({ actuation_id: 'new', paused_at: iso(NOW - MINUTE) }, { agentId: 'new' }),
      paused({ actuation_id: 'old', paused_at: iso(NOW - 2 * HOUR) }, { agentId: 'old' }),
      paused({ actuation_id: 'in-review', paused_at: iso(NOW - 9 * HOUR) }, { agentId: 'in-review' }),
    ];
    const stored = { ...nothing, reviews: [review({ pausedAgentId: 'in-review' })] };
    const keys = (order: readonly AgentHead[]) => look(order, { stored }, ['silent']).needs.map(({ key }) => key);
    const expected = ['paused:old:old', 'paused:new:new', 'paused:in-review:in-review', 'stuck:silent'];
    expect(keys(heads)).toEqual(expected);
    expect(keys([...heads].reverse())).toEqual(expected);
  });

  it('holds 200, and says how many more there are', () => {
    const heads = Array.from({ length: 203 }, (_, i) => paused({}, { agentId: `a${i}` }));
    const { needs, more } = look(heads);
    expect([needs.length, more]).toEqual([200, 3]);
    expect(look(heads.slice(0, 200)).more).toBe(0);
  });
});
