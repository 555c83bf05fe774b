import { z } from 'zod';
import { PREDICTION_HOURS } from '../policy.ts';
import { toolSpec } from '../tool-spec.ts';
import { checkInAnswer, ownStateAnswer, simulationAnswer } from './check-in-answer.ts';
import { boundedJson, flag, identityArguments, prose, timeText, unitInterval } from './common.ts';
import { OUTCOME_TYPES, outcomeAnswer } from './outcome-answer.ts';

const TASK_TYPES = [
  'convergent',
  'divergent',
  'mixed',
  'refactoring',
  'bugfix',
  'testing',
  'documentation',
  'feature',
  'exploration',
  'research',
  'design',
  'debugging',
  'review',
  'deployment',
  'introspection',
] as const;
export type TaskType = (typeof TASK_TYPES)[number];

const EPISTEMIC_CLASSES = ['agent_report', 'substrate_observation', 'substrate_interpretation', 'prediction'] as const;

const RESPONSE_MODES = ['auto', 'minimal', 'compact', 'standard', 'full', 'mirror'] as const;
export type ResponseMode = (typeof RESPONSE_MODES)[number];

const RESPONSE_MODE_SYNONYMS: Readonly<Record<string, ResponseMode>> = {
  lite: 'compact',
  verbose: 'full',
  interpreted: 'standard',
};

const responseMode = z
  .enum([...RESPONSE_MODES, 'lite', 'verbose', 'interpreted'])
  .default('auto')
  .transform((mode): ResponseMode => RESPONSE_MODE_SYNONYMS[mode] ?? (mode as ResponseMode))
  .describe('How much the answer says')
  .meta({ wire: { enum: RESPONSE_MODES } });

const EVIDENCE_KINDS = ['test', 'lint', 'build', 'file_op', 'command', 'tool_call'] as const;

const toolResult = z
  .strictObject({
    tool: z.string().min(1).max(64),
    summary: prose(z.string().min(1).max(512)),
    kind: z.enum(EVIDENCE_KINDS).optional(),
    exit_code: z.int().nullish(),
    is_bad: z.boolean().nullish(),
    error: prose(z.string().max(512).nullish()),
    prediction_id: z.uuid().nullish(),
    observed_at: timeText().nullish(),
  })
  .describe('{tool, summary, exit_code?, is_bad?, kind?}');

const IDEMPOTENCY_KEY = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe('Repeat the call with the same key and it is done once');

const updateArguments = {
  response_text: prose(z.string().nullish().describe('What you did since the last check-in')),
  complexity: unitInterval('How hard the work was, 0 to 1'),
  confidence: unitInterval('How sure you are that it is right, 0 to 1; a claim that results are held against'),
  task_type: z.enum(TASK_TYPES).default('mixed').describe('Kind of work'),
  ethical_drift: z.array(z.number()).max(3).nullish().meta({ hidden: true }),
  parameters: z.array(z.number()).max(100).nullish().meta({ hidden: true }),
};

const updateAliases = {
  text: 'response_text',
  message: 'response_text',
  update: 'response_text',
  content: 'response_text',
  work: 'response_text',
  summary: 'response_text',
} as const;

export const processAgentUpdate = toolSpec({
  name: 'process_agent_update',
  category: 'core',
  description:
    'Check in: report the work done and the confidence in it; the answer says proceed or pause. Bind its prediction_id to the result with outcome_event.',
  input: z.looseObject({
    ...identityArguments,
    ...updateArguments,
    recent_tool_results: z.array(toolResult).max(50).nullish().describe('Results of tools run since the last check-in'),
    response_mode: responseMode,
    lite: flag('compact answer').meta({ hidden: true }),
    epistemic_class: z.enum(EPISTEMIC_CLASSES).default('agent_report').meta({ hidden: true }),
    require_strong_identity: flag('refuse unless the identity is strongly proven').meta({ hidden: true }),
    idempotency_key: IDEMPOTENCY_KEY,
    comparison_key: boundedJson(z.string().nullable()),
    task_label: prose(boundedJson(z.string().nullable())),
    task_outcome: prose(boundedJson(z.string().nullable())),
    memory_context: prose(boundedJson(z.string().nullable())),
    provenance_context: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    trajectory_signature: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    logprobs: boundedJson(z.array(z.unknown()).nullable()),
  }),
  output: checkInAnswer,
  identity: 'required',
  timeoutMs: 60_000,
  advertised: false,
  readOnly: false,
  argumentAliases: updateAliases,
  example: {
    client_session_id: '<from onboard>',
    response_text: 'Fixed the retry loop and its test.',
    complexity: 0.4,
    confidence: 0.8,
    task_type: 'bugfix',
    recent_tool_results: [{ tool: 'vitest', summary: '12 tests passed', kind: 'test', exit_code: 0 }],
    idempotency_key: 'retry-loop-1',
  },
  errors: [
    'AGENT_PAUSED',
    'AGENT_ARCHIVED',
    'LOOP_DETECTED',
    'STRONG_IDENTITY_REQUIRED',
    'IDEMPOTENCY_CONFLICT',
    'SEQUENCE_CONFLICT',
    'OVERLOADED',
    'STORAGE_UNAVAILABLE',
  ],
});

