import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import {
  agentChanged,
  agentList,
  agentResumed,
  agentUpdated,
  agentView,
  orphanSweep,
  quickRecovered,
  recoveryCheck,
  reviewRecovered,
  stuckAgents,
} from './agent-answer.ts';
import { flag, identityArguments, prose, wholeNumber, word } from './common.ts';

const target = z.string().max(128).nullish().describe('Agent: its id, or exactly its name; yourself by default');
const reason = prose(z.string().trim().max(500).nullish().describe('Why; it stands in the audit trail'));

export const agent = toolSpec({
  name: 'agent',
  category: 'lifecycle',
  description:
    'Agents: list, get, update, archive, pause, resume, delete. Changes need to be the agent itself, or an operator credential.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['list', 'get', 'update', 'archive', 'pause', 'resume', 'delete'], 'What to do; list by default'),
    target_agent_id: target,
    limit: wholeNumber(1, 200, 'list: how many'),
    offset: wholeNumber(0, 1_000_000, 'list: how many to leave out').meta({ hidden: true }),
    status_filter: z
      .enum(['active', 'paused', 'waiting_input', 'archived', 'disabled', 'all'])
      .nullish()
      .describe('list: status, active by default'),
    min_updates: wholeNumber(0, 1_000_000_000, 'list: check-ins at least').meta({ hidden: true }),
    recent_days: wholeNumber(0, 36_500, 'list: active in so many days, 7 by default; 0: ever').meta({ hidden: true }),
    named_only: flag('list: only agents with a name').meta({ hidden: true }),
    include_test_agents: flag('list: also test agents').meta({ hidden: true }),
    tags: z.array(z.string()).max(100).nullish().describe('update: the whole list'),
    notes: prose(z.string().max(8000).nullish().describe('update')),
    append_notes: flag('update: add notes to the stored ones').meta({ hidden: true }),
    purpose: prose(z.string().max(1000).nullish().describe('update')),
    preferences: z.record(z.string(), z.unknown()).nullish().meta({ hidden: true }),
    status: z.string().max(32).nullish().describe('update: active brings an archived agent back'),
    reason,
    force: flag('archive: although it looks live'),
    hours: wholeNumber(1, 87_600, 'pause: after which it ends by itself; none: never').meta({ hidden: true }),
    unstick: flag('resume: also an active agent').meta({ hidden: true }),
    confirm: flag('delete: must be true'),
  }),
  defaultAction: 'list',
  actions: {
    list: { readOnly: true, output: agentList },
    get: { readOnly: true, output: agentView },
    update: { output: agentUpdated },
    archive: { output: agentChanged },
    pause: { output: agentChanged },
    resume: { output: agentChanged },
    delete: { output: agentChanged },
  },
  identity: 'open',
  timeoutMs: 20_000,
  advertised: true,
  readOnly: false,
  agentIdIsTarget: true,
  argumentAliases: { op: 'action', target: 'target_agent_id' },
  example: { action: 'list', limit: 20 },
  examples: {
    list: { arguments: { limit: 20 } },
    get: { arguments: { target_agent_id: 'release-bot' } },
    update: { arguments: { client_session_id: '<from onboard>', notes: 'Works on the importer.', append_notes: true } },
    archive: {
      arguments: {
        client_session_id: '<from onboard>',
        target_agent_id: '<your agent_uuid>',
        reason: 'The work is done',
      },
    },
    pause: {
      arguments: { target_agent_id: 'release-bot', reason: 'It works on the wrong branch', hours: 4 },
      operator: true,
    },
    resume: { arguments: { target_agent_id: 'release-bot', reason: 'The branch is right now' }, operator: true },
    delete: {
      arguments: { client_session_id: '<from onboard>', target_agent_id: '<your agent_uuid>', confirm: true },
    },
  },
  errors: [
    'AGENT_ALREADY_ARCHIVED',
    'AGENT_ARCHIVED',
    'AGENT_LOOKS_LIVE',
    'AGENT_NOT_FOUND',
    'AGENT_NOT_RESUMABLE',
    'AGENT_PAUSED',
    'FORBIDDEN',
    'IDENTITY_REQUIRED',
    'INVALID_PREFERENCE',
    'INVALID_STATUS_TRANSITION',
    'OPERATOR_REQUIRED',
    'OVERLOADED',
    'PARAMETER_ERROR',
    'SEQUENCE_CONFLICT',
    'SOFT_SAFETY_FAILED',
    'STORAGE_UNAVAILABLE',
    'STRONG_IDENTITY_REQUIRED',
  ],
});

