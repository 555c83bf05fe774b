import { z } from 'zod';

// What may stand in a query or in the path of an address. Each message follows the name of its field: '"limit" must be …'.

const MAX_TEXT = 200;

/** A form leaves a field empty that nobody has filled. */
const unlessEmpty = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema);

const line = (message: string, least: number, most: number) =>
  z
    .string({ error: message })
    .min(least, message)
    .max(most, message)
    // A control character is in no name, and one of them PostgreSQL cannot even read.
    .regex(/^\P{Cc}*$/u, message)
    .meta({ wire: { type: 'string' } });

/** A text of at most 200 characters, or nothing. */
export const text = (description = '') =>
  unlessEmpty(line(`must be one text of at most ${MAX_TEXT} characters, on one line`, 0, MAX_TEXT).optional()).meta({
    wire: { type: 'string', ...(description !== '' && { description }) },
  });

/** One of some words. */
export const oneOf = <const W extends readonly [string, ...string[]]>(words: W) =>
  z.enum(words, { error: `must be one of ${words.join(', ')}` });

export const optional = <T extends z.ZodType>(schema: T) => unlessEmpty(schema.optional());

export const withDefault = <const W extends readonly [string, ...string[]]>(words: W, usual: W[number]) =>
  unlessEmpty(oneOf(words).default(usual as never));

/** A whole number in a range, in digits alone. */
const whole = (from: number, to: number) => {
  const message = `must be a whole number from ${from} to ${to}`;
  return z
    .string({ error: message })
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .pipe(z.number().min(from, message).max(to, message));
};
const wireOf = (from: number, to: number) => ({ type: 'integer', minimum: from, maximum: to });

export const wholeNumber = (from: number, to: number) =>
  unlessEmpty(whole(from, to).optional()).meta({ wire: wireOf(from, to) });

/** The same with what it is when it is left out. */
export const wholeNumberOr = (usual: number, from: number, to: number) =>
  unlessEmpty(whole(from, to).default(usual)).meta({ wire: { ...wireOf(from, to), default: usual } });

/** The id of a path, as a list gave it. */
export const idParams = z.strictObject({
  id: line(`must have 1 to ${MAX_TEXT} characters, on one line`, 1, MAX_TEXT),
});

/** A query without any field. */
export const noQuery = z.strictObject({});
