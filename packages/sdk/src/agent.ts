import type { OutcomeType, ResponseMode, TaskType } from '@breakwater/contract';
import { anchorOfStanding, type AgentOptions } from './agent-options.ts';
import type { Anchor } from './anchor.ts';
import type { CallOptions, Client } from './client.ts';
import { IdentityDriftError, PausedError } from './errors.ts';
import { isObject, present, textOf, type Json } from './json.ts';
import { newKey } from './key.ts';
import { knowledgeOf, type Knowledge } from './knowledge.ts';
import { openIdentity, type Opened } from './onboarding.ts';
import { runResident, type Resident } from './resident.ts';
import {
  pauseOfRefusal,
  readCheckIn,
  readRecorded,
  readRecovery,
  readStanding,
  readState,
  type AgentState,
  type CheckIn,
  type Pause,
  type RecordedResult,
  type RecoveryCheck,
  type Standing,
} from './results.ts';
import { reviewsOf, type Reviews } from './review.ts';
import type { AnyTool, ToolArguments, ToolName } from './tools.ts';

/** A tool that ran since the last check-in. */
export interface ToolRun {
  /** 64 characters at most. */
  readonly tool: string;
  /** 512 characters at most. */
  readonly summary: string;
  readonly kind?: 'test' | 'lint' | 'build' | 'file_op' | 'command' | 'tool_call';
  readonly exitCode?: number;
  readonly isBad?: boolean;
  readonly error?: string;
  readonly predictionId?: string;
}

/** What an agent reports. */
export interface Report {
  /** What was done, up to 50,000 characters. */
  readonly text: string;
  /** From 0 to 1: how sure it is that this is right. Results are held against it; leave it out when nothing is claimed. */
  readonly confidence?: number;
  /** From 0 to 1, or a word such as `low`, `medium`, `high`. */
  readonly complexity?: number | string;
  readonly taskType?: TaskType;
  /** 50 at most. */
  readonly toolRuns?: readonly ToolRun[];
  readonly responseMode?: ResponseMode;
  /** Made up when absent: with the same key the server takes the report once, however often it comes. */
  readonly idempotencyKey?: string;
}

/** What came of the work. */
export interface ResultReport {
  readonly outcome: OutcomeType;
  /** Of the check-in that claimed it. */
  readonly predictionId?: string | null;
  /** What shows it, such as `{ command: 'npm test', exit_code: 1 }`; words alone weigh nothing. */
  readonly evidence?: Json;
  /** From 0 to 1. */
  readonly score?: number;
  readonly isBad?: boolean;
  /** Made up when absent. */
  readonly idempotencyKey?: string;
}

/** What an agent may do about its own pause. */
export interface SelfRecovery {
  check(): Promise<RecoveryCheck>;
  quick(reason?: string): Promise<Json>;
  review(said: {
    readonly reflection: string;
    readonly rootCause?: string;
    readonly conditions?: readonly string[];
  }): Promise<Json>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const toWire = ({ tool, summary, kind, exitCode, isBad, error, predictionId }: ToolRun): Json =>
  present({ tool, summary, kind, exit_code: exitCode, is_bad: isBad, error, prediction_id: predictionId });

/** Which agent an answer about oneself is about. */
const whoOf = (raw: Json): string | null => {
  const signature = raw['agent_signature'];
  const told = textOf(raw['uuid']) ?? textOf(raw['agent_uuid']) ?? textOf(raw['agent_id']);
  const who = isObject(signature) ? textOf(signature['uuid']) : told;
  return who !== null && UUID.test(who) ? who : null;
};

/**
 * One agent: who it is, and everything it does here. Every call of it carries its secret, so that many agents may share a
 * client. An answer that is about another agent is an `IdentityDriftError` (BW-sdk.03).
 */
export class Agent {
  readonly client: Client;
  /** Made by `open`, and not known before. */
  readonly isNew: boolean;
  /** Findings of the fleet. */
  readonly knowledge: Knowledge;
  readonly review: Reviews;
  readonly selfRecovery: SelfRecovery;
  readonly #options: AgentOptions;
  #anchor: Anchor;
  #pause: Pause | null;

