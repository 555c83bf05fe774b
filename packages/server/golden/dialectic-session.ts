import type { Result } from '@breakwater/contract';
import { dialectic } from '@breakwater/contract/tools';
import type { AgentStatus } from '../src/agents/agent.ts';
import { actionabilityOf } from '../src/dialectic/rules/actionability.ts';
import type { Change } from '../src/dialectic/rules/change.ts';
import { pauseEvidence } from '../src/dialectic/rules/pause-evidence.ts';
import { submitAntithesis, submitThesis } from '../src/dialectic/rules/protocol.ts';
import { sessionIdOf } from '../src/dialectic/rules/session-id.ts';
import { takeSynthesis, type SynthesisStep } from '../src/dialectic/rules/synthesis.ts';
import { opened, termsOf } from '../src/dialectic/rules/testing/session.ts';
import { timeoutOf } from '../src/dialectic/rules/timeouts.ts';
import { triage } from '../src/dialectic/rules/triage.ts';
import type { Message, Phase, Session } from '../src/dialectic/session.ts';
import { several, single, type Adapter, type Check } from './adapter.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Times without a zone are UTC. */
const msOf = (iso: string): number => Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(iso) ? iso : `${iso}Z`);

/** What is wanted of the fields that the code gives; the rest of the vector is prose, or nothing that the code tells there. */
const wanted = (expected: unknown, got: unknown): unknown =>
  typeof expected !== 'object' || expected === null || typeof got !== 'object' || got === null
    ? expected
    : Object.fromEntries(Object.keys(got).map((key) => [key, (expected as Fields)[key]]));

interface VectorMessage {
  readonly agent_id: string;
  readonly timestamp: string;
  readonly root_cause?: string | null;
  readonly proposed_conditions?: readonly string[] | null;
  readonly reasoning?: string | null;
  readonly concerns?: readonly string[] | null;
  readonly agrees?: boolean | null;
}

type Step =
  | { readonly op: 'thesis' | 'antithesis' | 'synthesis'; readonly msg: VectorMessage }
  | { readonly op: 'set'; readonly set: Fields }
  | { readonly op: 'finalize' }
  | { readonly op: 'check_timeout'; readonly now: string };

interface ProtocolVector {
  readonly input: {
    readonly ctor: {
      readonly reviewer_agent_id?: string;
      readonly session_type?: string;
      readonly max_synthesis_rounds?: number;
    };
    readonly steps: readonly Step[];
    readonly now: string;
  };
  readonly expected: readonly { readonly result: unknown; readonly after: Fields }[];
}

const FIELDS: Readonly<Record<string, keyof Session>> = {
  phase: 'phase',
  reviewer_agent_id: 'reviewerAgentId',
  awaiting_facilitation: 'awaitingFacilitation',
};

const BLOCKS: Readonly<Record<string, string>> = {
  REVIEWER_VERDICT_PENDING: 'reviewer_verdict_pending',
  SELF_CLEAR_REFUSED: 'reviewer_objection_stands',
};

const submit = (session: Session, { op, msg }: Extract<Step, { msg: unknown }>): Result<Change> => {
  const now = msOf(msg.timestamp);
  const said = {
    agentId: msg.agent_id,
    rootCause: msg.root_cause,
    conditions: msg.proposed_conditions,
    reasoning: msg.reasoning,
    concerns: msg.concerns,
    agrees: msg.agrees ?? null,
  };
  if (op === 'thesis') return submitThesis(session, said, now);
  return op === 'antithesis' ? submitAntithesis(session, said, now) : takeSynthesis(session, said, now);
};

