import {
  ok,
  AUDIT_EVENTS,
  PREDICTION_HOURS,
  refusal,
  refuse,
  type Result,
  type AnswerOf,
  type Refusal,
} from '@breakwater/contract';
import type { processAgentUpdate, simulateUpdate } from '@breakwater/contract/tools';
import {
  claimMade,
  idempotencyOf,
  isMeasured,
  expirePause,
  pauseChange,
  pauseHolds,
  readCoverage,
  recordOf,
  type CoverageAccount,
  refuseEnded,
  type AgentChange,
  type AgentHead,
  type Agents,
  type AgentState,
  type Decision,
  type Hold,
  type Pause,
} from '../agents/index.ts';
import { freshStats, type Baselines } from '../baselines/index.ts';
import { encodeEvidence, viewEvidence, type Outcomes, type Settled, settleClaims } from '../outcomes/index.ts';
import { faultPoint, type Caller, type Clock, type Ids } from '../runtime/index.ts';
import type { z } from 'zod';
import { obligationsOf } from '../dialectic/index.ts';
import { holdText, nextStep } from '../lifecycle/index.ts';
import { answer, eisvTelemetry, pausedDetails } from './rules/answer.ts';
import { checkIn, type CheckIn } from './rules/check-in.ts';
import { detectLoop, watchedTopic, type Loop, type LoopLimits } from './rules/loop.ts';
import { encodeScoring } from './rules/state.ts';
import { textFeatures, type TextFeatures } from './rules/text-features.ts';
import { inferKind } from './rules/tool-results.ts';

type UpdateArguments = z.output<typeof processAgentUpdate.input>;
/** The arguments that scoring and answering look at; a check-in and its simulation share them. */
type ScoredArguments = Pick<
  UpdateArguments,
  | 'response_text'
  | 'complexity'
  | 'confidence'
  | 'task_type'
  | 'ethical_drift'
  | 'recent_tool_results'
  | 'response_mode'
>;
type CheckInAnswer = AnswerOf<typeof processAgentUpdate>;
/** A review that waits for an agent's answer, as the agent is told of it. */
export type ReviewWaiting = NonNullable<CheckInAnswer['review_waiting']>;

const PREDICTION_TTL_MS = PREDICTION_HOURS * 3_600_000;
const MAX_TEXT = 50_000;

/** Arguments of an update that are stored with its row and never scored. */
const CONTEXT_ARGUMENTS = [
  'comparison_key',
  'task_label',
  'task_outcome',
  'memory_context',
  'provenance_context',
  'trajectory_signature',
  'logprobs',
] as const;

export interface CheckInsOptions {
  agents: Agents;
  /** To read, and to stage what a check-in learned; the means to write one by itself are its writer's (W3-10.03). */
  baselines: Pick<Baselines, 'table' | 'stage' | 'readGated'>;
  outcomes: Outcomes;
  clock: Clock;
  ids: Ids;
  loopLimits: LoopLimits;
  /** How long a pause holds. */
  pauseMs: number;
  /** A review that waits for the agent's answer, as it is told; from memory. */
  reviewFor: (agentId: string) => ReviewWaiting | undefined;
}

/** A call of a bound agent, after it was understood. */
export interface BoundCall<A> {
  readonly args: A;
  readonly agentId: string;
  readonly assurance: Caller['assurance'];
  readonly sessionKey: string | null;
  readonly deadline: number;
}
type Update = BoundCall<UpdateArguments>;

/**
 * The check-in: gates, outcomes that came with it, the pure update, one atomic commit, then the answer. The agent's
 * mailbox around it makes the eleven invariants of RFC section 2 hold by construction: one moment, one snapshot before,
 * one snapshot after, and nothing visible before it is durable.
 */
export class CheckIns {
  readonly #options: CheckInsOptions;

  constructor(options: CheckInsOptions) {
    this.#options = options;
  }

  /** ms since the epoch, by the clock that claims run out by. */
  get now(): number {
    return this.#options.clock.now();
  }

