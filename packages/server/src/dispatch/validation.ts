import { refusal, type FieldProblem, type Refusal } from '@breakwater/contract';
import type { z } from 'zod';

import { nearest } from '../runtime/index.ts';
import { preview } from './preview.ts';

type Issue = z.core.$ZodIssue;
type Rule = Pick<FieldProblem, 'message' | 'type'> & { readonly valid?: readonly unknown[] };

/** More problems than this are counted, not shown. */
const MAX_PROBLEMS = 100;
/** Arguments whose value is never repeated, not even to the caller: answers are logged and stored. */
const SECRETS = new Set(['client_session_id', 'continuity_token']);

const KIND: Readonly<Record<string, string>> = {
  record: 'an object',
  object: 'an object',
  array: 'a list',
  int: 'a whole number',
};
const UNIT: Readonly<Record<string, string>> = { string: ' characters', array: ' items' };
const FORMAT: Readonly<Record<string, string>> = { uuid: 'a UUID' };

const kindOf = (expected: string): string => KIND[expected] ?? (expected === 'null' ? 'null' : `a ${expected}`);

const ruleOfUnion = (issue: Issue & { code: 'invalid_union' }): Rule => {
  const rules = issue.errors.flat().map(ruleOf);
  const valid = rules.flatMap((rule) => rule.valid ?? []);
  const parts = rules.map((rule) => rule.message.replace(/^must be /, ''));
  return {
    message: parts.length === 0 ? 'has no accepted form' : `must be ${[...new Set(parts)].join(', or ')}`,
    type: 'type',
    ...(valid.length > 0 && { valid }),
  };
};

/** The rule that an issue reports, in words; Zod's own are for programmers and differ from rule to rule. */
const ruleOf = (issue: Issue): Rule => {
  switch (issue.code) {
    case 'invalid_type':
      return { message: `must be ${kindOf(issue.expected)}`, type: 'type' };
    case 'invalid_value':
      return { message: `must be one of ${issue.values.map(String).join(', ')}`, type: 'value', valid: issue.values };
    case 'too_small':
      return { message: `must be at least ${issue.minimum}${UNIT[issue.origin] ?? ''}`, type: 'range' };
    case 'too_big':
      return { message: `must be at most ${issue.maximum}${UNIT[issue.origin] ?? ''}`, type: 'range' };
    case 'invalid_format':
      return { message: `must be ${FORMAT[issue.format] ?? `in the format ${issue.format}`}`, type: 'format' };
    case 'invalid_union':
      return ruleOfUnion(issue);
    case 'unrecognized_keys':
    case 'not_multiple_of':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return { message: issue.message, type: 'rule' };
  }
};

const valueAt = (args: unknown, path: readonly PropertyKey[]): unknown => {
  let value = args;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
};

const nameOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : name === '' ? String(key) : `${name}.${String(key)}`),
    '',
  );

/** One problem for each rule that is broken, in the order of the schema. */
export const problemsOf = (issues: readonly Issue[], args: unknown): FieldProblem[] =>
  issues.flatMap((issue) => {
    // The look at the input has told of them already, by name.
    if (issue.code === 'unrecognized_keys') return [];
    const field = nameOf(issue.path);
    const given = valueAt(args, issue.path);
    const { message, type, valid } = ruleOf(issue);
    const accepted = valid && { valid_values: valid };
    if (given === undefined) return { field, message: 'is required', type: 'missing', ...accepted };
    const words = (valid ?? []).filter((value) => typeof value === 'string');
    const [guess] = typeof given === 'string' ? nearest(given, words, 1) : [];
    return {
      field,
      message,
      type,
      ...(!SECRETS.has(field) && { given: preview(given) }),
      ...accepted,
      ...(guess !== undefined && { did_you_mean: guess }),
    };
  });

const sentence = ({ field, message }: FieldProblem): string => `${field} ${message}`;

/**
 * The one refusal for everything that is wrong with the arguments: MISSING_PARAMETER when nothing but required arguments
 * is missing, PARAMETER_ERROR otherwise; both name every problem (BW-dispatch.04).
 */
export const refuseArguments = (tool: string, problems: readonly FieldProblem[]): Refusal => {
  const missing = problems.filter(({ type, field }) => type === 'missing' && !/[.[]/.test(field));
  const onlyMissing = missing.length === problems.length;
  const code = onlyMissing ? 'MISSING_PARAMETER' : 'PARAMETER_ERROR';
  const shown = problems.slice(0, MAX_PROBLEMS);
  const summary = problems.slice(0, 3).map(sentence).join('; ');
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : '';
  const message = onlyMissing
    ? `Required and missing: ${missing.map(({ field }) => field).join(', ')}.`
    : `Invalid arguments: ${summary}${more}.`;
  return refusal(code, message, {
    details: {
      error_type: onlyMissing ? 'missing_parameter' : 'parameter_error',
      tool_name: tool,
      parameter: problems[0]?.field,
      ...(missing.length > 0 && { missing: missing.map(({ field }) => field) }),
      errors: shown,
      ...(problems.length > shown.length && { errors_omitted: problems.length - shown.length }),
    },
    recovery: {
      action: `Correct ${onlyMissing ? 'the call: add what is missing' : 'the named arguments'}; describe_tool shows the schema and an example.`,
      related_tools: ['describe_tool'],
    },
  });
};
