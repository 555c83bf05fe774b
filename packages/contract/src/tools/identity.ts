import { z } from 'zod';
import { toolSpec } from '../tool-spec.ts';
import { boundedJson, flag, identityArguments } from './common.ts';

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
    purpose: z.string().max(1000).nullish().describe('What the agent is for'),
    client_hint: z.string().max(128).nullish().meta({ hidden: true }),
    orchestrated: flag('started by an orchestrator').meta({ hidden: true }),
    resume: flag('resume the identity that the call proves (default true)').meta({ hidden: true }),
    force_new: flag('New identity although the call proves one'),
    parent_agent_id: z.uuid().nullish().describe('Agent that this one continues or was spawned by'),
    spawn_reason: z.string().max(256).nullish().meta({ hidden: true }),
    thread_id: z.string().max(128).nullish().meta({ hidden: true }),
    process_fingerprint: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    trajectory_signature: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    initial_state: boundedJson(z.record(z.string(), z.unknown()).nullable()),
    response_mode: z.enum(['minimal', 'full']).default('minimal').meta({ hidden: true }),
  }),
  identity: 'open',
  timeoutMs: 15_000,
  advertised: false,
  readOnly: false,
  argumentAliases: { label: 'name', display_name: 'name', nickname: 'name' },
  example: { name: 'release-bot', model_type: 'claude', purpose: 'Keeps the release notes' },
  errors: ['AGENT_NOT_FOUND', 'STORAGE_UNAVAILABLE'],
  ignoresStaleProof: true,
});

export const identity = toolSpec({
  name: 'identity',
  category: 'identity',
  description: 'Who this call is bound to, and by which proof. With name: changes the display name.',
  input: z.looseObject({
    ...identityArguments,
    name: name.describe('New display name'),
    agent_uuid: z.string().max(64).nullish().meta({ hidden: true }),
    model_type: z.string().max(128).nullish().meta({ hidden: true }),
    resume: flag('resume by proof').meta({ hidden: true }),
    force_new: flag('new identity').meta({ hidden: true }),
  }),
  identity: 'open',
  timeoutMs: 10_000,
  advertised: true,
  readOnly: false,
  argumentAliases: { label: 'name', display_name: 'name', nickname: 'name' },
  example: { client_session_id: '<from onboard>', name: 'release-bot' },
  errors: ['AGENT_NOT_FOUND', 'OVERLOADED', 'SEQUENCE_CONFLICT', 'STORAGE_UNAVAILABLE'],
});