  /** Scores and records one update; the answer is the projection of what was stored (BW-checkin.17). */
  async checkIn(update: Update): Promise<Result<CheckInAnswer>> {
    faultPoint('checkin.received');
    const { args, agentId, assurance, deadline } = update;
    if (args.require_strong_identity === true && assurance !== 'strong') {
      return refuse('STRONG_IDENTITY_REQUIRED', `The identity is ${assurance}; this call asked for strong.`);
    }
    await this.expirePauseOf(agentId, deadline);
    const done = await this.#options.agents.act(
      agentId,
      deadline,
      (state) => this.#decide(update, state),
      idempotencyOf(args),
    );
    // Not part of what is stored for a repeat: by then the review may have been answered.
    const review = done.ok ? this.#options.reviewFor(agentId) : undefined;
    return done.ok && review !== undefined ? ok({ ...done.value, review_waiting: review }) : done;
  }

  /** The decision that `update` would get now; stores nothing (BW-checkin.14). */
  simulate(update: BoundCall<ScoredArguments>): Promise<Result<AnswerOf<typeof simulateUpdate>>> {
    return this.#options.agents.act(update.agentId, update.deadline, async (state) => {
      const { checkedIn } = await this.#score(update, state, this.#options.clock.now());
      const reply = answer(checkedIn, update.args.response_mode, {
        agentId: state.head.agentId,
        predictionId: null,
        updateIndex: state.head.updateCount + 1,
      });
      return ok({ reply: { simulated: true as const, ...reply } });
    });
  }

  /**
   * Ends the agent's pause if its time is over, with an audit row (BW-checkin.06), and settles its claims.
   */
  async expirePauseOf(agentId: string, deadline: number): Promise<void> {
    const reading = this.#options.agents.table.read(agentId);
    const { clock } = this.#options;
    // An agent that memory does not know may be paused in PostgreSQL: its mailbox finds out.
    if (reading.ok && (reading.value.pause === null || pauseHolds(reading.value.pause, clock.now()))) return;
    await this.#options.agents.act(agentId, deadline, async ({ head, memory }) => {
      const change = expirePause(head, clock.now());
      if (change === undefined) return ok({ reply: null });
      const settled = settleClaims(memory);
      return ok({ reply: null, memory: settled.memory, change: { ...change, evidence: settled.evidence } });
    });
  }

  async #decide(update: Update, state: AgentState): Promise<Result<Decision<CheckInAnswer>>> {
    const { clock, ids, loopLimits } = this.#options;
    const { head, memory } = state;
    const now = clock.now();
    const gate = lifecycleGate(head, await this.#options.agents.holdOf(head), now);
    if (gate !== undefined) return gate;
    const features = textFeatures(textOf(update.args));
    const topicHash = watchedTopic(features.topicHash, {
      epistemicClass: update.args.epistemic_class,
      tags: head.tags,
    });
    const looping = this.#loopGate(update, state, topicHash, now, loopLimits);
    if (looping !== undefined) return looping;

    const { checkedIn, settled } = await this.#score(update, state, now, { features, topicHash });
    faultPoint('checkin.decided');
    const updateIndex = head.updateCount + 1;
    const predictionId = ids.rowId(now);
    const pause =
      checkedIn.pauseEvidence && pauseOf(checkedIn, { ...checkedIn.pauseEvidence }, ids, now, this.#options.pauseMs);
    const reply = answer(checkedIn, update.args.response_mode, {
      agentId: head.agentId,
      predictionId,
      updateIndex,
      ...(pause && { paused: { ...pause, next_step: stepAfter(head, checkedIn, pause, now) } }),
      ...(settled.notes.length > 0 && { notes: settled.notes }),
    });
    const change = changeOf({ update, checkedIn, settled, pause, predictionId, now });
    // Last, because what is staged must come to an end: nothing after it may throw.
    const staged = this.#options.baselines.stage(head.agentId, checkedIn.baseline);
    return ok({
      reply,
      memory: { ...memory, scoring: checkedIn.scoring, evidence: settled.evidence },
      change,
      committed: () => {
        staged.published();
        settled.committed();
      },
      abandoned: () => staged.abandoned(),
    });
  }

  /**
   * A loop is refused until it is over, and leaves one record. One of the text refuses that text alone: what else the
   * agent has to say, or what is reported in its name, is taken.
   */
  #loopGate(
    update: Update,
    { memory }: AgentState,
    topicHash: string,
    now: number,
    limits: LoopLimits,
  ): Result<Decision<never>> | undefined {
    const known = memory.loop;
    if (known !== null && now < known.retryAt && (known.topicHash ?? topicHash) === topicHash) {
      return { ok: false, refusal: loopRefusal(known, now) };
    }
    const loop = detectLoop(memory.scoring.recent, now, topicHash, limits);
    if (loop === undefined) return undefined;
    return ok({
      refusal: loopRefusal(loop, now),
      memory: { ...memory, loop },
      change: {
        at: now,
        sessionKey: update.sessionKey,
        events: [{ type: AUDIT_EVENTS.loopDetected, payload: { rule: loop.rule, ...loop.evidence } }],
      },
    });
  }

  async #score(
    { args, sessionKey }: BoundCall<ScoredArguments>,
    { head, memory }: AgentState,
    now: number,
    read?: { readonly features: TextFeatures; readonly topicHash: string },
  ): Promise<{ checkedIn: CheckIn; settled: Settled }> {
    const { baselines, outcomes } = this.#options;
    // A result says by its tool what kind it is; scoring and grading must not tell it differently.
    const toolResults = (args.recent_tool_results ?? []).map((result) => ({ ...result, kind: inferKind(result) }));
    const settled = await outcomes.settleToolResults(head, memory.evidence, toolResults, sessionKey, now);
    // Before the first check-in there is nothing to be cold: asking PostgreSQL would find no row.
    const live = baselines.table.read(head.agentId);
    const baseline = live.ok || head.updateCount === 0 ? live : await baselines.readGated(head.agentId);
    const text = textOf(args);
    const checkedIn = checkIn(
      {
        scoring: memory.scoring,
        baseline: baseline.ok ? baseline.value : freshStats,
        evidence: {
          ...viewEvidence(settled.evidence, now),
          coverage: readCoverage(settled.coverage, now),
          others: settled.others,
        },
        sameSession: head.activeSessionKey === null || sessionKey === head.activeSessionKey,
        updateIndex: head.updateCount + 1,
        measured: head.vitals !== null && isMeasured(head.vitals),
        resident: false,
        topicHash: read?.topicHash,
        obligations: obligationsOf(head, now),
      },
      {
        text,
        features: read?.features,
        textTruncated: text !== (args.response_text ?? ''),
        ...(args.complexity !== undefined && { complexity: args.complexity }),
        ...(args.confidence !== undefined && { confidence: args.confidence }),
        taskType: args.task_type,
        ownDrift: args.ethical_drift ?? [],
        toolResults,
      },
      now,
    );
    return { checkedIn, settled };
  }
}

