import { ok, refuse, type ActionAnswerOf, type Result } from '@breakwater/contract';
import { dialectic as dialecticSpec } from '@breakwater/contract/tools';
import type { AgentHead } from '../agents/index.ts';
import { visibleId, visibleName, visibleText, type Viewer } from '../lifecycle/index.ts';
import { defineActions, iso, type ActionCallOf, type CallOf, type LiveTable, type Tool } from '../runtime/index.ts';
import { conditionsOf } from './obligations.ts';
import { actionabilityOf } from './rules/actionability.ts';
import { CONDITION_NOTICES } from './rules/conditions.ts';
import { confirmationText } from './rules/confirmation.ts';
import { pauseEvidence } from './rules/pause-evidence.ts';
import { assignedBy } from './rules/reassign.ts';
import { triage } from './rules/triage.ts';
import { NOTHING_APPLIED } from './saga.ts';
import type { Dialectic, Done } from './service.ts';
import type { Confirmation, Session } from './session.ts';

type Spec = typeof dialecticSpec;
type Call = CallOf<Spec>;
type Action<K extends keyof Spec['actions']> = (
  call: ActionCallOf<Spec, K>,
) => Promise<Result<ActionAnswerOf<Spec['actions'][K]>>>;

const MOST_LISTED = 200;
const LISTED = 50;
const DEFAULT_REASON = 'The agent is paused and asks for a review.';

