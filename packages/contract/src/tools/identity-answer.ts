import { z } from 'zod';
import { agentLabel, agentStatus } from './agent-answer.ts';
import { isoTime } from './common.ts';

const proofSource = z.enum([
  'client_session_id',
  'session_header',
  'continuity_token',
  'attested_process',
  'mcp_session',
  'onboard_pin',
  'none',
]);

const assurance = z.object({
  tier: z.enum(['strong', 'medium', 'weak', 'none']),
  score: z.number().min(0).max(1),
  session_source: proofSource.describe('What bound the call to the agent'),
  caller_proven: z.boolean().describe('The caller sent a proof itself'),
  proof_origin: z.enum(['caller_asserted', 'server_inferred']),
  how_to_strengthen: z.string().optional(),
});

const name = {
  handle: z.string().describe('Readable; never an identity'),
  display_name: agentLabel,
};

const isStable = z.boolean().describe('No resolution about the agent is being carried out');
const secret = z.string().describe('Session secret: proves the agent in later calls');
const token = z.string().describe('Resumes the agent beside its uuid');
const proofVersion = z.int().positive();

const pause = z.object({
  reason: z.string().nullable().describe('null: nothing says why'),
  expires_at: isoTime.nullable().describe('null: it has no end of its own'),
  held_by: z.string().optional().describe('The ancestor whose pause it is'),
});

const LINEAGE = ['no_lineage_declared', 'provisional', 'confirmed', 'demoted', 'archived'] as const;

const onboarded = z.object({
  welcome: z.string(),
  uuid: z.uuid(),
  agent_id: z.uuid().describe('The same as uuid'),
  ...name,
  is_new: z.boolean(),
  is_stable: isStable,
  client_session_id: secret,
  continuity_token: token.optional().describe('Left out where the identity was inferred'),
  identity_assurance: assurance.extend({
    baseline: z.literal('fresh_identity').optional().describe('Of a new agent: nothing has proven it yet'),
    reason: z.string().optional(),
  }),
  identity_resolution_outcome: z.enum(['resumed', 'minted_fresh', 'minted_force_new']),
  auto_resumed: z.literal(true).optional().describe('An archived agent was brought back'),
  previous_status: z.literal('archived').optional(),
  next_step: z.string(),
  provisional_lineage: z.boolean().describe('The declared parent is not confirmed yet'),
  lineage_state: z.enum([...LINEAGE, 'rejected_coincidental', 'rejected_cross_role']),
  lineage_note: z.string().optional().describe('Why the declared parent was not taken'),
  status: z.literal('paused').optional().describe('Only of an agent that a pause holds'),
  pause: pause.optional().describe('What holds the agent'),
  name_note: z.string().optional(),
});

export const onboardAnswer = z.discriminatedUnion('response_mode', [
  onboarded.extend({ response_mode: z.literal('minimal') }),
  onboarded.extend({
    session_resolution_source: proofSource,
    continuity_token_supported: z.literal(true),
    ownership_proof_version: proofVersion,
    thread_context: z.object({
      thread_id: z.string().nullable(),
      position: z.int().nullable(),
      spawn_reason: z.string().nullable(),
      predecessor: z.object({ uuid: z.uuid() }).nullable().describe('The parent'),
      is_root: z.boolean().describe('It has no parent'),
    }),
    response_mode: z.literal('full'),
  }),
]);

const bound = z.object({
  uuid: z.uuid(),
  agent_id: z.uuid().describe('The same as uuid'),
  ...name,
  status: agentStatus,
  is_stable: isStable,
  session_resolution_source: proofSource,
  continuity_token_supported: z.literal(true),
  identity_assurance: assurance,
  lineage_state: z.enum(LINEAGE),
  provisional_lineage: z.boolean().describe('The declared parent is not confirmed yet'),
  bound_identity: z.object({ uuid: z.uuid(), agent_id: z.uuid(), ...name }),
});

export const identityAnswer = z.union([
  bound
    .extend({
      identity_status: z.literal('bound'),
      resumed: z.literal(true),
      pause: pause.optional().describe('What holds the agent'),
      next_step: z.string().optional().describe('Of an agent that a pause holds'),
      client_session_id: secret,
      continuity_token: token.optional().describe('Left out where the session of the host is the proof'),
      ownership_proof_version: proofVersion.optional().describe('Of continuity_token'),
    })
    .describe('The call proves an agent'),
  bound
    .extend({
      identity_status: z.literal('archived'),
      archived: z.literal(true),
      resumed: z.literal(false),
      hint: z.string(),
    })
    .describe('The call proves an agent whose active life is over'),
  z
    .object({
      identity_status: z.literal('bound'),
      uuid: z.uuid(),
      revoked: z.int().nonnegative().describe('How many sessions have ended'),
    })
    .describe('revoke'),
  z
    .object({
      identity_status: z.literal('operator'),
      operator: z.object({ name: z.string(), act: z.boolean().describe('May act, not only look') }),
      hint: z.string(),
    })
    .describe('The call proves an operator, and no agent'),
]);

export const boundSession = z.object({
  bound: z.boolean().describe('Later calls of the MCP session are the agent’s; false: no MCP session carries the call'),
  agent_uuid: z.uuid(),
  agent_id: z.uuid().describe('The same as agent_uuid'),
  ...name,
  message: z.string(),
});