/** Text beyond the limit is cut, and the answer says so; cut by code points, so that no character is halved. */
const textOf = (args: { readonly response_text?: string | null | undefined }): string => {
  const text = args.response_text ?? '';
  return text.length <= MAX_TEXT ? text : Array.from(text).slice(0, MAX_TEXT).join('');
};

const LOOPS: Readonly<Record<Loop['rule'], string>> = {
  same_topic: 'The agent said the same five times in ten minutes, at no regular interval; other words are taken.',
  burst: 'The agent checks in more than twenty times a minute.',
  pauses: 'The agent was paused three times within an hour; its check-ins are refused for a while.',
};

const loopRefusal = ({ rule, retryAt }: Loop, now: number): Refusal =>
  refusal('LOOP_DETECTED', LOOPS[rule], {
    retryAfterSeconds: Math.max(1, Math.ceil((retryAt - now) / 1000)),
    details: { rule },
  });

/** Refuses an agent that may not check in, with what holds it and the way out (BW-checkin.05). */
const lifecycleGate = (head: AgentHead, held: Hold | undefined, now: number) => {
  // A pause whose time ran out since it was looked at is still there, and only its expiry takes it away.
  const hold = held ?? (head.pause === null ? undefined : { holder: head, pause: head.pause, inherited: false, now });
  if (hold === undefined) return refuseEnded(head);
  const { details, recovery } = pausedDetails(hold.pause, nextStep(head, hold));
  return refuse('AGENT_PAUSED', holdText(hold), {
    details: {
      agent_id: head.agentId,
      ...(hold.inherited && { held_by: hold.holder.agentId }),
      ...details,
    },
    recovery,
  });
};

/** The next step of an agent that this check-in pauses, by the risk that it has from now on. */
const stepAfter = (head: AgentHead, { risk }: CheckIn, pause: Pause, now: number): string => {
  const vitals = { ...head.vitals, risk: risk.gated } as AgentHead['vitals'];
  const after: AgentHead = { ...head, status: 'paused', pause, vitals };
  return nextStep(after, { holder: after, pause, inherited: false, now }).say;
};

