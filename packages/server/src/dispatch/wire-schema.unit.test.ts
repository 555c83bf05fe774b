import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { specOf } from './testing/dispatch.ts';
import { hiddenArguments, outputSchema, wireSchema } from './wire-schema.ts';

describe('the schema that clients are shown', () => {
  const input = z.looseObject({
    id: z.uuid().nullish().describe('An id'),
    level: z
      .union([z.number(), z.string()])
      .optional()
      .describe('A level')
      .meta({ wire: { type: 'number' } }),
    mode: z.enum(['a', 'b']).default('a'),
    secret: z.string().optional().meta({ hidden: true }),
    items: z.array(z.strictObject({ n: z.int(), gone: z.string().optional().meta({ hidden: true }) })).nullish(),
    must: z.string().min(1).max(9),
  });

  it('hides what is marked, shows the wire form, and carries no noise', () => {
    expect(wireSchema(input)).toEqual({
      type: 'object',
      properties: {
        id: { description: 'An id', type: 'string', format: 'uuid' },
        level: { type: 'number', description: 'A level' },
        mode: { default: 'a', type: 'string', enum: ['a', 'b'] },
        items: {
          type: 'array',
          items: {
            type: 'object',
            properties: { n: { type: 'integer' } },
            required: ['n'],
            additionalProperties: false,
          },
        },
        must: { type: 'string' },
      },
      required: ['must'],
    });
  });

  it('names what it hides', () => {
    expect(hiddenArguments(input)).toEqual(['secret']);
  });
});

describe('the schema of an answer', () => {
  const found = z.object({ n: z.int(), at: z.iso.datetime().nullable(), note: z.string().optional() });
  const FOUND = {
    type: 'object',
    properties: {
      n: { type: 'integer' },
      at: { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] },
      note: { type: 'string' },
    },
    required: ['n', 'at'],
  };
  const gone = z.object({ gone: z.literal(true) });
  const GONE = { type: 'object', properties: { gone: { type: 'boolean', const: true } }, required: ['gone'] };

  it('says what is always there, what may be null, and lets an answer have more', () => {
    expect(outputSchema({ ...specOf({ name: 'find' }), output: found })).toEqual(FOUND);
  });

  it('has an object at its root, as MCP wants it, also where the answer is one of several', () => {
    const either = { type: 'object', anyOf: [FOUND, GONE] };
    expect(outputSchema({ ...specOf({ name: 'find' }), output: z.union([found, gone]) })).toEqual(either);
  });

  it('is that of any action that answers, or of the one that is asked for', () => {
    const spec = {
      ...specOf({ name: 'find' }),
      actions: { get: { output: found }, drop: { output: gone }, never: { output: z.never() } },
    };
    expect(outputSchema(spec)).toEqual({ type: 'object', anyOf: [FOUND, GONE] });
    expect(outputSchema(spec, 'drop')).toEqual(GONE);
    expect(outputSchema(spec, 'never')).toBeUndefined();
  });

  it('is none where the contract says nothing', () => {
    expect(outputSchema(specOf({ name: 'find' }))).toBeUndefined();
  });
});
