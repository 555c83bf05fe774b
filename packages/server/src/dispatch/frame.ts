import type { FieldProblem, NormalizedParameter } from '@breakwater/contract';
import type { Caller, Evidence, Trace } from '../runtime/index.ts';
import type { Target } from './registry.ts';

/** One call of a tool, as a transport hands it down. */
export interface DispatchRequest {
  readonly name: string;
  readonly args: unknown;
  readonly evidence: Evidence;
  readonly transport: 'rest' | 'mcp';
  readonly requestId?: string;
  /** Where the boundary crossings of the call are shown. */
  readonly trace?: Trace;
}

export type Arguments = Record<string, unknown>;

/** A call on its way through the chain: each step reads what the steps before it found, and adds its own. */
export interface Frame {
  readonly request: DispatchRequest;
  /** Clock time in ms. */
  readonly receivedAt: number;
  name: string;
  args: Arguments;
  /** What `name` stands for; set by the step `resolve name`. */
  target: Target | undefined;
  /** Clock time in ms after which nothing of this call may start. */
  deadline: number;
  /** Problems found before the schema was asked; reported together with the schema's. */
  readonly problems: FieldProblem[];
  normalized: Record<string, NormalizedParameter> | undefined;
  /** What was sent beside the declared arguments to a tool that takes any; undefined when there is nothing. */
  unknownArguments: Arguments | undefined;
  caller: Caller | undefined;
  evidence: Evidence;
  /** The deadline passed and the caller was told: what comes later is discarded, and nothing more may start. */
  expired: boolean;
}

/** Throws when a step runs before the one that it needs: a bug in the order of the chain. */
export const known = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`The chain is out of order: no ${what} yet`);
  return value;
};