const pauseOf = (
  { decision }: CheckIn,
  evidence: Readonly<Record<string, unknown>>,
  ids: Ids,
  now: number,
  pauseMs: number,
): Pause => ({
  actuation_id: ids.rowId(now),
  paused_at: new Date(now).toISOString(),
  expires_at: new Date(now + pauseMs).toISOString(),
  sub_action: decision.sub_action,
  reason: decision.reason,
  evidence,
});

/** What a state keeps of the claims of that moment, for exports over time; zeros are left out, as most are. */
const claimsAt = ({ made, settled, expired }: CoverageAccount) => ({
  ...(made > 0 && { made }),
  ...(settled > 0 && { settled }),
  ...(expired > 0 && { expired }),
});

/** Everything that one update makes durable, in one change (spec checkin, section 4). */
const changeOf = (parts: {
  update: Update;
  checkedIn: CheckIn;
  settled: Settled;
  pause: Pause | undefined;
  predictionId: string;
  now: number;
}): AgentChange => {
  const { update, checkedIn, settled, pause, predictionId, now } = parts;
  const { args } = update;
  const { decision, eisv, risk, confidence } = checkedIn;
  const scoring = encodeScoring(checkedIn.scoring);
  const context: Record<string, unknown> = {};
  for (const name of CONTEXT_ARGUMENTS) if (args[name] != null) context[name] = args[name];
  const paused = pause && pauseChange(pause);
  const { error } = checkedIn.evidence.calibration;
  const { graded, pass_rate, mean_claim } = recordOf({ calibration: checkedIn.evidence.calibration });
  const coverage = claimMade(settled.coverage, {
    claimed: confidence.source === 'reported',
    expiresAt: now + PREDICTION_TTL_MS,
    now,
  });
  return {
    at: now,
    countsUpdate: true,
    sessionKey: update.sessionKey,
    events: [
      {
        type: AUDIT_EVENTS.checkInRecorded,
        payload: {
          action: decision.action,
          sub_action: decision.sub_action,
          verdict: checkedIn.verdict,
          risk: risk.gated,
          prediction_id: predictionId,
        },
      },
      ...settled.events,
      ...(checkedIn.voidEntered ? [{ type: AUDIT_EVENTS.voidEntered, payload: { V: eisv.V } }] : []),
      ...(paused ? [paused.event] : []),
    ],
    ...(paused && { status: paused.status, pause: paused.pause }),
    vitals: {
      ...eisv,
      risk: risk.gated,
      risk_latest: risk.final,
      risk_word: checkedIn.verdictWord,
      verdict: checkedIn.verdict,
      action: decision.action,
      sub_action: decision.sub_action,
      margin: decision.margin,
      regime: checkedIn.regime,
      phase: checkedIn.warmup.phase,
      source: checkedIn.source,
      at: new Date(now).toISOString(),
      calibration: graded === 0 ? { error, graded } : checkedIn.evidence.calibration,
      claims: checkedIn.evidence.claims.value,
      coverage,
      measured: checkedIn.measured,
      drift: checkedIn.driftVector.norm,
    },
    ...(settled.rows.length > 0 && { evidence: encodeEvidence(settled.evidence) }),
    state: {
      integrity: eisv.I,
      entropy: eisv.S,
      volatility: eisv.V,
      coherence: 0.5,
      risk: risk.gated,
      regime: checkedIn.regime,
      epistemicClass: args.epistemic_class,
      json: {
        E: eisv.E,
        verdict: checkedIn.verdict,
        action: decision.sub_action,
        reason: decision.reason,
        ...(graded > 0 && { record: { graded, pass_rate, mean_claim } }),
        claims: claimsAt(coverage),
        eisv_telemetry: eisvTelemetry(checkedIn, now),
        ...(Object.keys(context).length > 0 && { context }),
        scoring: scoring.json,
      },
    },
    driftBaseline: scoring.driftBaseline,
    behaviouralStats: checkedIn.baseline,
    prediction: {
      predictionId,
      confidence: confidence.value,
      source: confidence.source,
      expiresAt: now + PREDICTION_TTL_MS,
    },
    consume: settled.consume,
    outcomes: settled.rows,
  };
};