/** A submission's outcome, in the words of the vectors; what is told in prose there is left out. */
const wireOf = (outcome: Result<Change>): Fields => {
  if (!outcome.ok) {
    const blocked = BLOCKS[outcome.refusal.code];
    return { success: false, ...(blocked && { blocked, converged: false }) };
  }
  const { session } = outcome.value;
  const result = 'result' in outcome.value ? (outcome.value as SynthesisStep).result : null;
  const { phase, round, maxRounds } = session;
  switch (result?.kind) {
    case 'resolved': {
      const { rounds, synthesizer } = result;
      return { success: true, converged: true, phase, rounds, ...(synthesizer !== null && { synthesizer }) };
    }
    case 'next_round':
      return { success: true, converged: false, phase, round: result.round, max_rounds: result.maxRounds };
    case 'self_clear_refused':
      return { success: true, converged: false, blocked: 'reviewer_objection_stands', phase, round };
    case 'failed_max_rounds':
      return { success: false, action: 'failed_max_rounds', rounds: result.rounds };
    default:
      return { success: true, phase, ...(phase === 'synthesis' && { max_rounds: maxRounds }) };
  }
};

const raises = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

/** What a step gives, and the session after it. */
const take = (session: Session, step: Step): { readonly session: Session; readonly got?: unknown } => {
  if ('msg' in step) {
    const outcome = submit(session, step);
    return { session: outcome.ok ? outcome.value.session : session, got: wireOf(outcome) };
  }
  switch (step.op) {
    case 'set': {
      const poked = Object.entries(step.set).map(([key, value]) => [FIELDS[key] ?? key, value]);
      return { session: { ...session, ...(Object.fromEntries(poked) as Partial<Session>) } };
    }
    case 'check_timeout':
      return { session, got: timeoutOf(session, msOf(step.now)) };
    case 'finalize': {
      if (raises(() => termsOf(session))) return { session, got: { raises: true } };
      const { action, conditions, rootCause, reasoning } = termsOf(session);
      return { session, got: { action, conditions, root_cause: rootCause, reasoning } };
    }
  }
};

const isRaise = (result: unknown): boolean => typeof result === 'object' && result !== null && 'raises' in result;

const replay = ({ input, expected }: ProtocolVector): Check[] => {
  const { ctor } = input;
  let session = opened(
    {
      reviewerAgentId: ctor.reviewer_agent_id ?? null,
      sessionType: ctor.session_type ?? 'review',
      maxRounds: ctor.max_synthesis_rounds ?? 5,
    },
    msOf(input.now),
  );
  return input.steps.flatMap((step, i) => {
    const { result, after } = expected[i] ?? { result: 'a step that the vector has', after: {} };
    const taken = take(session, step);
    session = taken.session;
    const now = {
      phase: session.phase,
      synthesis_round: session.round,
      reviewer_agent_id: session.reviewerAgentId,
      transcript_len: session.messages.length,
      // The flag falls with the resolution itself here, and in a later write there.
      ...(session.phase !== 'resolved' && { awaiting_facilitation: session.awaitingFacilitation }),
    };
    return [
      ...('got' in taken
        ? [
            {
              at: `step ${i} result`,
              got: taken.got,
              expected: isRaise(result) ? { raises: true } : wanted(result, taken.got),
            },
          ]
        : []),
      { at: `step ${i} after`, got: now, expected: wanted(after, now) },
    ];
  });
};

interface ActionabilityInput {
  readonly session: {
    readonly session_id: string;
    readonly paused_agent: string;
    readonly reviewer: string | null;
    readonly phase: string;
    readonly awaiting_facilitation?: boolean;
    readonly transcript: readonly {
      readonly phase: Message['type'];
      readonly agent_id: string;
      readonly agrees: unknown;
    }[];
  };
  readonly caller_agent_id: string | null;
  readonly caller_is_operator: boolean;
  readonly agent_labels: Readonly<Record<string, string>>;
  readonly agent_status: Readonly<Record<string, AgentStatus>>;
}

const PHASES: ReadonlySet<string> = new Set<Phase>(['thesis', 'antithesis', 'synthesis', 'resolved', 'failed']);

