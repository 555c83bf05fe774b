import { refuse, type Refusal } from '@breakwater/contract';
import type { z } from 'zod';
import { nearest } from '../runtime/index.ts';
import type { Arguments } from './arguments.ts';

interface FieldError {
  readonly field: string;
  readonly message: string;
  readonly type: 'missing' | 'invalid';
  readonly given?: unknown;
  readonly valid_values?: readonly unknown[];
  readonly did_you_mean?: string;
}

const MOST_SHOWN = 80;

/** What the caller sent, short enough to repeat; numbers that JSON cannot hold as words. */
const shown = (value: unknown): unknown => {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'boolean' || value === null) return value;
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
};

const at = (args: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    args,
  );

const fieldError = (issue: z.core.$ZodIssue, args: Arguments): FieldError => {
  const field = issue.path.map(String).join('.') || 'arguments';
  const given = at(args, issue.path);
  if (given === undefined && issue.path.length > 0) return { field, message: 'is required', type: 'missing' };
  const values = issue.code === 'invalid_value' ? issue.values : undefined;
  const guess =
    values !== undefined && typeof given === 'string' ? nearest(given, values.map(String), 1)[0] : undefined;
  return {
    field,
    message: values === undefined ? issue.message : `must be one of ${values.map(String).join(', ')}`,
    type: 'invalid',
    given: shown(given),
    ...(values !== undefined && { valid_values: values }),
    ...(guess !== undefined && { did_you_mean: guess }),
  };
};

/**
 * One refusal for everything that is wrong with the arguments (BW-dispatch.04): MISSING_PARAMETER when something is
 * only missing, else PARAMETER_ERROR; each field with its rule and what was given.
 */
export const invalidArguments = (tool: string, error: z.core.$ZodError, args: Arguments): Refusal => {
  const errors = error.issues.map((issue) => fieldError(issue, args));
  const missing = errors.filter(({ type }) => type === 'missing').map(({ field }) => field);
  const details = { tool_name: tool, parameter: errors[0]?.field, errors };
  if (missing.length === errors.length) {
    return refuse('MISSING_PARAMETER', `Missing: ${missing.join(', ')}.`, { details: { ...details, missing } }).refusal;
  }
  const said = errors.map(({ field, message }) => `${field} ${message}`).join('; ');
  return refuse('PARAMETER_ERROR', `${said}.`, { details }).refusal;
};