  private constructor(options: AgentOptions, { anchor, standing, isNew }: Opened) {
    this.client = options.client;
    this.isNew = isNew;
    this.#options = options;
    this.#anchor = anchor;
    this.#pause = standing.pause;
    this.knowledge = knowledgeOf((args) => this.call('knowledge', args));
    this.review = reviewsOf((args) => this.call('dialectic', args));
    this.selfRecovery = {
      check: async () => readRecovery(await this.call('self_recovery', { action: 'check' })),
      quick: (reason) => this.#recover({ action: 'quick', reason }),
      review: ({ reflection, rootCause, conditions }) =>
        this.#recover({
          action: 'review',
          reflection,
          root_cause: rootCause,
          conditions: conditions && [...conditions],
        }),
    };
  }

  /** Opens the agent of the anchor, or onboards a new one; see `AgentOptions` for what may be asked of it. */
  static async open(options: AgentOptions): Promise<Agent> {
    return new Agent(options, await openIdentity(options));
  }

  /** Who it is, for ever. */
  get uuid(): string {
    return this.#anchor.agentUuid;
  }

  get name(): string {
    return this.#options.name;
  }

  /** What it needs to be opened again; it holds its secrets. */
  get anchor(): Anchor {
    return this.#anchor;
  }

  /** The pause that the last answer told of; null: none did. */
  get pause(): Pause | null {
    return this.#pause;
  }

  /**
   * Reports work and asks whether to carry on. The answer may say `paused`; one that is paused already is refused with a
   * `PausedError`.
   */
  async checkIn(report: Report, options?: CallOptions): Promise<CheckIn> {
    const { text, confidence, complexity, taskType, toolRuns, responseMode, idempotencyKey } = report;
    const args = present({
      response_text: text,
      confidence,
      complexity,
      task_type: taskType,
      recent_tool_results: toolRuns?.map(toWire),
      response_mode: responseMode,
      idempotency_key: idempotencyKey ?? newKey(),
    });
    const checkIn = readCheckIn(await this.#own('sync_state', args, options));
    this.#pause = checkIn.paused
      ? (checkIn.pause ?? { reason: checkIn.reason, pausedAt: null, expiresAt: null })
      : null;
    return checkIn;
  }

  /** Records what came of the work; a paused agent may do so, too. */
  async recordResult(report: ResultReport, options?: CallOptions): Promise<RecordedResult> {
    const { outcome, predictionId, evidence, score, isBad, idempotencyKey } = report;
    const args = present({
      outcome_type: outcome,
      prediction_id: predictionId ?? undefined,
      detail: evidence,
      outcome_score: score,
      is_bad: isBad,
      idempotency_key: idempotencyKey ?? newKey(),
    });
    const recorded = readRecorded(await this.#own('record_result', args, options));
    if (recorded.paused) this.#pause = recorded.pause ?? { reason: null, pausedAt: null, expiresAt: null };
    return recorded;
  }

  /** How it stands: paused or not, verdict, risk. */
  async state(options?: CallOptions): Promise<AgentState> {
    const state = readState(await this.#own('check_working_state', {}, options));
    this.#pause = state.paused ? (state.pause ?? { reason: null, pausedAt: null, expiresAt: null }) : null;
    return state;
  }

  /** Who the server takes it for. Brings a fresh continuity token, which is kept in the anchor. */
  async identity(options?: CallOptions): Promise<Standing> {
    const standing = readStanding(await this.#own('identity', {}, options));
    const anchor = anchorOfStanding(standing, this.#anchor);
    if (anchor !== undefined) {
      this.#anchor = anchor;
      await this.#options.anchor?.save(anchor);
    }
    return standing;
  }

  /** Any tool, as this agent. */
  async call<N extends AnyTool>(tool: N, args: ToolArguments<N>, options?: CallOptions): Promise<Json> {
    const signed = { ...args, client_session_id: this.#anchor.clientSessionId } as ToolArguments<N>;
    try {
      return await this.client.call(tool, signed, options);
    } catch (error) {
      if (error instanceof PausedError) this.#pause = pauseOfRefusal(error.details);
      throw error;
    }
  }

  /** Works in turns until the signal ends it; gives the report that could not be delivered any more. See `Resident`. */
  runForever(resident: Resident): Promise<Report | undefined> {
    return runResident(this, resident);
  }

  /** A call whose answer is about this agent, and nobody else. */
  async #own(tool: ToolName, args: Json, options?: CallOptions): Promise<Json> {
    const raw = await this.call<string>(tool, args, options);
    const who = whoOf(raw);
    if (who !== null && who !== this.uuid) throw new IdentityDriftError(this.uuid, who);
    return raw;
  }

  async #recover(args: ToolArguments<'self_recovery'>): Promise<Json> {
    const raw = await this.call('self_recovery', args);
    this.#pause = null;
    return raw;
  }
}
