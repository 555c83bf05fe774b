import {
  ok,
  refuse,
  AUDIT_EVENTS,
  type AnswerOf,
  type CorroborationGrade,
  type Result,
  type OutcomeType,
  type VerificationSource,
} from '@breakwater/contract';
import type { outcomeEvent } from '@breakwater/contract/tools';
import {
  idempotencyOf,
  pauseChange,
  type AgentHead,
  type Agents,
  type AuditDraft,
  type Hold,
  type OutcomeRow,
  type Pause,
  type Vitals,
  readCoverage,
  recordOf,
  resultRecorded,
  type CoverageAccount,
} from '../agents/index.ts';
import { nextStep, refusedAct } from '../lifecycle/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Clock, Ids } from '../runtime/index.ts';
import type { z } from 'zod';
import { bindPrediction, type StoredPrediction } from './rules/binding.ts';
import {
  encodeEvidence,
  recordOutcome,
  viewEvidence,
  type ClaimsPause,
  type OutcomeEvidence,
} from './rules/evidence.ts';
import { channelOf } from './rules/channel.ts';
import type { OtherAgents, OthersReading } from './rules/fleet-guard.ts';
import { GRADE_MEANING, GRADE_WEIGHT, gradeOutcome, type Contradiction, type OutcomeDraft } from './rules/grading.ts';
import { Fleet } from './fleet.ts';
import { whyNotGraded } from './rules/why-not-graded.ts';
import { serverNotes } from './rules/snapshot.ts';
import { outcomeOfToolResult, type ToolResult } from './rules/tool-result.ts';
import * as sql from './sql.ts';

/** Outcomes after they were graded and bound: rows to store, what was learned, claims used up, what to tell the caller. */
export interface Settled {
  readonly evidence: OutcomeEvidence;
  readonly rows: readonly OutcomeRow[];
  readonly consume: readonly string[];
  readonly events: readonly AuditDraft[];
  readonly notes: readonly string[];
  readonly pause?: ClaimsPause;
  /** What became of the agent's claims, after these outcomes. */
  readonly coverage: CoverageAccount | undefined;
  /** Who else failed in the last hour; asked for when the agent is paused. */
  readonly others: () => OtherAgents;
  /** To be called once the outcomes are durable. */
  readonly committed: () => void;
}

/** What an outcome says of itself; who says it stands beside, in the request. */
type OutcomeArguments = Pick<
  z.output<typeof outcomeEvent.input>,
  'outcome_type' | 'outcome_score' | 'is_bad' | 'detail' | 'confidence' | 'prediction_id' | 'idempotency_key'
> & { readonly include_semantics?: boolean | undefined };

/** An outcome call after it was understood. */
export interface RecordRequest {
  readonly agentId: string;
  readonly args: OutcomeArguments;
  readonly sessionKey: string | null;
  readonly deadline: number;
  /** What the caller is told beside the result. */
  readonly notes?: readonly string[];
  /** Set when an operator reports it: who, and who saw it. Without it, it is the agent's own word. */
  readonly external?: {
    readonly operator: string;
    readonly source: VerificationSource;
    readonly idempotency: ReturnType<typeof idempotencyOf>;
  };
}

/** An agent's word, whatever it says of itself. */
const AGENT: VerificationSource = 'agent_reported_tool_result';

/**
 * Outcomes: what came of the work, graded by what shows it, bound to the claim it settles, and held against that claim.
 * The claims detector is evaluated in the transaction that records the outcome; when it reaches its limit, that same
 * transaction pauses the agent (BW-checkin.16).
 */
export class Outcomes {
  readonly #options: { database: Database; agents: Agents; clock: Clock; ids: Ids; pauseMs: number };
  /** What all agents came to in the last hour; to be loaded at the start and refreshed at its interval. */
  readonly fleet: Fleet;

  constructor(options: { database: Database; agents: Agents; clock: Clock; ids: Ids; pauseMs: number }) {
    this.#options = options;
    this.fleet = new Fleet(options);
  }

