import type { ErrorCategory, ErrorCode, Recovery } from '@breakwater/contract';

/** A code of the catalogue, or one that a newer server, a proxy or the protocol brought. */
export type RefusalCode = ErrorCode | (string & {});

/** Everything that this package throws on purpose. */
export class BreakwaterError extends Error {
  override readonly name: string = 'BreakwaterError';
}

/** What a refusal says; only `code` and `message` are always there. */
export interface RefusalFacts {
  readonly code: RefusalCode;
  readonly message: string;
  readonly tool?: string | undefined;
  readonly category?: ErrorCategory | undefined;
  /** The way out, in words and tools; `expires_at` of a pause stands here, too. */
  readonly recovery?: (Recovery & Readonly<Record<string, unknown>>) | undefined;
  /** Seconds until a repeat makes sense; only where the server said so. */
  readonly retryAfterSeconds?: number | undefined;
  /** HTTP status; undefined over MCP. */
  readonly status?: number | undefined;
  /** The whole refusal, as it came. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The server, or something before it, said no. It is never repeated by this package (W3-3.17): the same call would get the
 * same answer, and what to do instead stands in `recovery`.
 */
export class ApiError extends BreakwaterError {
  override readonly name: string = 'RefusedError';
  readonly code: RefusalCode;
  readonly tool: string | undefined;
  readonly category: ErrorCategory | undefined;
  readonly recovery: RefusalFacts['recovery'];
  readonly retryAfterSeconds: number | undefined;
  readonly status: number | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(facts: RefusalFacts) {
    super(facts.message);
    this.code = facts.code;
    this.tool = facts.tool;
    this.category = facts.category;
    this.recovery = facts.recovery;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.status = facts.status;
    this.details = facts.details ?? {};
  }
}

/** The circuit breaker holds the agent: stop acting. `recovery.expires_at` says until when; null: until a person ends it. */
export class PausedError extends ApiError {
  override readonly name = 'PausedError';
}

/** The call proved nobody, or what it brought does not hold. Onboarding anew is not the answer: that makes another agent. */
export class IdentityRefusedError extends ApiError {
  override readonly name = 'IdentityRefusedError';
}

/** Too much, too fast, or in circles: wait for `retryAfterSeconds`. */
export class RateLimitedError extends ApiError {
  override readonly name = 'RateLimitedError';
}

/** The server cannot serve at the moment (the 503 contract), and could not after `Retry-After` either; nothing was done. */
export class UnavailableError extends BreakwaterError {
  override readonly name = 'UnavailableError';
  /** How long to wait before the next try, from 0 to 30. */
  readonly retryAfterSeconds: number;
  readonly reason: string;

  constructor(retryAfterSeconds: number, reason: string) {
    super(`The server is unavailable (${reason}); try again in ${retryAfterSeconds} s.`);
    this.retryAfterSeconds = retryAfterSeconds;
    this.reason = reason;
  }
}

/** No answer came: the connection failed or broke. */
export class UnreachableError extends BreakwaterError {
  override readonly name: string = 'UnreachableError';
  /** False: the call never left. True: nobody knows what became of it. */
  readonly mayHaveTakenEffect: boolean;

  constructor(message: string, options: ErrorOptions & { readonly mayHaveTakenEffect?: boolean } = {}) {
    super(message, options);
    this.mayHaveTakenEffect = options.mayHaveTakenEffect ?? true;
  }
}

/** No answer came in time; nobody knows what became of the call. */
export class CallTimeoutError extends UnreachableError {
  override readonly name = 'CallTimeoutError';
}

/** An answer came that cannot be read. It is never taken for a yes. */
export class ProtocolError extends BreakwaterError {
  override readonly name = 'ProtocolError';
  /** The answer as far as it was read. */
  readonly answer: unknown;

  constructor(message: string, answer: unknown) {
    super(message);
    this.answer = answer;
  }
}

/** The server takes this agent for another one than it has been; nothing more must be done in its name. */
export class IdentityDriftError extends BreakwaterError {
  override readonly name = 'IdentityDriftError';
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`This agent is ${expected}, and the server took it for ${actual}.`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** The anchor is missing where it must be there, cannot be read or written, or holds something else. */
export class CredentialsError extends BreakwaterError {
  override readonly name = 'AnchorError';
}

const IDENTITY_CODES: ReadonlySet<string> = new Set([
  'BARE_UUID_RESUME_DENIED',
  'CONTINUITY_TOKEN_RESUME_RETIRED',
  'IDENTITY_CONFLICT',
  'IDENTITY_REQUIRED',
  'LINEAGE_DECLARATION_REQUIRED',
  'SESSION_UNKNOWN',
  'STRONG_IDENTITY_REQUIRED',
  'SUBSTRATE_REQUIRES_SOCKET',
] satisfies ErrorCode[]);

const RATE_CODES: ReadonlySet<string> = new Set(['LOOP_DETECTED', 'RATE_LIMIT_EXCEEDED'] satisfies ErrorCode[]);

/** The refusal as the class that its code asks for. */
export const refusedError = (facts: RefusalFacts): ApiError => {
  if (facts.code === 'AGENT_PAUSED') return new PausedError(facts);
  if (IDENTITY_CODES.has(facts.code)) return new IdentityRefusedError(facts);
  if (RATE_CODES.has(facts.code) || facts.status === 429) return new RateLimitedError(facts);
  return new ApiError(facts);
};
