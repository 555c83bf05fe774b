import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { hiddenArguments, wireSchema } from './wire-schema.ts';

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
