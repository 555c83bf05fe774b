import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { identityArguments, prose, wholeNumber, word } from './common.ts';

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