  /**
   * Records one outcome. A paused agent may: what its work came to still belongs on the record, and its pause stays as it
   * is. Refuses with PARAMETER_ERROR what contradicts itself or its evidence (BW-outcomes.05), naming both fields.
   */
  async record(request: RecordRequest): Promise<Result<AnswerOf<typeof outcomeEvent>>> {
    const { agentId, args, sessionKey, deadline, notes = [], external } = request;
    const { agents, clock } = this.#options;
    const { contradiction } = gradeOutcome(draftOf(args), external?.source ?? AGENT);
    if (contradiction !== undefined) return refuseContradiction(contradiction);
    return agents.act(
      agentId,
      deadline,
      async ({ head, memory }) => {
        // A pause at the detector's limit would otherwise bring an archived agent back when it expires.
        const hold = await agents.holdOf(head);
        const ended = refusedAct('record_result', 'owner', head, hold);
        if (ended !== undefined) return ended;
        const now = clock.now();
        const settled = await this.#settle(
          head,
          memory.evidence,
          [draftOf(args)],
          external?.source ?? AGENT,
          sessionKey,
          now,
        );
        const row = settled.rows[0];
        if (row === undefined) throw new Error('one outcome gives one row');
        const pause = settled.pause && head.pause === null ? this.#pauseOf(settled.pause, now) : undefined;
        const paused = pause && pauseChange(pause);
        return ok({
          reply: {
            ...replyOf(row, { ...settled, notes: [...notes, ...settled.notes] }, pause, now),
            ...(external === undefined && stepOf(head, pause, hold, now)),
            ...(args.include_semantics === true && { semantics: SEMANTICS }),
          },
          memory: { ...memory, evidence: settled.evidence },
          change: {
            at: now,
            // An operator's report is no activity of the agent in a session of its own.
            ...(external === undefined && { sessionKey }),
            events: [
              {
                type: AUDIT_EVENTS.outcomeRecorded,
                payload: {
                  outcome_id: row.outcomeId,
                  outcome_type: row.type,
                  is_bad: row.isBad,
                  grade: row.grade,
                  ...(external && { operator: external.operator, verification_source: external.source }),
                },
              },
              ...(paused ? [paused.event] : []),
            ],
            ...(paused && { status: paused.status, pause: paused.pause }),
            ...(head.vitals && { vitals: { ...head.vitals, ...judged(settled, now) } }),
            evidence: encodeEvidence(settled.evidence),
            consume: settled.consume,
            outcomes: settled.rows,
          },
          committed: settled.committed,
        });
      },
      external ? external.idempotency : idempotencyOf(args),
    );
  }

  /** Settles the tool results that came with a check-in; the check-in stores them in its own transaction. */
  settleToolResults(
    head: AgentHead,
    evidence: OutcomeEvidence,
    results: readonly ToolResult[],
    sessionKey: string | null,
    now: number,
  ): Promise<Settled> | Settled {
    if (results.length === 0) {
      return {
        evidence,
        rows: [],
        consume: [],
        events: [],
        notes: [],
        coverage: head.vitals?.coverage,
        others: () => this.fleet.otherAgents(head.agentId, now),
        committed: () => undefined,
      };
    }
    return this.#settle(head, evidence, results.map(outcomeOfToolResult), AGENT, sessionKey, now, true);
  }

  async #settle(
    head: AgentHead,
    before: OutcomeEvidence,
    drafts: readonly OutcomeDraft[],
    source: VerificationSource,
    sessionKey: string | null,
    now: number,
    isBatch = false,
  ): Promise<Settled> {
    const predictions = await this.#predictions(drafts.flatMap((draft) => draft.predictionId ?? []));
    const used = new Set<string>();
    const notes = new Set<string>();
    const rows: OutcomeRow[] = [];
    let evidence = before;
    let pause: ClaimsPause | undefined;
    let coverage = head.vitals?.coverage;
    const { fleet } = this;
    // Decided before any of these results is looked at, so that the bets stay fair.
    const fleetNow = fleet.others(head.agentId, now);
    const others = () => fleet.otherAgents(head.agentId, now);
    const observed: Parameters<Fleet['observe']>[0][] = [];
    for (const draft of drafts) {
      const graded = gradeOutcome(draft, source);
      for (const key of graded.stripped) notes.add(`detail.${key} was dropped: provenance is the server's to state`);
      const stored = draft.predictionId === undefined ? undefined : predictions.get(draft.predictionId);
      const binding = bindPrediction({
        predictionId: draft.predictionId,
        stored: stored && used.has(stored.predictionId) ? { ...stored, consumedAt: now } : stored,
        agentId: head.agentId,
        argument: draft.confidence,
        now,
      });
      // What contradicts itself settles nothing: the claim stays open for a result that can be believed.
      const bound = { ...binding, consume: binding.consume && graded.contradiction === undefined };
      if (bound.consume && stored !== undefined) used.add(stored.predictionId);
      const learned = recordOutcome(
        evidence,
        {
          isBad: graded.isBad,
          score: graded.isOpen ? null : graded.score,
          weight: graded.weight,
          fixture: graded.fixture,
          contradicts: graded.contradiction !== undefined,
          held: fleetNow.isOutage,
          binding: bound,
        },
        now,
        others,
      );
      // Of a batch most results belong to no claim, which is no fault worth a warning.
      const isTold = !isBatch || draft.predictionId !== undefined || graded.contradiction !== undefined;
      if (!learned.graded && isTold) notes.add(`not graded: ${whyNotGraded(graded, bound.source)}`);
      const held = learned.graded && fleetNow.isOutage;
      if (held) notes.add(heldNote(fleetNow));
      coverage = resultRecorded(coverage, {
        graded: learned.graded,
        claimExpiresAt: bound.consume ? stored?.expiresAt : undefined,
        now,
      });
      if (learned.graded && bound.confidence !== null) {
        observed.push({ agentId: head.agentId, at: now, claim: bound.confidence, isBad: graded.isBad });
      }
      evidence = learned.evidence;
      pause = learned.pause ?? pause;
      const vitals = bound.updateIndex === null ? head.vitals : (stored?.vitals ?? null);
      const kept = serverNotes({
        channel: channelOf(draft.type, graded.detail),
        fixture: graded.fixture,
        binding: bound,
        claim: stored,
        hasSnapshot: vitals !== null,
        verdict: head.vitals?.verdict ?? null,
        held: held ? fleetNow : undefined,
      });
      rows.push({
        outcomeId: this.#options.ids.rowId(now),
        type: draft.type,
        score: graded.score,
        isBad: graded.isBad,
        sessionKey,
        detail: { ...graded.detail, ...kept },
        verificationSource: source,
        predictionId: draft.predictionId ?? null,
        predictionSource: bound.source,
        updateIndex: bound.updateIndex,
        confidence: bound.confidence,
        grade: graded.grade,
        weight: graded.weight,
        graded: learned.graded,
        vitals,
      });
    }
    return {
      evidence,
      rows,
      consume: [...used],
      events: [],
      notes: [...notes],
      ...(pause && { pause }),
      coverage,
      others,
      committed: () => {
        for (const one of observed) fleet.observe(one);
      },
    };
  }

  async #predictions(ids: readonly string[]): Promise<Map<string, StoredPrediction>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#options.database.query<sql.StoredPredictionRow>(sql.selectPredictions(ids));
    return new Map(rows.map((row) => [row.prediction_id, sql.predictionFromRow(row)]));
  }

  #pauseOf(claims: ClaimsPause, now: number): Pause {
    return {
      actuation_id: this.#options.ids.rowId(now),
      paused_at: new Date(now).toISOString(),
      expires_at: new Date(now + this.#options.pauseMs).toISOString(),
      sub_action: 'claims_pause',
      reason: claims.reason,
      evidence: claims.evidence,
    };
  }
}

