/** Cases in which the code differs from the vectors on purpose. */
interface Deviation {
  readonly why: string;
  /** What the code gives, by the case and, within it, by the step (`''` in a case of one). */
  readonly ours: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** These cases all give the same. */
const each = (ids: readonly string[], value: unknown): Deviation['ours'] =>
  Object.fromEntries(ids.map((id) => [id, { '': value }]));

const UNCLEARED = { success: false, blocked: 'reviewer_objection_stands', converged: false };
const STILL_OPEN = {
  phase: 'synthesis',
  synthesis_round: 3,
  reviewer_agent_id: 'A',
  transcript_len: 4,
  awaiting_facilitation: true,
};
const ESCALATED = {
  action: 'pause',
  reason: ' [escalated by dialectic conditions]',
  escalated: true,
  warnings: ['Dialectic condition: risk 0.90 exceeds target 0.40'],
};

/**
 * By the `schema` of the vectors. The code must give just what stands here, and it must be something else than the vector
 * has: a deviation that is none any more fails, as a new one does.
 */
export const DEVIATIONS: Readonly<Record<string, readonly Deviation[]>> = {
  'golden.dialectic.actionability.v1': [
    {
      why: 'no row holds a session of another phase',
      ours: each(
        ['027', '029', '031', '033', '035', '037', '039'].map((n) => `actionability-${n}`),
        'no session has this phase',
      ),
    },
    {
      why: 'no row holds a session of nobody',
      ours: each(['actionability-069', 'actionability-075'], 'every session has its paused agent'),
    },
  ],
  'golden.dialectic.authority.v1': [
    {
      why: 'a risk that is no number is unknown, and counts as half healthy; there it raises an error',
      ours: { 'authority-041': { '': 0.5 } },
    },
  ],
  'golden.dialectic.condition_apply.v1': [
    {
      why: 'what nothing enforces is refused by name; there it is accepted and has no effect',
      ours: each(['condition_apply-003', 'condition_apply-015', 'condition_apply-017'], 'refused'),
    },
    {
      why: 'conditions are read without their agent; whether there is one is found out before',
      ours: { 'condition_apply-019': { '': [{ kind: 'complexity_cap', amount: 0.5 }] } },
    },
  ],
  'golden.dialectic.condition_parse.v1': [
    {
      why: 'a unit is a whole word: hectares are not hours',
      ours: { 'condition_parse-017': { '': { action: 'unknown' } } },
    },
    {
      why: 'the period that ends a sentence is no part of the number',
      ours: {
        'condition_parse-029': { '': { action: 'reduce', target: 'complexity', value: 0.3, unit: null } },
        'condition_parse-033': { '': { action: 'limit', target: 'risk_score', value: 0.5, unit: 'below' } },
      },
    },
  ],
  'golden.dialectic.enforcement.v1': [
    {
      why: 'a decision is one of four words',
      ours: { 'enforcement-015': { '': 'no decision is called so' } },
    },
    {
      why: 'a condition ends at its end; no mark makes it end before',
      ours: { 'enforcement-017': { '': ESCALATED } },
    },
    {
      why: 'monitoring bounds what was agreed with it, and nothing that was agreed later',
      ours: { 'enforcement-021': { '': ESCALATED } },
    },
    {
      why: 'a limit is a number from 0 to below 1, or it is refused before an agent carries it',
      ours: each(['enforcement-023', 'enforcement-037', 'enforcement-041'], 'no agent carries such a condition'),
    },
  ],
  'golden.dialectic.fsm.v1': [
    {
      why: 'an answer that is refused takes no place',
      ours: {
        'fsm-anti-open-slot-badphase': {
          'step 0 after': { phase: 'thesis', reviewer_agent_id: null, transcript_len: 0 },
        },
      },
    },
    {
      why: 'an attempt that was refused is no offer, so that its words are not merged into the resolution',
      ours: {
        'fsm-objection-stands': {
          'step 6 result': {
            action: 'resume',
            conditions: ['Reduce complexity to 0.3'],
            root_cause: 'agreed',
            reasoning: 'ok',
          },
        },
      },
    },
    {
      why: 'who rejected in a review of its own does not clear itself, however often it tries',
      ours: {
        'fsm-self-review-reject-then-agree': { 'step 4 result': UNCLEARED, 'step 4 after': STILL_OPEN },
        'fsm-self-review-third-attempt-clears': {
          'step 4 result': UNCLEARED,
          'step 4 after': STILL_OPEN,
          'step 5 result': { raises: true },
          'step 5 after': STILL_OPEN,
        },
      },
    },
  ],
  'golden.dialectic.handler_helpers.v1': [
    {
      why: 'an argument that is there counts, even empty; its other name stands in only for one that is not there',
      ours: { 'handler_helpers-005': { '': [] } },
    },
    {
      why: 'a list is a list of words; anything else is refused by name and not guessed at',
      ours: each(['handler_helpers-009', 'handler_helpers-011', 'handler_helpers-013'], 'refused'),
    },
    {
      why: 'evidence that is not there is not described further',
      ours: {
        'handler_helpers-075': { '': { schema: 'dialectic.pause_evidence.v1', evidence_status: 'unavailable' } },
      },
    },
  ],
};

/** What the code has nothing of, and why: a whole group by its `schema`, one kind of cases by `schema kind`. */
export const ABSENT: Readonly<Record<string, string>> = {
  'golden.dialectic.message_sign.v1':
    'messages are stored under the proven identity of their author; only the resolution, which has an effect, is signed',
  'golden.dialectic.outcomes.v1': 'no report counts how reviews ended',
  'golden.dialectic.handler_helpers.v1 synthetic_review_approves': 'no model reviews in place of an agent',
  'golden.dialectic.handler_helpers.v1 merge_reviewer_provenance':
    'metrics are stored as they were sent: what a reviewer says of its own making proves nothing',
};
