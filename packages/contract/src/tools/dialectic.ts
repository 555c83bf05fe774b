import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { flag, identityArguments, prose, wholeNumber, word } from './common.ts';
import * as answers from './dialectic-answers.ts';

const name = (most: number, description: string) => z.string().trim().max(most).nullish().describe(description);
const text = (most: number, description: string) => prose(name(most, description));
const list = (description: string) =>
  z
    .array(prose(z.string().trim().min(1).max(500)))
    .max(50)
    .nullish()
    .describe(description);

export const dialectic = toolSpec({
  name: 'dialectic',
  category: 'dialectic',
  description:
    'Reviews of paused agents: request one, answer one (thesis, antithesis, synthesis), get, list. An agreed synthesis makes the agent active again under conditions, or keeps it paused.',
  input: z.looseObject({
    ...identityArguments,
    action: word(
      ['get', 'list', 'quick', 'request', 'thesis', 'antithesis', 'synthesis', 'reassign', 'confirm'],
      'What to do; list by default',
    ),
    session_id: z.string().max(64).nullish().describe('All but request, list and quick'),
    root_cause: text(2000, 'thesis, synthesis, request: what went wrong'),
    proposed_conditions: list('thesis, synthesis: what the agent shall keep to, such as "Reduce complexity to 0.3"'),
    reasoning: text(8000, 'Why'),
    agrees: flag('synthesis: whether you agree'),
    proposed_action: word(
      ['resume', 'cooldown', 'escalate', 'block'],
      'synthesis: what becomes of the agent; resume by default',
    ),
    concerns: list('antithesis: what speaks against it'),
    observed_metrics: z.record(z.string(), z.unknown()).nullish().meta({ hidden: true }),
    issue_description: text(2000, 'request, quick: what it is about').meta({ hidden: true }),
    reason: text(2000, 'request, reassign, confirm: why'),
    decision: text(8000, 'confirm: accept or reject; quick: what you would do').meta({ hidden: true }),
    topic: text(500, 'request').meta({ hidden: true }),
    session_type: name(64, 'request: review by default').meta({ hidden: true }),
    discovery_id: name(128, 'request').meta({ hidden: true }),
    dispute_type: word(['dispute', 'correction', 'verification'], 'request').meta({ hidden: true }),
    reviewer_mode: word(
      ['auto', 'manual'],
      'request: auto chooses a reviewer (default), manual leaves the place open',
    ).meta({ hidden: true }),
    trigger_source: name(64, 'request').meta({ hidden: true }),
    max_synthesis_rounds: wholeNumber(1, 20, 'request: rounds at most, 5 by default').meta({ hidden: true }),
    new_reviewer_id: name(128, 'reassign: the new reviewer; chosen when absent').meta({ hidden: true }),
    status: name(32, 'list: phase or status').meta({ hidden: true }),
    limit: wholeNumber(1, 1_000_000, 'list: how many, 50 by default, 200 at most').meta({ hidden: true }),
    include_transcript: flag('list: with the record').meta({ hidden: true }),
    position: text(8000, 'quick: what you would do').meta({ hidden: true }),
    risk_score: z.number().min(0).max(1).nullish().meta({ hidden: true }),
  }),
  defaultAction: 'list',
  actions: {
    get: { readOnly: true, output: answers.get },
    list: { readOnly: true, output: answers.list },
    quick: { output: answers.quick },
    request: { output: answers.request },
    thesis: { needs: ['session_id'], output: answers.thesis },
    antithesis: { needs: ['session_id'], output: answers.antithesis },
    synthesis: { needs: ['session_id'], output: answers.synthesis },
    reassign: { needs: ['session_id'], output: answers.reassign },
    confirm: { by: 'acting operator', needs: ['session_id', 'reason'], output: answers.confirm },
  },
  identity: 'open',
  timeoutMs: 15_000,
  advertised: true,
  readOnly: false,
  agentIdIsTarget: true,
  argumentAliases: { op: 'action', conditions: 'proposed_conditions' },
  example: {
    client_session_id: '<from onboard>',
    action: 'request',
    reason: 'Paused: claims against results',
    root_cause: 'The test runner was broken',
  },
  examples: {
    get: { arguments: { session_id: '<from request>' } },
    list: { arguments: { limit: 20 } },
    quick: {
      arguments: {
        client_session_id: '<from onboard>',
        issue_description: 'The importer keeps two formats apart',
        decision: 'Drop the older one',
      },
    },
    request: {
      arguments: { client_session_id: '<from onboard>', reason: 'Paused: claims against results' },
    },
    thesis: {
      arguments: {
        client_session_id: '<from onboard>',
        session_id: '<from request>',
        root_cause: 'The test runner was broken',
        proposed_conditions: ['Set complexity to 0.4'],
      },
    },
    antithesis: {
      arguments: {
        client_session_id: '<from onboard>',
        session_id: '<from list>',
        reasoning: 'The runner works again; two of the tests still fail.',
        concerns: ['Two tests still fail'],
      },
    },
    synthesis: {
      arguments: {
        client_session_id: '<from onboard>',
        session_id: '<from request>',
        agrees: true,
        reasoning: 'Both of us want smaller steps.',
        proposed_conditions: ['Set complexity to 0.4'],
      },
    },
    reassign: {
      arguments: { session_id: '<from list>', new_reviewer_id: '<agent_uuid>', reason: 'It knows the code' },
      operator: true,
    },
    confirm: {
      arguments: { session_id: '<from list>', decision: 'accept', reason: 'The cause is mended' },
      operator: true,
    },
  },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_NOT_FOUND',
    'AGENT_PAUSED',
    'DIALECTIC_NOT_FOUND',
    'EMPTY_AGREEMENT',
    'FORBIDDEN',
    'IDENTITY_REQUIRED',
    'INVALID_PHASE',
    'NO_REVIEWER',
    'OPERATOR_REQUIRED',
    'PARAMETER_ERROR',
    'REASSIGN_FORBIDDEN',
    'REVIEWER_PAUSED',
    'REVIEWER_UNQUALIFIED',
    'REVIEWER_VERDICT_PENDING',
    'SAGA_IN_FLIGHT',
    'SELF_CLEAR_REFUSED',
    'SELF_REVIEW',
    'SESSION_EXISTS',
    'STORAGE_UNAVAILABLE',
    'STRONG_IDENTITY_REQUIRED',
    'TIMEOUT',
  ],
});