const draftOf = (args: OutcomeArguments): OutcomeDraft => ({
  type: args.outcome_type satisfies OutcomeType,
  detail: args.detail ?? {},
  ...(args.outcome_score !== undefined && { score: args.outcome_score }),
  ...(args.is_bad !== undefined && { isBad: args.is_bad }),
  ...(args.confidence !== undefined && { confidence: args.confidence }),
  ...(args.prediction_id != null && { predictionId: args.prediction_id }),
});

/** What the newest outcome changed in the agent's reading of itself. */
const judged = ({ evidence, coverage }: Settled, now: number): Pick<Vitals, 'calibration' | 'claims' | 'coverage'> => {
  const { calibration, claims } = viewEvidence(evidence, now);
  return { calibration, claims: claims.value, ...(coverage && { coverage }) };
};

const refuseContradiction = ({ field, against, message }: Contradiction) =>
  refuse('PARAMETER_ERROR', `${field}: ${message}. Report what happened: a failure as a failure.`, {
    details: {
      problems: [
        { field, message },
        { field: against, message },
      ],
    },
  });

const heldNote = ({ results, shortfall }: OthersReading): string =>
  `no bet was placed: ${results} results of other agents in the last hour fall short of their claims by ` +
  `${shortfall.toFixed(2)} on average, which looks like an outage`;