/** The tool of the dialectic. `isStable`: no resolution about the agent is being carried out (W3-9.20). */
export const dialecticTools = (
  service: Dialectic,
  agents: { readonly table: LiveTable<AgentHead> },
  isStable: (agentId: string) => boolean,
): Tool[] => {
  const headOf = (agentId: string): AgentHead | undefined => {
    const reading = agents.table.read(agentId);
    return reading.ok ? reading.value : undefined;
  };

  /** A session as this caller may see it: participants and operators see who is who, others do not (BW-identity.14). */
  const viewOf = (session: Session, { caller }: Pick<Call, 'caller'>, transcript: boolean) => {
    const operator = caller.operator !== undefined;
    const own = caller.agentId === session.pausedAgentId || caller.agentId === session.reviewerAgentId;
    const viewer: Viewer = { agentId: caller.agentId, operator: operator || own };
    const id = (agentId: string) => visibleId(agentId, viewer).id;
    const idOrNull = (agentId: string | null) => (agentId === null ? null : id(agentId));
    const nameOf = (agentId: string) => {
      const head = headOf(agentId);
      return head === undefined ? null : visibleName(head, viewer);
    };
    const { allowed_agent_ids, required_agent_id, ...turn } = actionabilityOf(
      session,
      { agentId: caller.agentId ?? null, operator: caller.operator?.act === true },
      { label: nameOf, status: (agentId) => headOf(agentId)?.status ?? null },
    );
    return {
      session_id: session.sessionId,
      phase: session.phase,
      session_type: session.sessionType,
      paused_agent: id(session.pausedAgentId),
      reviewer: idOrNull(session.reviewerAgentId),
      topic: visibleText(session.topic, viewer),
      reason: visibleText(session.reason, viewer),
      trigger_source: session.triggerSource,
      created: iso(session.createdAt),
      awaiting_facilitation: session.awaitingFacilitation,
      synthesis_round: session.round,
      max_synthesis_rounds: session.maxRounds,
      message_count: session.messages.length,
      ...(assignedBy(session) !== null && { reviewer_assigned_by: `operator ${assignedBy(session) ?? ''}` }),
      ...(session.confirmation !== null && { confirmation: confirmationView(session.confirmation) }),
      is_stable: [session.pausedAgentId, session.reviewerAgentId].every((party) => party === null || isStable(party)),
      ...(session.resolution !== null && { resolution: session.resolution }),
      ...(transcript && {
        transcript: session.messages.map((message) => ({
          phase: message.type,
          role: roleOf(session, message.agentId),
          agent_id: id(message.agentId),
          timestamp: iso(message.at),
          root_cause: visibleText(message.rootCause, viewer),
          reasoning: visibleText(message.reasoning, viewer),
          ...(message.conditions.length > 0 && { proposed_conditions: message.conditions }),
          ...(message.concerns.length > 0 && { concerns: message.concerns }),
          ...(message.proposedAction !== null && { proposed_action: message.proposedAction }),
          ...(message.agrees !== null && { agrees: message.agrees }),
          ...(message.refused && { refused: true as const }),
        })),
      }),
      ...turn,
      required_agent_id: idOrNull(required_agent_id),
      allowed_agent_ids: allowed_agent_ids.map(id),
    };
  };

  /** The agent that acts, by a proof sent with the call: what a participant says binds it. */
  const authorOf = ({ caller }: Pick<Call, 'caller'>): Result<string> => {
    if (caller.agentId === undefined) {
      return refuse('IDENTITY_REQUIRED', 'Taking part in a review needs an identity.', {
        details: { status: 'identity_required' },
      });
    }
    if (caller.origin !== 'caller_asserted') {
      return refuse('STRONG_IDENTITY_REQUIRED', 'Taking part in a review needs a proof sent with the call.');
    }
    return ok(caller.agentId);
  };

  const submissionOf = ({ args }: Pick<Call, 'args'>, agentId: string) => ({
    agentId,
    rootCause: args.root_cause ?? null,
    conditions: args.proposed_conditions ?? [],
    proposedAction: args.proposed_action ?? null,
    reasoning: args.reasoning ?? null,
    concerns: args.concerns ?? [],
    observedMetrics: args.observed_metrics ?? null,
  });

  const stored = <R, More>(done: Result<Done<R>>, call: Pick<Call, 'caller'>, more: (done: Done<R>) => More) =>
    done.ok ? ok({ ...viewOf(done.value.session, call, false), ...more(done.value) }) : done;

  const request: Action<'request'> = async (call) => {
    const author = authorOf(call);
    if (!author.ok) return author;
    const { args, deadline } = call;
    const head = headOf(author.value);
    if (head?.status === 'waiting_input') {
      return ok({
        skipped: true,
        status: head.status,
        reason: 'The agent waits for input, which is no pause.',
        recommendation: 'Give it its input; self_recovery makes it active.',
      });
    }
    const reason = args.reason ?? args.issue_description ?? DEFAULT_REASON;
    const opened = await service.open(
      {
        pausedAgentId: author.value,
        sessionType: args.session_type ?? 'review',
        maxRounds: args.max_synthesis_rounds ?? 5,
        topic: args.topic ?? args.issue_description ?? reason,
        reason,
        triggerSource: args.trigger_source ?? (head?.pause == null ? 'manual' : 'circuit_breaker'),
        discoveryId: args.discovery_id ?? null,
        disputeType: args.dispute_type ?? null,
        pausedAgentState: pauseEvidence(head?.pause ?? null),
      },
      args.reviewer_mode !== 'manual',
    );
    if (!opened.ok) return opened;
    const { sessionId } = opened.value;
    const said = (session: Session): string => {
      const next =
        session.phase === 'thesis'
          ? 'Send your thesis: dialectic(action=thesis)'
          : 'Wait; dialectic(action=get) shows its answer';
      if (!session.awaitingFacilitation) return 'The review is open.';
      return `The review is open. No agent qualifies to review you, so an operator is asked to name the reviewer. ${next}.`;
    };
    const view = { message: said(opened.value), ...viewOf(opened.value, call, false) };
    if (args.root_cause == null && args.reasoning == null) return ok(view);
    const submission = submissionOf(call, author.value);
    const thesis = await service.submitThesis(
      sessionId,
      { ...submission, rootCause: args.root_cause ?? args.issue_description ?? reason },
      deadline,
    );
    if (thesis.ok) {
      const { session } = thesis.value;
      return ok({
        message: said(session),
        ...viewOf(session, call, false),
        one_call_review: true,
        thesis_recorded: true,
      });
    }
    // The review is there; saying so keeps the caller from asking for another one.
    const { code, message } = thesis.refusal;
    return ok({
      ...view,
      one_call_review: true,
      session_created: true,
      thesis_recorded: false,
      thesis_error: { error_code: code, error: message },
    });
  };

  const synthesis: Action<'synthesis'> = async (call) => {
    const author = authorOf(call);
    if (!author.ok) return author;
    const said = { ...submissionOf(call, author.value), agrees: call.args.agrees ?? null };
    const done = await service.submitSynthesis(call.args.session_id, said, call.deadline);
    if (!done.ok) return done;
    const { session, reply, end } = done.value;
    const view = viewOf(session, call, false);
    switch (reply.kind) {
      case 'self_clear_refused':
      case 'round_failed':
        return { ok: false, refusal: reply.refusal };
      case 'next_round':
        return ok({ ...view, converged: false });
      case 'failed_max_rounds':
        return ok({ ...view, converged: false, action: 'failed_max_rounds', rounds: reply.rounds });
      case 'unsafe':
        return ok({ ...view, converged: false, action: 'block', reason: reply.reason });
      case 'to_confirm':
        return ok({
          ...view,
          converged: true,
          action: session.confirmation?.action ?? null,
          awaiting_confirmation: true,
          message: `Both agree. An operator has to confirm it: ${confirmationText(reply.why)}. The agent stays paused until then.`,
        });
      case 'resolved': {
        const paused = headOf(session.pausedAgentId);
        const applied = end?.kind === 'committed' && end.applied;
        return ok({
          ...view,
          converged: true,
          action: session.resolution?.action ?? null,
          rounds: reply.rounds,
          execution: {
            applied,
            status: end?.kind ?? 'waiting',
            agent_status: paused?.status ?? null,
            ...(end?.kind === 'committed' && !applied && { warning: NOTHING_APPLIED }),
            ...(end?.kind !== 'committed' && { warning: 'The resolution is carried out in a moment; get shows it.' }),
          },
          ...(paused !== undefined &&
            applied && {
              conditions: conditionsOf(paused).map((condition) => ({
                ...condition,
                effect: CONDITION_NOTICES[condition.kind],
              })),
            }),
        });
      }
    }
  };

  const confirm: Action<'confirm'> = async (call) => {
    const { args, caller, deadline } = call;
    const { decision, reason } = args;
    if (decision !== 'accept' && decision !== 'reject') {
      return refuse('PARAMETER_ERROR', 'decision: confirm takes accept or reject.', {
        details: { parameter: 'decision', allowed: ['accept', 'reject'] },
      });
    }
    const said = { operator: caller.operator.name, decision, reason } as const;
    const done = await service.confirm(args.session_id, said, deadline);
    return stored(done, call, ({ reply, session, end }) => ({
      message: CONFIRMED[reply.kind],
      decision: reply.kind,
      agent_status: headOf(session.pausedAgentId)?.status ?? null,
      ...(reply.kind === 'confirmed' && { applied: end?.kind === 'committed' && end.applied }),
    }));
  };

  const tool = defineActions(dialecticSpec, {
    request,
    synthesis,
    confirm,
    async list(call) {
      const { args } = call;
      const limit = Math.min(MOST_LISTED, args.limit ?? LISTED);
      const sessions = await service.list({
        agentId: args.agent_id ?? null,
        status: args.status ?? null,
        active: false,
        limit,
      });
      return ok({
        session_count: sessions.length,
        sessions: sessions.map((session) => viewOf(session, call, args.include_transcript === true)),
        filters_applied: { agent_id: args.agent_id ?? null, status: args.status ?? null, limit },
        ...(sessions.length === 0 && { message: 'No review matches.' }),
      });
    },
    async get(call) {
      const { args, caller } = call;
      if (args.session_id == null && args.agent_id != null) {
        const active = await service.list({ agentId: args.agent_id, status: null, active: true, limit: MOST_LISTED });
        const [only, ...others] = active;
        if (only === undefined) return refuse('DIALECTIC_NOT_FOUND', 'No review of the agent is under way.');
        if (others.length === 0) return ok(viewOf(only, call, true));
        return ok({
          session_count: active.length,
          sessions: active.map((session) => viewOf(session, call, false)),
        });
      }
      const { session_id: sessionId } = args;
      if (sessionId == null || sessionId === '') {
        return refuse('MISSING_PARAMETER', 'session_id: get needs it, or the agent_id of an agent under review.', {
          details: { parameter: 'session_id' },
        });
      }
      // A stranger's look changes nothing.
      const tended = caller.agentId === undefined ? undefined : await service.tend(sessionId, true, call.deadline);
      const session = tended?.ok === true ? tended.value.session : await service.find(sessionId);
      if (session === undefined) return refuse('DIALECTIC_NOT_FOUND', `No review ${sessionId}.`);
      const did = tended?.ok === true && tended.value.reply.action !== 'left' ? tended.value.reply.action : undefined;
      return ok({ ...viewOf(session, call, true), ...(did !== undefined && { timeout_action: did }) });
    },
    quick({ args }) {
      const issue = args.issue_description ?? args.reason ?? '';
      const position = args.position ?? args.decision ?? args.root_cause ?? args.reasoning ?? null;
      const found = triage({ issue, position, concerns: args.concerns ?? [], risk: args.risk_score ?? null });
      return Promise.resolve(found.ok ? ok({ issue, ...found.value }) : found);
    },
    async thesis(call) {
      const author = authorOf(call);
      if (!author.ok) return author;
      const done = await service.submitThesis(call.args.session_id, submissionOf(call, author.value), call.deadline);
      return stored(done, call, () => ({}));
    },
    async antithesis(call) {
      const author = authorOf(call);
      if (!author.ok) return author;
      const done = await service.submitAntithesis(
        call.args.session_id,
        submissionOf(call, author.value),
        call.deadline,
      );
      return stored(done, call, ({ reply }) => (reply.claimed ? { reviewer_auto_assigned: true as const } : {}));
    },
    async reassign(call) {
      const { args, caller } = call;
      const proven = caller.origin === 'caller_asserted' ? (caller.agentId ?? null) : null;
      const done = await service.reassign(
        args.session_id,
        {
          caller: { agentId: proven, operator: caller.operator?.act === true ? caller.operator.name : null },
          newReviewerId: args.new_reviewer_id ?? null,
          reason: args.reason ?? 'Reviewer unresponsive',
        },
        call.deadline,
      );
      return stored(done, call, ({ reply }) => ({
        message: 'The review has another reviewer.',
        reassigned_by_role: reply.role,
        reopened: reply.reopened,
      }));
    },
  });

  return [tool];
};

const roleOf = (session: Session, agentId: string): 'paused_agent' | 'reviewer' | 'server' | 'other' => {
  if (agentId === session.pausedAgentId) return 'paused_agent';
  if (agentId === session.reviewerAgentId) return 'reviewer';
  return agentId === 'system' ? 'server' : 'other';
};

/** What an operator is told of its word. */
const CONFIRMED = {
  confirmed: 'The agreement is confirmed and carried out.',
  rejected: 'The agreement is rejected: the review has failed, and the agent stays paused.',
  lapsed: 'Nothing was decided: the pause that the agreement was about is over, and the review has failed.',
  unsafe: 'The agreement would break a hard limit: the review has failed, and the agent stays paused.',
  to_confirm: 'The agreement still waits for an operator.',
} as const;

const confirmationView = ({ since, action, why, decision, by, at, reason }: Confirmation) => ({
  since: iso(since),
  action,
  why,
  decision,
  ...(by !== null && { operator: by, at: at === null ? null : iso(at), reason }),
});
