import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { flag, identityArguments, isoTime, prose, word } from './common.ts';

const reason = prose(z.string().trim().max(500).nullish());

const sagaView = z.object({
  saga_id: z.uuid(),
  session_id: z.string(),
  paused_agent_id: z.string(),
  reviewer_agent_id: z.string().nullable(),
  state: z.string(),
  dead_letter: z.boolean().describe('It was given up, and waits for an operator'),
  attempts: z.int(),
  created_at: isoTime,
  dead_letter_at: isoTime.nullable(),
  last_error: z.string().nullable(),
});

const operatorView = z.object({
  name: z.string(),
  scopes: z.array(z.string()),
  state: z.string(),
  created_at: isoTime,
  expires_at: isoTime.nullable(),
  last_seen_at: isoTime.nullable(),
  revoked_at: isoTime.nullable(),
});

export const saga = toolSpec({
  name: 'saga',
  category: 'admin',
  description: 'Resolutions that are being carried out, for operators: list, and retry or revert what was given up.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['list', 'retry', 'revert'], 'list by default'),
    saga_id: z.string().max(64).nullish().describe('retry, revert: the saga; list shows it'),
    all: flag('list: also the newest that have ended'),
    reason: reason.describe('retry, revert: why; it stands in the audit trail'),
    force: flag('revert: also one that was not given up').meta({ hidden: true }),
  }),
  defaultAction: 'list',
  actions: {
    list: { readOnly: true, output: z.object({ sagas: z.array(sagaView) }) },
    retry: {
      by: 'acting operator',
      needs: ['saga_id', 'reason'],
      output: z.object({ message: z.string(), saga: sagaView }),
    },
    revert: {
      by: 'acting operator',
      needs: ['saga_id', 'reason'],
      output: z.object({ message: z.string(), saga: sagaView, ended_session: z.boolean() }),
    },
  },
  identity: 'operator',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { op: 'action' },
  example: { action: 'list', all: true },
  examples: {
    list: { arguments: { all: true }, operator: true },
    retry: { arguments: { saga_id: '<from list>', reason: 'The database is back' }, operator: true },
    revert: { arguments: { saga_id: '<from list>', reason: 'It shall not be carried out' }, operator: true },
  },
  errors: [
    'INVALID_PHASE',
    'MISSING_PARAMETER',
    'OPERATOR_REQUIRED',
    'PARAMETER_ERROR',
    'SAGA_IN_FLIGHT',
    'STORAGE_UNAVAILABLE',
  ],
});

export const operators = toolSpec({
  name: 'operators',
  category: 'admin',
  description: 'Operator credentials, for operators: list, and revoke one by its name, at once on every node.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['list', 'revoke'], 'list by default'),
    name: z.string().max(128).nullish().describe('revoke: the operator'),
    reason: reason.describe('revoke: why; it stands in the audit trail'),
  }),
  defaultAction: 'list',
  actions: {
    list: { readOnly: true, output: z.object({ operators: z.array(operatorView) }) },
    revoke: {
      by: 'acting operator',
      needs: ['name', 'reason'],
      output: z.object({ message: z.string(), operator: operatorView }),
    },
  },
  identity: 'operator',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { op: 'action', operator: 'name' },
  example: { action: 'revoke', name: 'alice', reason: 'She left the team' },
  examples: {
    list: { arguments: {}, operator: true },
    revoke: { arguments: { name: 'alice', reason: 'She left the team' }, operator: true },
  },
  errors: ['MISSING_PARAMETER', 'OPERATOR_REQUIRED', 'PARAMETER_ERROR', 'STORAGE_UNAVAILABLE'],
});
