import type { ErrorCode } from './errors.ts';

/** What a caller can do about a refusal: one sentence, and the tools that help. */
export interface Recovery {
  readonly action: string;
  readonly related_tools?: readonly string[];
  readonly workflow?: readonly string[];
}

/**
 * A typed refusal: everything that a caller can cause or must know (design, section 3.6). Refusals are values, never
 * thrown; exceptions are for bugs and lost infrastructure.
 */
export interface Refusal {
  readonly code: ErrorCode;
  /** One sentence for the caller: which field or state, which rule. Never a stack, a path or SQL. */
  readonly message: string;
  /** Facts that a program can read; spread at the top level of the wire error. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Seconds until a repeat makes sense; becomes the `Retry-After` header. */
  readonly retryAfterSeconds?: number;
  /** Overrides the catalogue's way out when this case has a better one. */
  readonly recovery?: Recovery;
}

/** Either a value or a typed refusal. */
export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

/** Builds a refusal; `rest` carries details, retry time or a better way out. */
export const refusal = (code: ErrorCode, message: string, rest: Omit<Refusal, 'code' | 'message'> = {}): Refusal => ({
  code,
  message,
  ...rest,
});

/** The same as a {@link Result}. */
export const refuse = (...said: Parameters<typeof refusal>): { readonly ok: false; readonly refusal: Refusal } => ({
  ok: false,
  refusal: refusal(...said),
});
