import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { calibrationCheck, calibrationRebuild } from './calibration-answer.ts';
import { flag, identityArguments, unitInterval, word } from './common.ts';

export const calibration = toolSpec({
  name: 'calibration',
  category: 'calibration',
  description:
    'Whether claimed confidence and results agree, for the fleet or one agent: status, reliability curves with counts, issues. Advice only.',
  input: z.looseObject({
    ...identityArguments,
    // Nobody needs an identity to look.
    client_session_id: identityArguments.client_session_id.meta({ hidden: true }),
    action: word(['check', 'update', 'backfill', 'rebuild'], 'check by default; rebuild is for operators'),
    agent_id: z.string().max(512).nullish().describe('Agent: its id, or exactly its name; the fleet by default'),
    dry_run: flag('rebuild: only compare').meta({ hidden: true }),
    actual_correct: flag('update').meta({ hidden: true }),
    confidence: unitInterval('update').meta({ hidden: true }),
  }),
  defaultAction: 'check',
  actions: {
    check: { output: calibrationCheck },
    // Refused whatever is sent: results are recorded, and never stated afterwards.
    update: { output: z.never() },
    backfill: { output: z.never() },
    rebuild: { by: 'acting operator', output: calibrationRebuild },
  },
  identity: 'open',
  timeoutMs: 60_000,
  advertised: true,
  // A rebuild, too, changes nothing but what this process remembers.
  readOnly: true,
  agentIdIsTarget: true,
  argumentAliases: { op: 'action', target_agent_id: 'agent_id', target: 'agent_id' },
  example: { action: 'check' },
  examples: {
    check: { arguments: { agent_id: 'release-bot' } },
    update: { arguments: { actual_correct: true }, refused: 'CALIBRATION_BY_OUTCOMES_ONLY' },
    backfill: { arguments: {}, refused: 'CALIBRATION_BY_OUTCOMES_ONLY' },
    rebuild: { arguments: { dry_run: true }, operator: true },
  },
  errors: [
    'AGENT_NOT_FOUND',
    'CALIBRATION_BY_OUTCOMES_ONLY',
    'OPERATOR_REQUIRED',
    'PARAMETER_ERROR',
    'STORAGE_UNAVAILABLE',
  ],
});