export const operatorResumeAgent = toolSpec({
  name: 'operator_resume_agent',
  category: 'lifecycle',
  description:
    'An operator makes a paused agent active again; needs an operator credential, and the reason is audited.',
  input: z.looseObject({
    ...identityArguments,
    target_agent_id: z.string().min(1).max(128).describe('Agent: its id, or exactly its name'),
    reason: prose(z.string().trim().min(1).max(500).describe('Why; it stands in the audit trail')),
    force: flag('Although its risk is above 0.60'),
  }),
  output: agentResumed,
  identity: 'operator',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  agentIdIsTarget: true,
  argumentAliases: { target: 'target_agent_id' },
  example: { target_agent_id: 'release-bot', reason: 'The evidence was a broken test runner' },
  errors: [
    'AGENT_NOT_FOUND',
    'AGENT_NOT_RESUMABLE',
    'FORBIDDEN',
    'OVERLOADED',
    'SEQUENCE_CONFLICT',
    'SOFT_SAFETY_FAILED',
    'STORAGE_UNAVAILABLE',
  ],
});

export const detectStuckAgents = toolSpec({
  name: 'detect_stuck_agents',
  category: 'lifecycle',
  description: 'Agents that checked in once and have been silent since, longest silence first.',
  input: z.looseObject({
    ...identityArguments,
    timeout_minutes: wholeNumber(1, 525_600, 'Silence from which an agent counts as stuck, 15 by default'),
  }),
  output: stuckAgents,
  identity: 'open',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: true,
  agentIdIsTarget: true,
  example: { timeout_minutes: 30 },
  errors: [],
});

export const archiveOrphanAgents = toolSpec({
  name: 'archive_orphan_agents',
  category: 'lifecycle',
  description:
    'Finds agents that somebody started and nobody went on with; with dry_run=false an operator archives them.',
  input: z.looseObject({
    ...identityArguments,
    dry_run: flag('Only look (default true)'),
    max_age_hours: wholeNumber(1, 8760, 'Hours without activity, 6 by default'),
    max_updates: wholeNumber(1, 1000, 'Check-ins up to which an agent without a name counts, 3 by default'),
  }),
  output: orphanSweep,
  identity: 'operator',
  timeoutMs: 30_000,
  advertised: false,
  readOnly: false,
  agentIdIsTarget: true,
  example: { dry_run: true },
  errors: ['OPERATOR_REQUIRED', 'STORAGE_UNAVAILABLE'],
});

export const selfRecovery = toolSpec({
  name: 'self_recovery',
  category: 'lifecycle',
  description:
    'Whether you may go on by yourself (check), and the ways to: quick, when all is well; review, with a reflection.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['check', 'quick', 'review'], 'check by default'),
    reflection: prose(z.string().trim().max(8000).nullish().describe('review: what went wrong and what you change')),
    root_cause: prose(z.string().trim().max(2000).nullish().meta({ hidden: true })),
    conditions: z
      .array(prose(z.string().trim().min(1).max(500)))
      .max(50)
      .nullish()
      .describe('review: what you will keep to'),
    reason,
  }),
  defaultAction: 'check',
  actions: {
    check: { readOnly: true, output: recoveryCheck },
    quick: { output: quickRecovered },
    review: { output: reviewRecovered },
  },
  identity: 'required',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { op: 'action', proposed_conditions: 'conditions' },
  example: { client_session_id: '<from onboard>', action: 'check' },
  examples: {
    check: { arguments: { client_session_id: '<from onboard>' } },
    quick: { arguments: { client_session_id: '<from onboard>', reason: 'The tests pass again' } },
    review: {
      arguments: {
        client_session_id: '<from onboard>',
        reflection:
          'I took a green build for a green test run. I run the tests themselves now, before I claim anything.',
        conditions: ['Set complexity to 0.4'],
      },
    },
  },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_NOT_RESUMABLE',
    'FORBIDDEN',
    'NOT_SAFE_FOR_QUICK_RESUME',
    'OVERLOADED',
    'PARAMETER_ERROR',
    'REFLECTION_REQUIRED',
    'SEQUENCE_CONFLICT',
    'SOFT_SAFETY_FAILED',
    'STORAGE_UNAVAILABLE',
    'STRONG_IDENTITY_REQUIRED',
    'UNSAFE_CONDITIONS',
  ],
});
