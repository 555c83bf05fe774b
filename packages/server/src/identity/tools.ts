import { accept, identity as identitySpec, onboard as onboardSpec } from '@breakwater/contract';
import type { AgentHead } from '../agents/index.ts';
import { defineTool, type Caller, type Tool } from '../runtime/index.ts';
import type { Identity } from './service.ts';

/** A public handle: readable, never a key. */
const handleOf = (head: AgentHead): string => {
  const day = new Date(head.createdAt).toISOString().slice(0, 10).replaceAll('-', '');
  return `Agent_${day}_${head.agentId.slice(0, 8)}`;
};

const displayNameOf = (head: AgentHead): string => head.label ?? handleOf(head);

const SCORE: Readonly<Record<Caller['assurance'], number>> = { strong: 1, weak: 0.35, none: 0 };

const assuranceOf = ({ assurance, source }: Caller) => ({
  tier: assurance,
  score: SCORE[assurance],
  session_source: source,
  caller_proven: assurance === 'strong',
  proof_origin: assurance === 'strong' ? 'caller_asserted' : 'server_inferred',
  ...(assurance !== 'strong' && { how_to_strengthen: 'Send client_session_id as an argument of every call.' }),
});

/** The tools of identity: onboard and identity. */
export const identityTools = <M>(
  service: Identity<M>,
  findAgent: (agentId: string) => Promise<AgentHead | undefined>,
): Tool[] => [
  defineTool(onboardSpec, async ({ args, caller, evidence }) => {
    const onboarded = await service.onboard(
      caller,
      evidence,
      {
        name: args.name ?? null,
        purpose: args.purpose ?? null,
        parentAgentId: args.parent_agent_id ?? null,
        spawnReason: args.spawn_reason ?? null,
        metadata: {
          ...(args.model_type && { model_type: args.model_type }),
          ...(args.client_hint && { client_hint: args.client_hint }),
          ...(args.process_fingerprint && { process_fingerprint: args.process_fingerprint }),
        },
      },
      args.force_new === true || args.resume === false,
    );
    if (!onboarded.ok) return onboarded;
    const { head, isNew, secret } = onboarded.value;
    const proven: Caller = isNew
      ? { agentId: head.agentId, assurance: 'weak', source: 'none', principal: caller.principal }
      : caller;
    return accept({
      welcome: isNew ? `${displayNameOf(head)} is on record.` : `${displayNameOf(head)} is back.`,
      uuid: head.agentId,
      agent_id: handleOf(head),
      display_name: displayNameOf(head),
      is_new: isNew,
      ...(secret !== undefined && { client_session_id: secret }),
      session_resolution_source: proven.source,
      continuity_token_supported: false,
      identity_assurance: {
        ...assuranceOf(proven),
        ...(isNew && { baseline: 'fresh_identity', reason: 'minted by this call; the next call proves it' }),
      },
      next_step:
        'Call sync_state with client_session_id after each piece of work; record_result when its result is known.',
      provisional_lineage: isNew && head.parentAgentId !== null,
      response_mode: args.response_mode,
      ...(head.pause !== null && {
        status: head.status,
        pause: { reason: head.pause.reason, expires_at: head.pause.expires_at },
      }),
    });
  }),
  defineTool(identitySpec, async ({ args, caller, evidence, deadline }) => {
    const { agentId } = caller;
    const known = agentId === undefined ? undefined : await findAgent(agentId);
    if (agentId === undefined || known === undefined) {
      return accept({
        identity_status: 'unbound',
        uuid: null,
        identity_assurance: assuranceOf(caller),
        hint: 'Call onboard for an identity, or send the client_session_id of the one you have.',
      });
    }
    const renamed = args.name == null ? undefined : await service.rename(agentId, args.name, deadline);
    if (renamed?.ok === false) return renamed;
    const head = renamed?.value ?? known;
    return accept({
      uuid: agentId,
      agent_id: handleOf(head),
      display_name: displayNameOf(head),
      status: head.status,
      ...((evidence.clientSessionId ?? evidence.sessionHeader) !== undefined && {
        client_session_id: evidence.clientSessionId ?? evidence.sessionHeader,
      }),
      session_resolution_source: caller.source,
      continuity_token_supported: false,
      identity_status: 'bound',
      identity_assurance: assuranceOf(caller),
      bound_identity: { uuid: agentId, agent_id: handleOf(head), display_name: displayNameOf(head) },
    });
  }),
];
