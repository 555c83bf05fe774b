import type { ToolSpec } from '@breakwater/contract';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { actionOf } from '../../runtime/index.ts';

type Payload = Readonly<Record<string, unknown>>;

/** What the contract says a call answers: of the tool, or of the action that the call names. */
const outputOf = (spec: ToolSpec, args: Payload): z.ZodType | undefined => {
  const action = actionOf(spec, args);
  return action === undefined ? spec.output : spec.actions?.[action]?.output;
};

/** As a client reads it: what JSON has no word for is gone. */
const onTheWire = (payload: Payload): unknown => JSON.parse(JSON.stringify(payload));

/** Paths at which one value has what the other lacks, or something else. */
const differences = (sent: unknown, read: unknown, path: string): string[] => {
  if (isDeepStrictEqual(sent, read)) return [];
  if (typeof sent !== 'object' || typeof read !== 'object' || sent === null || read === null) return [path];
  return Object.keys(sent).flatMap((key) =>
    differences(sent[key as keyof typeof sent], read[key as keyof typeof read], path === '' ? key : `${path}.${key}`),
  );
};

/**
 * What is wrong with an answer by the contract, or undefined: a field that is missing or of another type, and one that the
 * contract does not name, which no client would know of.
 */
export const answerProblem = (spec: ToolSpec, args: Payload, payload: Payload): string | undefined => {
  const output = outputOf(spec, args);
  return output === undefined ? undefined : problemWith(output, onTheWire(payload));
};

/** The same of an answer that was sent, by its schema. */
export const problemWith = (output: z.ZodType, sent: unknown): string | undefined => {
  const parsed = output.safeParse(sent);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(answer)'}: ${message}`).join('; ');
  }
  const unnamed = differences(sent, parsed.data, '');
  return unnamed.length === 0 ? undefined : `not in the contract: ${unnamed.join(', ')}`;
};
