import type { ErrorCategory, ErrorCode } from './errors.ts';
import type { Recovery } from './result.ts';

/** The result of a tool that did its work: the payload's own keys stand at the top level. */
export interface SuccessEnvelope {
  readonly success: true;
  /** ISO 8601, UTC. */
  readonly server_time: string;
  /** Arguments that were understood as something else than what was sent, by name. */
  readonly normalized_parameters?: Readonly<Record<string, NormalizedParameter>>;
  /** Who the server took the caller for; only in full answers. */
  readonly agent_signature?: { readonly uuid: string | null; readonly identity_assurance?: string };
  readonly [key: string]: unknown;
}

/** The result of a tool that refused or failed; the refusal's details stand at the top level. */
export interface ErrorEnvelope {
  readonly success: false;
  /** One sentence for the caller. */
  readonly error: string;
  readonly server_time: string;
  readonly error_code: ErrorCode;
  readonly error_category: ErrorCategory;
  readonly recovery: Recovery;
  readonly retry_after_seconds?: number;
  readonly [key: string]: unknown;
}

/** One argument that breaks its rule. */
export interface FieldProblem {
  /** Path of the argument, like `recent_tool_results[0].tool`. */
  readonly field: string;
  /** The rule, as "must …". */
  readonly message: string;
  readonly type: 'missing' | 'type' | 'value' | 'range' | 'format' | 'unknown_key' | 'ambiguous' | 'rule';
  /** What was sent, as JSON, cut at 80 characters; absent when nothing was, or when it is a secret. */
  readonly given?: string;
  readonly valid_values?: readonly unknown[];
  readonly did_you_mean?: string;
}

/** How a value was understood. */
export interface NormalizedParameter {
  readonly from: unknown;
  readonly to: unknown;
  readonly interpretation: string;
}

/** A tool as clients are shown it. */
export interface ToolListing {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: Readonly<Record<string, unknown>>;
  /** What a success answers, beside the envelope; in the full list only, and made when it is read. */
  readonly outputSchema?: Readonly<Record<string, unknown>> | undefined;
  /** Absent: the tool may write. */
  readonly annotations?: Readonly<Record<string, unknown>>;
}
