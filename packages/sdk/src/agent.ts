import type { OutcomeType, ResponseMode, TaskType } from '@breakwater/contract';
import { credentialsOf, type AgentOptions } from './agent-options.ts';
import type { Credentials } from './credentials.ts';
import type { CallOptions, Client } from './client.ts';
import { IdentityDriftError, PausedError } from './errors.ts';
import { isObject, present, textOf, type Json } from './json.ts';
import { newKey } from './key.ts';
import { knowledgeOf, type Knowledge } from './knowledge.ts';
import { openIdentity, type Opened } from './onboarding.ts';
import { runLoop, type LoopOptions } from './loop.ts';
import {
  pauseOfRefusal,
  readCheckIn,
  readRecorded,
  readRecovery,
  readIdentity,
  readState,
  type AgentState,
  type CheckIn,
  type Pause,
  type RecordedResult,
  type RecoveryCheck,
  type ReviewList,
  type Identity,
} from './results.ts';
import { dialecticOf, type Dialectic, type ReviewFilter, type ReviewHandle, type ReviewRequest } from './review.ts';
import type { AnyTool, ToolAnswer, ToolArguments, ToolName } from './tools.ts';

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
export interface CheckInReport {
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
  /** Lifts the pause with a written reflection, where that is open. */
  reflect(said: {
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
  readonly selfRecovery: SelfRecovery;
  readonly #dialectic: Dialectic;
  readonly #options: AgentOptions;
  #credentials: Credentials;
  #pause: Pause | null;

  private constructor(options: AgentOptions, { credentials, identity, isNew }: Opened) {
    this.client = options.client;
    this.isNew = isNew;
    this.#options = options;
    this.#credentials = credentials;
    this.#pause = identity.pause;
    this.knowledge = knowledgeOf((args) => this.call('knowledge', args));
    this.#dialectic = dialecticOf((args) => this.call('dialectic', args));
    this.selfRecovery = {
      check: async () => readRecovery(await this.call('self_recovery', { action: 'check' })),
      quick: (reason) => this.#recover({ action: 'quick', reason }),
      reflect: ({ reflection, rootCause, conditions }) =>
        this.#recover({
          action: 'review',
          reflection,
          root_cause: rootCause,
          conditions: conditions && [...conditions],
        }),
    };
  }

  /**
   * Opens the agent of the stored credentials, or registers a new one; see `AgentOptions`.
   * @throws {CredentialsError} The store cannot be read or written, or has none and `onMissing` is `'fail'`.
   * @throws {IdentityRefusedError} The credentials no longer prove the agent, and `onLost` is `'fail'`.
   * @throws {ApiError} The server refused, with AGENT_ARCHIVED when the agent is archived and `onArchived` is `'fail'`.
   * @example
   * const agent = await Agent.open({ client, name: 'ada', credentials: fileCredentials('.ada.json') });
   */
  static async open(options: AgentOptions): Promise<Agent> {
    return new Agent(options, await openIdentity(options));
  }

  /** Its id, which never changes. */
  get agentId(): string {
    return this.#credentials.agentId;
  }

  get name(): string {
    return this.#options.name;
  }

  /** What it needs to be opened again; they hold its secrets. */
  get credentials(): Credentials {
    return this.#credentials;
  }

  /** The pause that the last answer told of; null: none did. */
  get pause(): Pause | null {
    return this.#pause;
  }

  /**
   * Reports work and asks whether to carry on. The answer may say `paused`; one that is paused already is refused with a
   * `PausedError`.
   */
  async checkIn(report: CheckInReport, options?: CallOptions): Promise<CheckIn> {
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

  /** Asks which agent the server takes it for. The answer brings a fresh continuity token, which is kept. */
  async identity(options?: CallOptions): Promise<Identity> {
    const identity = readIdentity(await this.#own('identity', {}, options));
    const credentials = credentialsOf(identity, this.#credentials);
    if (credentials !== undefined) {
      this.#credentials = credentials;
      await this.#options.credentials?.save(credentials);
    }
    return identity;
  }

  /** Asks for a review of its pause; the handle carries it on. */
  requestReview(request: ReviewRequest): Promise<ReviewHandle> {
    return this.#dialectic.request(request);
  }

  /** The review of this id, as its subject or its reviewer; nothing is sent before the first call of the handle. */
  review(sessionId: string): ReviewHandle {
    return this.#dialectic.of(sessionId);
  }

  /** Lists the reviews that the agent may see. */
  reviews(filter?: ReviewFilter): Promise<ReviewList> {
    return this.#dialectic.list(filter);
  }

  /** Calls any tool, as this agent. */
  async call<N extends AnyTool, const A extends ToolArguments<N>>(
    tool: N,
    args: A,
    options?: CallOptions,
  ): Promise<ToolAnswer<N, A>> {
    const signed = { ...args, client_session_id: this.#credentials.clientSessionId };
    try {
      return await this.client.call<N, A>(tool, signed, options);
    } catch (error) {
      if (error instanceof PausedError) this.#pause = pauseOfRefusal(error.details);
      throw error;
    }
  }

  /** Works in turns until the signal ends it; resolves with the report that could not be delivered any more. See `LoopOptions`. */
  runLoop(options: LoopOptions): Promise<CheckInReport | undefined> {
    return runLoop(this, options);
  }

  /** A call whose answer is about this agent, and nobody else. */
  async #own(tool: ToolName, args: Json, options?: CallOptions): Promise<Json> {
    const raw = await this.call<string, Json>(tool, args, options);
    const who = whoOf(raw);
    if (who !== null && who !== this.agentId) throw new IdentityDriftError(this.agentId, who);
    return raw;
  }

  async #recover(args: ToolArguments<'self_recovery'>): Promise<Json> {
    const raw = await this.call('self_recovery', args);
    this.#pause = null;
    return raw;
  }
}
