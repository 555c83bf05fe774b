import { ok, refuse } from '@breakwater/contract';
import { identity as identitySpec } from '@breakwater/contract/tools';
import { refuseEnded, type AgentHead } from '../agents/index.ts';
import { nextStep } from '../lifecycle/index.ts';
import { defineTool, type Caller, type CallOf, type Tool } from '../runtime/index.ts';
import { displayNameOf, pauseBlock, readName, type Around } from './face.ts';
import { assuranceBlock } from './rules/assurance.ts';
import { lineageState } from './rules/lineage.ts';
import type { Identity } from './service.ts';

/** What everybody who proves an agent is told of it, first and last. */
const facesOf = (head: AgentHead, caller: Caller, isStable: boolean) => {
  const names = {
    uuid: head.agentId,
    agent_id: head.agentId,
    handle: head.handle,
    display_name: displayNameOf(head),
  };
  return {
    first: { ...names, status: head.status, is_stable: isStable },
    source: { session_resolution_source: caller.source, continuity_token_supported: true as const },
    last: {
      identity_assurance: assuranceBlock(caller),
      lineage_state: lineageState(head),
      provisional_lineage: head.lineage.provisional,
      bound_identity: names,
    },
  };
};

/** The tool that tells a caller who it is, renames it, and ends its sessions. */
export const identityTool = (service: Identity, { findAgent, holdOf, isStable }: Around): Tool => {
  /** What a call is told that proves no agent. */
  const nobody = ({ args, caller, evidence }: CallOf<typeof identitySpec>) => {
    const refusal = service.refusedClaim(args.agent_uuid ?? undefined, evidence);
    if (refusal !== undefined) return { ok: false, refusal } as const;
    if (caller.operator !== undefined) {
      const { name, act } = caller.operator;
      return ok({
        identity_status: 'operator' as const,
        operator: { name, act },
        hint: 'An operator is no agent.',
      });
    }
    // No answer with empty fields: the reference's clients take one for an identity, and fail on it.
    return refuse('IDENTITY_REQUIRED', 'The call carries no proof of an identity; nobody is bound to it.', {
      details: { identity_status: 'unbound', identity_assurance: assuranceBlock(caller) },
    });
  };

  return defineTool(identitySpec, async (call) => {
    const { args, caller, evidence, deadline } = call;
    const name = readName(args.name);
    if (!name.ok) return name;
    const { agentId } = caller;
    const known = agentId === undefined ? undefined : await findAgent(agentId);
    if (agentId === undefined || known === undefined) return nobody(call);
    if (args.revoke != null) {
      if (caller.assurance !== 'strong') {
        return refuse('STRONG_IDENTITY_REQUIRED', 'Sessions are ended only by a call that proves its identity itself.');
      }
      const revoked = await service.revoke(agentId, evidence, args.revoke);
      return ok({ identity_status: 'bound', uuid: agentId, revoked });
    }
    const ended = refuseEnded(known);
    // A token is what is left over of an earlier run; it must not bring back what was archived since (BW-identity.09).
    if (ended !== undefined && caller.source === 'continuity_token') return ended;
    const renamed = name.value === null ? undefined : await service.rename(agentId, name.value, deadline);
    if (renamed?.ok === false) return renamed;
    const head = renamed?.value ?? known;
    const { first, source, last } = facesOf(head, caller, isStable(agentId));
    if (ended !== undefined) {
      return ok({
        ...first,
        ...source,
        identity_status: 'archived',
        archived: true,
        resumed: false,
        hint: 'onboard(client_session_id=…, reactivate=true) brings it back, unless an operator archived it.',
        ...last,
      });
    }
    const hold = await holdOf(head);
    // The MCP session goes on proving the caller: it is given a secret for elsewhere, and no token for later.
    const { secret, token } =
      caller.source === 'mcp_session'
        ? { secret: await service.secretFor(caller, evidence), token: undefined }
        : await service.credentialsFor(caller, evidence);
    return ok({
      ...first,
      ...(hold !== undefined && { ...pauseBlock(hold), next_step: nextStep(head, hold).say }),
      client_session_id: secret,
      ...(token !== undefined && { continuity_token: token, ownership_proof_version: 1 }),
      ...source,
      identity_status: 'bound',
      resumed: true,
      ...last,
    });
  });
};
