import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { identityArguments, isoTime, prose, wholeNumber, word } from './common.ts';

const inForce = z.object({
  key: z.string(),
  value: z.string(),
  origin: z.enum(['environment', 'postgres', 'default']).describe('Where the value in force comes from'),
});

const flagView = inForce.extend({
  default: z.string(),
  values: z.array(z.string()).describe('The legal values'),
  description: z.string(),
  stored: z
    .object({ value: z.unknown(), by: z.string(), reason: z.string().nullable() })
    .nullable()
    .describe('The value in PostgreSQL, who set it and why'),
});

const flagChange = z.object({
  key: z.string(),
  from: z.unknown().describe('null: nothing was stored'),
  to: z.unknown(),
  at: isoTime,
  by: z.string(),
  reason: z.string(),
});

const name = z.string().max(128).nullish();

export const flags = toolSpec({
  name: 'flags',
  category: 'admin',
  description:
    'Switches of the server, for operators: list, get, set, history. A value set is in force at once on every node.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['list', 'get', 'set', 'history'], 'list by default'),
    key: name.describe('get, set: the flag; history: of this flag alone'),
    value: name.describe('set: one of its legal values; list shows them'),
    reason: prose(z.string().trim().max(500).nullish().describe('set: why; it stands in the history')),
    limit: wholeNumber(1, 200, 'history: how many changes, 20 by default'),
  }),
  defaultAction: 'list',
  actions: {
    list: { readOnly: true, output: z.object({ flags: z.array(flagView) }) },
    get: { needs: ['key'], readOnly: true, output: z.object({ flag: flagView }) },
    set: {
      by: 'acting operator',
      needs: ['key', 'value', 'reason'],
      output: z.object({
        stored: z.unknown(),
        in_force: inForce,
        warning: z.string().optional().describe('Why the stored value is not the one in force'),
      }),
    },
    history: { readOnly: true, output: z.object({ changes: z.array(flagChange).describe('The newest first') }) },
  },
  identity: 'operator',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { op: 'action', name: 'key', flag: 'key' },
  example: { action: 'set', key: 'identity_strict_mode', value: 'enforce', reason: 'All clients send their secret' },
  examples: {
    list: { arguments: {}, operator: true },
    get: { arguments: { key: 'claims_review' }, operator: true },
    set: {
      arguments: { key: 'claims_review', value: 'operator', reason: 'People look at every pause' },
      operator: true,
    },
    history: { arguments: { key: 'claims_review', limit: 5 }, operator: true },
  },
  errors: ['MISSING_PARAMETER', 'OPERATOR_REQUIRED', 'PARAMETER_ERROR', 'STORAGE_UNAVAILABLE'],
});
