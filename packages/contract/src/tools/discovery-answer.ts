import { z } from 'zod';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { TOOL_CATEGORIES } from '../tool-spec.ts';

const identityNeed = z.enum(['open', 'required', 'operator']);
const names = z.array(z.string());
const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]).meta({ id: 'ErrorCode' });

// A JSON schema, and arguments of a tool: what is in them is the tool's own.
const open = z.record(z.string(), z.unknown());

const entry = z.object({
  name: z.string().describe('The name to call it by'),
  tool: z.string().optional().describe('The canonical name, where it is another one'),
  description: z.string(),
  identity: identityNeed.optional().describe('This and what follows: with verbose'),
  read_only: z.boolean().optional(),
  timeout_ms: z.int().positive().optional(),
  aliases: names.optional(),
});

/** `list_tools`. */
export const toolList = z.object({
  workflow: z.array(z.object({ call: z.string(), when: z.string() })).describe('The order to use the tools in'),
  categories: z.partialRecord(z.enum(TOOL_CATEGORIES), z.array(entry)),
  shown: z.int().nonnegative(),
  total_available: z.int().positive(),
  hint: z.string(),
});

const exampleFacts = {
  needs: z.literal('an operator credential').optional(),
  refused_with: errorCode.optional().describe('It is refused whatever it sends'),
};
const example = z.object({ name: z.string(), arguments: open, ...exampleFacts });

const whole = z.object({
  name: z.string(),
  tool: z.string().describe('The canonical name'),
  category: z.enum(TOOL_CATEGORIES),
  description: z.string(),
  identity: identityNeed,
  read_only: z.boolean(),
  timeout_ms: z.int().positive(),
  input_schema: open,
  output_schema: open.optional().describe('Of what a success answers, beside success and server_time'),
  required: names,
  defaults: open.describe('By argument'),
  also_accepted: names.describe('Arguments that input_schema leaves out'),
  argument_aliases: z.record(z.string(), z.string()).describe('Other name to canonical name'),
  aliases: names,
  sets: open.optional().describe('Arguments that this name sets'),
  errors: z.partialRecord(errorCode, z.string()).describe('What a call may be refused with, and when'),
  example,
  examples: z
    .record(z.string(), z.object({ arguments: open, ...exampleFacts }))
    .optional()
    .describe('By action'),
});

const brief = z.object({
  name: z.string(),
  tool: z.string(),
  description: z.string(),
  required: names,
  example,
  arguments: open.describe('The type of each, or its words'),
});

/** `describe_tool`. */
export const toolDescription = z.union([whole, brief.describe('With lite')]);
