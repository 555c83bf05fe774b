import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { identityArguments, prose, wholeNumber, word } from './common.ts';
import { observeAnswers, thresholds } from './fleet-answer.ts';
import { noticeAnswers, reportAnswers } from './notice-answer.ts';
import { adminAnswers } from './server-answer.ts';

const text = (most: number, description: string) => z.string().trim().max(most).nullish().describe(description);
const number = (description: string) =>
  z
    .union([z.number(), z.null()])
    .optional()
    .describe(description)
    .meta({ wire: { type: 'number' } });

/** Kept of one report, in bytes of JSON. */
const MOST = 8192;
const detail = z
  .record(z.string(), z.unknown())
  .refine((value) => JSON.stringify(value).length <= MOST, { message: `must be at most ${MOST} bytes of JSON` })
  .nullish()
  .meta({ hidden: true });

export const report = toolSpec({
  name: 'report',
  category: 'admin',
  description:
    'What programs around the agents report: a finding, a value of a metric, what a host saw. It is kept and shown, and scores nobody.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['finding', 'metric', 'substrate', 'runtime', 'progress'], 'What is reported; required'),
    type: text(64, 'finding: a name that ends in _finding'),
    severity: word(['info', 'low', 'medium', 'warning', 'high', 'critical'], 'finding'),
    message: prose(text(2000, 'finding, progress: what is to be said')),
    fingerprint: text(128, 'finding: equal ones within a day are one'),
    name: text(128, 'metric: its name'),
    value: number('metric: its value'),
    ts: text(64, 'metric: when, ISO 8601; now by default'),
    slot_key: text(256, 'substrate: which session of the host'),
    event: text(64, 'substrate, runtime'),
    agent_uuid: z.uuid().nullish().meta({ hidden: true }),
    detail,
  }),
  actions: {
    finding: { output: reportAnswers.finding },
    metric: { output: reportAnswers.metric },
    substrate: { output: reportAnswers.observation },
    runtime: { output: reportAnswers.observation },
    progress: { output: reportAnswers.observation },
  },
  identity: 'open',
  timeoutMs: 10_000,
  advertised: false,
  readOnly: false,
  agentIdIsTarget: true,
  takesAnyArgument: true,
  example: { action: 'metric', name: 'tests.passed', value: 812 },
  examples: {
    finding: {
      arguments: { type: 'disk_finding', severity: 'warning', message: '3 GB are left', fingerprint: 'disk-low' },
    },
    metric: { arguments: { name: 'tests.passed', value: 812 } },
    substrate: { arguments: { slot_key: 'editor-1', event: 'started' } },
    runtime: { arguments: { client_session_id: '<from onboard>', event: 'restarted' } },
    progress: { arguments: { client_session_id: '<from onboard>', message: 'Half of the files are read' } },
  },
  errors: ['IDENTITY_REQUIRED', 'OVERLOADED', 'STORAGE_UNAVAILABLE'],
});

export const notices = toolSpec({
  name: 'notices',
  category: 'admin',
  description: 'What was reported: findings, the series of a metric, the names of metrics; and who the residents are.',
  input: z.looseObject({
    ...identityArguments,
    action: word(['findings', 'series', 'catalog', 'residents', 'tag_audit'], 'findings by default'),
    name: text(128, 'series: the metric'),
    since: text(64, 'findings, series: 24h, 14d, or a date; 30d by default'),
    until: text(64, 'findings, series'),
    severity: word(['info', 'low', 'medium', 'warning', 'high', 'critical'], 'findings'),
    limit: wholeNumber(1, 1000, 'findings, series: the newest so many, 100 by default'),
  }),
  defaultAction: 'findings',
  actions: {
    findings: { output: noticeAnswers.findings },
    series: { output: noticeAnswers.series },
    catalog: { output: noticeAnswers.catalog },
    residents: { output: noticeAnswers.residents },
    tag_audit: { output: noticeAnswers.tag_audit },
  },
  identity: 'open',
  timeoutMs: 10_000,
  advertised: false,
  readOnly: true,
  agentIdIsTarget: true,
  example: { action: 'series', name: 'tests.passed', since: '14d' },
  examples: {
    findings: { arguments: { since: '24h', severity: 'warning' } },
    series: { arguments: { name: 'tests.passed', since: '14d' } },
    catalog: { arguments: {} },
    residents: { arguments: {} },
    tag_audit: { arguments: {} },
  },
  errors: ['STORAGE_UNAVAILABLE'],
});