export const simulateUpdate = toolSpec({
  name: 'simulate_update',
  category: 'core',
  description: 'The decision a check-in with these arguments would get now; nothing is stored.',
  input: z.looseObject({
    ...identityArguments,
    ...updateArguments,
    recent_tool_results: z.array(toolResult).max(50).nullish().meta({ hidden: true }),
    response_mode: responseMode,
    lite: flag('compact answer').meta({ hidden: true }),
  }),
  output: simulationAnswer,
  identity: 'required',
  timeoutMs: 30_000,
  advertised: false,
  readOnly: true,
  argumentAliases: updateAliases,
  example: {
    client_session_id: '<from onboard>',
    response_text: 'About to rewrite the scheduler.',
    complexity: 0.9,
    confidence: 0.9,
  },
  errors: ['AGENT_NOT_FOUND', 'OVERLOADED', 'STORAGE_UNAVAILABLE'],
});

export const getGovernanceMetrics = toolSpec({
  name: 'get_governance_metrics',
  category: 'core',
  description: 'Your own state: E, I, S, V, risk, verdict, calibration and whether you are paused. Reads memory only.',
  input: z.looseObject({
    ...identityArguments,
    include_state: flag('add the behavioural state').meta({ hidden: true }),
    lite: flag('false adds the whole payload under raw_governance').meta({ hidden: true }),
  }),
  output: ownStateAnswer,
  identity: 'open',
  timeoutMs: 10_000,
  advertised: false,
  readOnly: true,
  example: { client_session_id: '<from onboard>' },
  errors: ['AGENT_NOT_FOUND'],
});

const VERIFICATION_SOURCES = ['agent_reported_tool_result', 'server_observation', 'external_signal'] as const;
export type VerificationSource = (typeof VERIFICATION_SOURCES)[number];

export const outcomeEvent = toolSpec({
  name: 'outcome_event',
  category: 'core',
  description:
    'Record what came of the work. Send the prediction_id of the check-in that claimed it, and what shows it (exit_code, command, test or commit in detail): only outcomes with evidence count.',
  input: z.looseObject({
    ...identityArguments,
    outcome_type: z.enum(OUTCOME_TYPES).describe('What happened'),
    outcome_score: unitInterval('How good it was, 0 to 1, for display; by type when absent'),
    is_bad: flag('Whether it is a failure; by type when absent'),
    detail: z
      .record(z.string(), z.unknown())
      .nullish()
      .refine((value) => value == null || JSON.stringify(value).length <= 16_384, {
        message: 'must be at most 16384 bytes of JSON',
      })
      .describe('Evidence: {command, exit_code} or {test, result}; references such as commit, pr, ci beside it'),
    confidence: unitInterval('Confidence when no prediction_id is at hand; never counts against claims'),
    prediction_id: z
      .uuid()
      .nullish()
      .describe(`From the check-in that claimed it; single use, valid ${PREDICTION_HOURS} hours`),
    decision_action: z.string().max(64).nullish().meta({ hidden: true }),
    session_id: z.string().max(512).nullish().meta({ hidden: true }),
    verification_source: z.enum(VERIFICATION_SOURCES).default('agent_reported_tool_result').meta({ hidden: true }),
    include_semantics: flag('explain grades').meta({ hidden: true }),
    response_mode: z.enum(['lite', 'full']).nullish().meta({ hidden: true }),
    idempotency_key: IDEMPOTENCY_KEY,
  }),
  output: outcomeAnswer,
  identity: 'required',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  example: {
    client_session_id: '<from onboard>',
    outcome_type: 'test_passed',
    prediction_id: '0198d3c4-7b1e-7c3a-9f00-3a5f0c9b2e11',
    detail: { tool: 'vitest', command: 'npm test', exit_code: 0 },
  },
  errors: [
    'AGENT_NOT_FOUND',
    'AGENT_ARCHIVED',
    'IDEMPOTENCY_CONFLICT',
    'SEQUENCE_CONFLICT',
    'OVERLOADED',
    'STORAGE_UNAVAILABLE',
  ],
});