const sessionOf = ({ session }: ActionabilityInput): Session => ({
  ...opened({
    sessionId: session.session_id,
    pausedAgentId: session.paused_agent,
    reviewerAgentId: session.reviewer,
    awaitingFacilitation: session.awaiting_facilitation ?? false,
  }),
  phase: session.phase as Phase,
  messages: session.transcript.map(({ phase, agent_id, agrees }) => ({
    type: phase,
    agentId: agent_id,
    at: 0,
    rootCause: null,
    conditions: [],
    proposedAction: null,
    reasoning: null,
    observedMetrics: null,
    concerns: [],
    agrees: agrees === 'false' ? false : (agrees as boolean | null),
    refused: false,
  })),
});

/** Whose move it is; a session that no row can hold is told by what is wrong with it. */
const actionability = (input: ActionabilityInput): unknown => {
  if (!PHASES.has(input.session.phase)) return 'no session has this phase';
  if (input.session.paused_agent === 'unknown') return 'every session has its paused agent';
  const { whose_move, next_call, recommended_action, ...facts } = actionabilityOf(
    sessionOf(input),
    { agentId: input.caller_agent_id, operator: input.caller_is_operator },
    { label: (id) => input.agent_labels[id] ?? null, status: (id) => input.agent_status[id] ?? null },
  );
  return {
    whose_move_class: whose_move,
    next_call_action: next_call?.action ?? null,
    recommended_action: recommended_action === '' ? '' : '<prose>',
    ...facts,
  };
};

interface QuickInput {
  readonly issue_description: string;
  readonly position?: string;
  readonly concerns?: readonly string[];
  readonly observed_metrics?: { readonly risk_score?: string } | string;
}

interface HelperVector {
  readonly kind: string;
  readonly input: never;
  readonly expected: unknown;
}

/** The list as the tool takes it: an argument by another name counts when the named one is not there. */
const listOf = (args: Fields): unknown => {
  const proposed_conditions = args['proposed_conditions'] ?? args['conditions'];
  const read = dialectic.input.safeParse({ proposed_conditions });
  return read.success ? (read.data.proposed_conditions ?? []) : 'refused';
};

const triaged = (input: QuickInput): Fields => {
  const metrics = input.observed_metrics;
  const risk = typeof metrics === 'object' ? Number(metrics.risk_score) : null;
  const found = triage({
    // The contract takes the space off its ends.
    issue: input.issue_description.trim(),
    position: input.position ?? null,
    concerns: input.concerns ?? [],
    risk,
  });
  if (!found.ok) return { error_code: found.refusal.code };
  return { recommendation: found.value.recommendation, risk_flags: found.value.flags };
};

const HELPERS: Readonly<Record<string, (vector: HelperVector) => Omit<Check, 'at'>>> = {
  read_proposed_conditions: ({ input, expected }) => ({ got: listOf(input), expected }),
  as_string_list: ({ input, expected }) => ({ got: listOf({ proposed_conditions: input }), expected }),
  quick: ({ input, expected }) => {
    const got = triaged(input);
    return { got, expected: wanted((expected as { readonly data: Fields }).data, got) };
  },
  capture_pause_evidence: ({ expected }) => ({ got: pauseEvidence(null), expected }),
};

/** Adapters of what a session is and does, by the `schema` that a vector file carries. */
export const SESSION_ADAPTERS: Readonly<Record<string, Adapter>> = {
  'golden.dialectic.fsm.v1': several(replay),
  'golden.dialectic.actionability.v1': single(actionability),
  'golden.dialectic.session_id.v1': single(
    (v: { readonly paused_agent_id: string; readonly reviewer_agent_id: string; readonly created_at_iso: string }) =>
      sessionIdOf(v.paused_agent_id, v.reviewer_agent_id === '' ? null : v.reviewer_agent_id, msOf(v.created_at_iso)),
  ),
  'golden.dialectic.handler_helpers.v1': several((v: HelperVector) => {
    const run = HELPERS[v.kind];
    return [{ at: '', ...(run === undefined ? { got: 'an unknown kind', expected: v.kind } : run(v)) }];
  }),
};