export const observe = toolSpec({
  name: 'observe',
  category: 'core',
  description:
    'The fleet as it is now: one agent, several compared, those like one, what is out of the ordinary, the means of all.',
  input: z.looseObject({
    ...identityArguments,
    action: word(
      [
        'agent',
        'compare',
        'similar',
        'anomalies',
        'aggregate',
        'telemetry',
        'audit_events',
        'outcome_evidence',
        'bridge',
      ],
      'anomalies by default',
    ),
    target_agent_id: text(128, 'agent, similar: an id or a name; yourself by default'),
    agent_ids: z.array(z.string().max(128)).max(50).nullish().describe('compare: ids or names'),
    min_severity: word(['low', 'medium', 'high'], 'anomalies: low by default'),
    limit: wholeNumber(1, 200, 'anomalies, similar: how many, 50 by default'),
  }),
  defaultAction: 'anomalies',
  actions: {
    agent: { output: observeAnswers.agent },
    compare: { output: observeAnswers.compare },
    similar: { output: observeAnswers.similar },
    anomalies: { output: observeAnswers.anomalies },
    aggregate: { output: observeAnswers.aggregate },
    // Refused whatever is sent, with what to do instead.
    telemetry: { output: z.never() },
    audit_events: { output: z.never() },
    outcome_evidence: { output: z.never() },
    bridge: { output: z.never() },
  },
  identity: 'open',
  timeoutMs: 10_000,
  advertised: false,
  readOnly: true,
  agentIdIsTarget: true,
  argumentAliases: { op: 'action', target: 'target_agent_id' },
  example: { action: 'anomalies' },
  examples: {
    agent: { arguments: { target_agent_id: 'release-bot' } },
    compare: { arguments: { agent_ids: ['release-bot', 'importer-bot'] } },
    similar: { arguments: { target_agent_id: 'release-bot' } },
    anomalies: { arguments: { min_severity: 'medium' } },
    aggregate: { arguments: {} },
    telemetry: { arguments: {}, refused: 'NOT_OFFERED' },
    audit_events: { arguments: {}, refused: 'NOT_OFFERED' },
    outcome_evidence: { arguments: {}, refused: 'NOT_OFFERED' },
    bridge: { arguments: {}, refused: 'NOT_OFFERED' },
  },
  errors: ['AGENT_NOT_FOUND', 'NOT_OFFERED'],
});

export const config = toolSpec({
  name: 'config',
  category: 'admin',
  description: 'The thresholds that check-ins are decided by; they are read here, and set by nobody over a call.',
  input: z.looseObject({ ...identityArguments, action: word(['get', 'set'], 'get by default') }),
  defaultAction: 'get',
  // set is refused whatever is sent, with what to do instead.
  actions: { get: { output: thresholds }, set: { output: z.never() } },
  identity: 'open',
  timeoutMs: 5_000,
  advertised: false,
  readOnly: true,
  argumentAliases: { op: 'action' },
  example: { action: 'get' },
  examples: { get: { arguments: {} }, set: { arguments: {}, refused: 'NOT_OFFERED' } },
  errors: ['NOT_OFFERED'],
});

export const admin = toolSpec({
  name: 'admin',
  category: 'admin',
  description: 'What the server says of itself and of the call: server_info, workspace_health, debug_context.',
  input: z.looseObject({
    ...identityArguments,
    action: word(
      [
        'server_info',
        'workspace_health',
        'debug_context',
        'connections',
        'tool_usage',
        'telemetry',
        'validate_path',
        'reset_monitor',
        'cleanup_locks',
      ],
      'server_info by default',
    ),
  }),
  defaultAction: 'server_info',
  actions: {
    server_info: { output: adminAnswers.server_info },
    workspace_health: { output: adminAnswers.workspace_health },
    debug_context: { output: adminAnswers.debug_context },
    // Refused whatever is sent, with what to do instead.
    connections: { output: z.never() },
    tool_usage: { output: z.never() },
    telemetry: { output: z.never() },
    validate_path: { output: z.never() },
    reset_monitor: { output: z.never() },
    cleanup_locks: { output: z.never() },
  },
  identity: 'open',
  timeoutMs: 5_000,
  advertised: false,
  readOnly: true,
  whileNotReady: true,
  argumentAliases: { op: 'action' },
  example: { action: 'debug_context' },
  examples: {
    server_info: { arguments: {} },
    workspace_health: { arguments: {} },
    debug_context: { arguments: {} },
    connections: { arguments: {}, refused: 'NOT_OFFERED' },
    tool_usage: { arguments: {}, refused: 'NOT_OFFERED' },
    telemetry: { arguments: {}, refused: 'NOT_OFFERED' },
    validate_path: { arguments: {}, refused: 'NOT_OFFERED' },
    reset_monitor: { arguments: {}, refused: 'NOT_OFFERED' },
    cleanup_locks: { arguments: {}, refused: 'NOT_OFFERED' },
  },
  errors: ['NOT_OFFERED'],
});

export const notOffered = toolSpec({
  name: 'not_offered',
  category: 'discovery',
  description: 'Answers for tools of the reference that are not here, with what to do instead.',
  input: z.looseObject({ ...identityArguments, name: text(128, 'Name of the tool') }),
  output: z.never(),
  identity: 'open',
  timeoutMs: 5_000,
  advertised: false,
  readOnly: true,
  whileNotReady: true,
  ignoresStaleProof: true,
  agentIdIsTarget: true,
  takesAnyArgument: true,
  example: { name: 'call_model' },
  exampleRefused: 'NOT_OFFERED',
  errors: ['NOT_OFFERED'],
});
