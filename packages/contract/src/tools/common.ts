import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { readTime, TIME_RULE } from '../time.ts';

/** The session secret, accepted by every tool. A token proves only beside its agent_uuid, and a name never anything. */
export const identityArguments = {
  client_session_id: z.string().max(512).nullish().describe('Session secret from onboard'),
  agent_id: z.string().max(512).nullish().meta({ hidden: true }),
  continuity_token: z.string().max(4096).nullish().meta({ hidden: true }),
};

const bounded = (rule: string) => (value: number) => {
  if (!Number.isFinite(value)) return `must be a finite number (${rule})`;
  return value < 0 || value > 1 ? `must be between 0 and 1` : undefined;
};

/**
 * A number from 0 to 1, also as a numeric string; null counts as absent. NaN, infinities and anything outside the range
 * are refused by name (BW-checkin.08).
 */
export const unitInterval = (description: string) =>
  z
    .union([z.number(), z.string(), z.null()])
    .optional()
    .transform((value, context) => {
      if (value === undefined || value === null) return undefined;
      const number = typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value);
      const problem = bounded('0 to 1')(number);
      if (problem === undefined) return number;
      context.issues.push({ code: 'custom', message: problem, input: value });
      return z.NEVER;
    })
    .describe(description)
    .meta({ wire: { type: 'number', minimum: 0, maximum: 1 } });

/** A boolean, also as the words that shells and older clients send. */
export const flag = (description: string) =>
  z
    .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'yes', 'no']), z.null()])
    .optional()
    .transform((value) => (typeof value === 'string' ? ['true', '1', 'yes'].includes(value) : (value ?? undefined)))
    .describe(description)
    .meta({ wire: { type: 'boolean' } });

/** One of some words, in any case; null counts as absent. */
export const word = <const W extends readonly [string, ...string[]]>(words: W, description: string) =>
  z
    .preprocess((value) => (typeof value === 'string' ? value.trim().toLowerCase() : value), z.enum(words).nullish())
    .describe(description)
    .meta({ wire: { type: 'string', enum: words } });

/** A whole number in a range, also as a numeric string; null counts as absent. */
export const wholeNumber = (min: number, max: number, description: string) =>
  z
    .union([z.number(), z.string(), z.null()])
    .optional()
    .transform((value, context) => {
      if (value === undefined || value === null) return undefined;
      const number = typeof value === 'number' ? value : value.trim() === '' ? Number.NaN : Number(value);
      if (Number.isInteger(number) && number >= min && number <= max) return number;
      context.issues.push({ code: 'custom', message: `must be a whole number from ${min} to ${max}`, input: value });
      return z.NEVER;
    })
    .describe(description)
    .meta({ wire: { type: 'integer', minimum: min, maximum: max } });

/**
 * Free text: what is no text in it (U+0000, half of a character) is replaced and told, while in names, ids, tags and keys it
 * is refused, because they would name something else.
 */
export const prose = <T extends z.ZodType>(schema: T): T => schema.meta({ prose: true });

/** A time as {@link readTime} takes it; it stays the text that was sent. */
export const timeText = () => z.string().refine((text) => readTime(text) !== undefined, { message: TIME_RULE });

const BOUND = 4096;

/** A free value that is stored and never scored, up to 4 KB of JSON. */
export const boundedJson = <T extends z.ZodType>(schema: T) =>
  schema
    .refine((value) => value === undefined || value === null || JSON.stringify(value).length <= BOUND, {
      message: `must be at most ${BOUND} bytes of JSON`,
    })
    .optional()
    .meta({ hidden: true });

/** A time in an answer: ISO 8601, UTC. */
export const isoTime = z.iso.datetime();

/** The code of a refusal that stands inside of an answer. */
export const errorCode = z.enum(Object.keys(ERRORS) as ErrorCode[]);