const told = (grade: CorroborationGrade) => ({ weight: GRADE_WEIGHT[grade], takes: GRADE_MEANING[grade] });

const SEMANTICS = {
  grades: {
    claim_only: told('claim_only'),
    self_report_with_refs: told('self_report_with_refs'),
    tool_observed: told('tool_observed'),
    substrate_observed: told('substrate_observed'),
    externally_verified: told('externally_verified'),
  },
  graded_from: GRADE_WEIGHT.tool_observed,
  graded: 'counts against claims and for calibration: seen by a tool at least, and bound to a reported confidence',
} as const;

/** The one next step, for an agent that is held or is so from now on. */
const stepOf = (
  head: AgentHead,
  pause: Pause | undefined,
  hold: Hold | undefined,
  now: number,
): { readonly next_step?: string } => {
  if (pause === undefined) return hold === undefined ? {} : { next_step: nextStep(head, hold).say };
  const after: AgentHead = { ...head, status: 'paused', pause };
  return { next_step: nextStep(after, { holder: after, pause, inherited: false, now }).say };
};

const RISK_OF_WEIGHT = (weight: number): 'high' | 'medium' | 'low' =>
  weight < 0.35 ? 'high' : weight < 0.65 ? 'medium' : 'low';

const replyOf = (row: OutcomeRow, settled: Settled, pause: Pause | undefined, now: number) => {
  const { claims, calibration } = viewEvidence(settled.evidence, now);
  return {
    outcome_id: row.outcomeId,
    outcome_type: row.type,
    outcome_score: row.score,
    is_bad: row.isBad,
    recorded_at: new Date(now).toISOString(),
    corroboration_grade: row.grade,
    evidence_weight: row.weight,
    claim_risk: RISK_OF_WEIGHT(row.weight),
    prediction_source: row.predictionSource,
    confidence: row.confidence,
    update: row.updateIndex,
    graded: row.graded,
    ...(!row.graded && { calibration_excluded: true as const }),
    claims,
    record: recordOf({ calibration }),
    coverage: readCoverage(settled.coverage, now),
    ...(row.detail['bet_held'] !== undefined && { bet_held: true as const }),
    ...(row.vitals
      ? { eisv_snapshot: { E: row.vitals.E, I: row.vitals.I, S: row.vitals.S, V: row.vitals.V } }
      : { snapshot_missing: true as const }),
    ...(settled.notes.length > 0 && { warnings: settled.notes }),
    ...(pause && {
      paused: true as const,
      pause: { reason: pause.reason, expires_at: pause.expires_at, actuation_id: pause.actuation_id },
    }),
  };
};
