import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { boundedJson, flag, identityArguments, prose } from './common.ts';
import { boundSession, identityAnswer, onboardAnswer } from './identity-answer.ts';

const processReport = z
  .looseObject({
    host_id: z.string().min(1).max(256),
    pid: z.int().positive(),
    pid_start_time: z.number().nonnegative(),
    transport: z.string().max(64).optional(),
    ppid: z.int().nonnegative().optional(),
    tty: z.string().max(128).optional(),
    anchor_path_hash: z.string().max(128).optional(),
  })
  .describe('Process that the agent runs in');

const name = z.string().trim().min(1).max(128).nullish();

export const onboard = toolSpec({
  name: 'onboard',
  category: 'identity',
  description:
    'Start here: get an identity and the session secret client_session_id. A call that proves an identity resumes it; force_new makes another.',
  input: z.looseObject({
    ...identityArguments,
    name: name.describe('Display name; never an identity'),
    model_type: z.string().max(128).nullish().describe('Model that runs the agent'),
    purpose: prose(z.string().max(1000).nullish().describe('What the agent is for')),
    client_hint: z.string().max(128).nullish().meta({ hidden: true }),
    orchestrated: flag('started by an orchestrator').meta({ hidden: true }),
    resume: flag('resume the identity that the call proves (default true)').meta({ hidden: true }),
    force_new: flag('New identity although the call proves one'),
    parent_agent_id: z.uuid().nullish().describe('Agent that this one continues or was spawned by'),
    spawn_reason: z.string().max(256).nullish().meta({ hidden: true }),
    thread_id: z.string().max(128).nullish().meta({ hidden: true }),
    process_fingerprint: processReport.nullish().meta({ hidden: true }),
    trajectory_signature: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    initial_state: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    agent_uuid: z.uuid().nullish().meta({ hidden: true }),
    reactivate: flag('Bring back the archived agent that the session secret proves').meta({ hidden: true }),
    response_mode: z.enum(['minimal', 'full']).default('minimal').meta({ hidden: true }),
  }),
  output: onboardAnswer,
  identity: 'open',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { label: 'name', display_name: 'name', nickname: 'name' },
  example: { name: 'release-bot', model_type: 'claude', purpose: 'Keeps the release notes' },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_NOT_FOUND',
    'AGENT_PAUSED',
    'BARE_UUID_RESUME_DENIED',
    'CONTINUITY_TOKEN_EXPIRED',
    'CONTINUITY_TOKEN_RESUME_RETIRED',
    'LINEAGE_DECLARATION_REQUIRED',
    'OPERATOR_REQUIRED',
    'SEQUENCE_CONFLICT',
    'STORAGE_UNAVAILABLE',
    'STRONG_IDENTITY_REQUIRED',
  ],
  ignoresStaleProof: 'force_new',
  starts: true,
  resumes: true,
});

export const identity = toolSpec({
  name: 'identity',
  category: 'identity',
  description:
    'Who this call is bound to, and by which proof. With name: changes the display name. With agent_uuid and continuity_token: resumes. With revoke: ends sessions.',
  input: z.looseObject({
    ...identityArguments,
    name: name.describe('New display name'),
    agent_uuid: z.uuid().nullish().describe('Agent to resume as; continuity_token beside it proves it'),
    revoke: z
      .enum(['this', 'others', 'all'])
      .nullish()
      .describe('End sessions of this agent: the one of this call, all others, or all'),
    model_type: z.string().max(128).nullish().meta({ hidden: true }),
    client_hint: z.string().max(128).nullish().meta({ hidden: true }),
  }),
  output: identityAnswer,
  identity: 'open',
  timeoutMs: 10_000,
  advertised: true,
  readOnly: false,
  argumentAliases: { label: 'name', display_name: 'name', nickname: 'name' },
  example: { client_session_id: '<from onboard>', name: 'release-bot' },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_NOT_FOUND',
    'AGENT_PAUSED',
    'BARE_UUID_RESUME_DENIED',
    'CONTINUITY_TOKEN_EXPIRED',
    'CONTINUITY_TOKEN_RESUME_RETIRED',
    'IDENTITY_REQUIRED',
    'OVERLOADED',
    'SEQUENCE_CONFLICT',
    'STORAGE_UNAVAILABLE',
  ],
  resumes: true,
});

export const bindSession = toolSpec({
  name: 'bind_session',
  category: 'identity',
  description:
    'Ties the MCP session that carries this call to the agent that client_session_id proves, so that later calls need not repeat it.',
  input: z.looseObject({
    ...identityArguments,
    resume: flag('Bind to the agent that the secret proves'),
    strict: flag('Bind only if that agent is agent_id'),
  }),
  output: boundSession,
  identity: 'open',
  timeoutMs: 5_000,
  advertised: false,
  readOnly: false,
  example: { client_session_id: '<from onboard>', resume: true },
  errors: [
    'AGENT_ARCHIVED',
    'AGENT_PAUSED',
    'CONTINUITY_TOKEN_RESUME_RETIRED',
    'IDENTITY_CONFLICT',
    'PARAMETER_ERROR',
    'STORAGE_UNAVAILABLE',
  ],
});
