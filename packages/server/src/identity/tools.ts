import {
  accept,
  bindSession as bindSessionSpec,
  identity as identitySpec,
  onboard as onboardSpec,
  refuse,
  type Outcome,
} from '@breakwater/contract';
import { refuseEnded, type AgentHead, type Hold } from '../agents/index.ts';
import { nextStep, refuseHeld } from '../lifecycle/index.ts';
import { defineTool, problemOfName, type Tool } from '../runtime/index.ts';
import { assuranceBlock } from './rules/assurance.ts';
import { lineageState } from './rules/lineage.ts';
import type { Identity, Onboarded } from './service.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const displayNameOf = (head: AgentHead): string => head.label ?? head.handle;

/** A display name as it is stored: composed, so that equal names are equal however they were typed; null when none is asked for. */
const readName = (given: string | null | undefined): Outcome<string | null> => {
  if (given == null) return accept(null);
  const name = given.normalize('NFC');
  const problem = problemOfName(name);
  return problem === undefined
    ? accept(name)
    : refuse('PARAMETER_ERROR', `name ${problem}.`, {
        details: { parameter: 'name', errors: [{ field: 'name', message: problem, type: 'rule' }] },
        recovery: { action: 'Send a name of letters, digits and signs that can be seen, or none.' },
      });
};

const NEXT_STEP =
  'Call sync_state with client_session_id after each piece of work; record_result when its result is known.';

const WELCOME: Readonly<Record<Onboarded['outcome'], string>> = {
  minted_fresh: 'is on record.',
  minted_force_new: 'is on record.',
  resumed: 'is back.',
  reactivated: 'is active again.',
};

const REJECTED: Readonly<Record<string, string>> = {
  rejected_coincidental:
    'The parent is at work itself, so it was not taken as one. Say spawn_reason=subagent for a child that it sent.',
  rejected_cross_role: 'The parent plays another role, so it was not taken as one.',
};

/** What holds the agent, as its own readings tell it. */
const pauseBlock = ({ holder, pause, inherited }: Hold) => ({
  pause: {
    reason: pause?.reason ?? null,
    expires_at: pause?.expires_at ?? null,
    ...(inherited && { held_by: holder.agentId }),
  },
});

const onboardAnswer = (
  { head, outcome, secret, token, proof, lineageState: lineage, hold, keptName }: Onboarded,
  isStable: boolean,
  full: boolean,
) => {
  const isNew = outcome === 'minted_fresh' || outcome === 'minted_force_new';
  return {
    welcome: `${displayNameOf(head)} ${WELCOME[outcome]}`,
    uuid: head.agentId,
    agent_id: head.agentId,
    handle: head.handle,
    display_name: displayNameOf(head),
    is_new: isNew,
    is_stable: isStable,
    client_session_id: secret,
    ...(token !== undefined && { continuity_token: token }),
    identity_assurance: {
      ...assuranceBlock(proof),
      ...(isNew && { baseline: 'fresh_identity', reason: 'minted by this call; the next call proves it' }),
    },
    identity_resolution_outcome: outcome === 'reactivated' ? 'resumed' : outcome,
    ...(outcome === 'reactivated' && { auto_resumed: true, previous_status: 'archived' }),
    next_step: hold === undefined ? NEXT_STEP : nextStep(head, hold).say,
    provisional_lineage: head.lineage.provisional,
    lineage_state: lineage,
    ...(REJECTED[lineage] !== undefined && { lineage_note: REJECTED[lineage] }),
    ...(hold !== undefined && { status: 'paused', ...pauseBlock(hold) }),
    ...(keptName && { name_note: 'A held agent keeps its name.' }),
    ...(full && {
      session_resolution_source: proof.source,
      continuity_token_supported: true,
      ownership_proof_version: 1,
      thread_context: {
        thread_id: head.threadId,
        position: head.threadPosition,
        spawn_reason: head.spawnReason,
        predecessor: head.parentAgentId === null ? null : { uuid: head.parentAgentId },
        is_root: head.parentAgentId === null,
      },
    }),
    response_mode: full ? 'full' : 'minimal',
  };
};

/**
 * The tools of identity: onboard, identity and bind_session. `isStable`: no resolution about the agent is being carried out
 * (W3-9.20).
 */
export const identityTools = <M>({
  identity: service,
  findAgent,
  holdOf,
  isStable,
}: {
  readonly identity: Identity<M>;
  readonly findAgent: (agentId: string) => Promise<AgentHead | undefined>;
  readonly holdOf: (head: AgentHead) => Promise<Hold | undefined>;
  readonly isStable: (agentId: string) => boolean;
}): Tool[] => [
  defineTool(onboardSpec, async ({ args, caller, evidence, deadline }) => {
    const name = readName(args.name);
    if (!name.ok) return name;
    const onboarded = await service.onboard(
      caller,
      evidence,
      {
        name: name.value,
        purpose: args.purpose ?? null,
        modelType: args.model_type ?? undefined,
        clientHint: args.client_hint ?? undefined,
        parentAgentId: args.parent_agent_id ?? null,
        spawnReason: args.spawn_reason ?? null,
        threadId: args.thread_id ?? null,
        process: args.process_fingerprint ?? undefined,
        metadata: {
          ...(args.model_type && { model_type: args.model_type }),
          ...(args.client_hint && { client_hint: args.client_hint }),
          ...(args.initial_state && { initial_state: args.initial_state }),
          ...(args.trajectory_signature && { trajectory_genesis: args.trajectory_signature }),
          ...(args.orchestrated === true && { orchestrated: true }),
        },
        agentUuid: args.agent_uuid ?? undefined,
        claimedAgentId: args.agent_id ?? undefined,
        resume: args.resume !== false,
        forceNew: args.force_new === true,
        reactivate: args.reactivate === true,
      },
      deadline,
    );
    if (!onboarded.ok) return onboarded;
    const stable = isStable(onboarded.value.head.agentId);
    return accept(onboardAnswer(onboarded.value, stable, args.response_mode === 'full'));
  }),

  defineTool(identitySpec, async ({ args, caller, evidence, deadline }) => {
    const name = readName(args.name);
    if (!name.ok) return name;
    const { agentId } = caller;
    const known = agentId === undefined ? undefined : await findAgent(agentId);
    if (agentId === undefined || known === undefined) {
      const refusal = service.refusedClaim(args.agent_uuid ?? undefined, evidence);
      if (refusal !== undefined) return { ok: false, refusal };
      if (caller.operator !== undefined) {
        return accept({ identity_status: 'operator', operator: caller.operator, hint: 'An operator is no agent.' });
      }
      // No answer with empty fields: the reference's clients take one for an identity, and fail on it.
      return refuse('IDENTITY_REQUIRED', 'The call carries no proof of an identity; nobody is bound to it.', {
        details: { identity_status: 'unbound', identity_assurance: assuranceBlock(caller) },
      });
    }
    if (args.revoke != null) {
      if (caller.assurance !== 'strong') {
        return refuse('STRONG_IDENTITY_REQUIRED', 'Sessions are ended only by a call that proves its identity itself.');
      }
      const ended = await service.revoke(agentId, evidence, args.revoke);
      return accept({ identity_status: 'bound', uuid: agentId, revoked: ended });
    }
    const ended = refuseEnded(known);
    // A token is what is left over of an earlier run; it must not bring back what was archived since (BW-identity.09).
    if (ended !== undefined && caller.source === 'continuity_token') return ended;
    const renamed = name.value === null ? undefined : await service.rename(agentId, name.value, deadline);
    if (renamed?.ok === false) return renamed;
    const head = renamed?.value ?? known;
    const hold = ended === undefined ? await holdOf(head) : undefined;
    // The MCP session goes on proving the caller: it is given a secret for elsewhere, and no token for later.
    const { secret, token } =
      ended !== undefined
        ? NO_CREDENTIALS
        : caller.source === 'mcp_session'
          ? { secret: await service.secretFor(caller, evidence), token: undefined }
          : await service.credentialsFor(caller, evidence);
    return accept({
      uuid: agentId,
      agent_id: agentId,
      handle: head.handle,
      display_name: displayNameOf(head),
      status: head.status,
      is_stable: isStable(agentId),
      ...(hold !== undefined && { ...pauseBlock(hold), next_step: nextStep(head, hold).say }),
      ...(secret !== undefined && { client_session_id: secret }),
      ...(token !== undefined && { continuity_token: token, ownership_proof_version: 1 }),
      session_resolution_source: caller.source,
      continuity_token_supported: true,
      ...(ended === undefined
        ? { identity_status: 'bound', resumed: true }
        : {
            identity_status: 'archived',
            archived: true,
            resumed: false,
            hint: 'onboard(client_session_id=…, reactivate=true) brings it back, unless an operator archived it.',
          }),
      identity_assurance: assuranceBlock(caller),
      lineage_state: lineageState(head),
      provisional_lineage: head.lineage.provisional,
      bound_identity: { uuid: agentId, agent_id: agentId, handle: head.handle, display_name: displayNameOf(head) },
    });
  }),

  defineTool(bindSessionSpec, async ({ args, caller, evidence }) => {
    if (args.resume !== true && args.strict !== true) {
      return refuse('PARAMETER_ERROR', 'Say resume=true, or strict=true with the agent_id that it must be.', {
        details: { parameter: 'resume' },
      });
    }
    if (args.strict === true && !UUID.test(args.agent_id ?? '')) {
      return refuse('PARAMETER_ERROR', 'agent_id: strict=true needs the uuid of the agent.', {
        details: { parameter: 'agent_id' },
      });
    }
    if (evidence.clientSessionId === undefined) {
      if (evidence.continuityToken === undefined) {
        return refuse('PARAMETER_ERROR', 'client_session_id: the session to bind is missing.', {
          details: { parameter: 'client_session_id' },
        });
      }
      return refuse('CONTINUITY_TOKEN_RESUME_RETIRED', 'A continuity token binds no session; client_session_id does.');
    }
    const head = caller.agentId === undefined ? undefined : await findAgent(caller.agentId);
    if (head === undefined) return refuse('SESSION_UNKNOWN', 'No agent belongs to this client_session_id.');
    const ended = refuseEnded(head);
    if (ended !== undefined) return ended;
    const held = await service.holdOfSession(evidence, head.agentId);
    if (held !== undefined) return refuseHeld('leave_session', held.head, held.hold);
    const bound = await service.bindTransport(head.agentId, evidence);
    return accept({
      bound,
      agent_uuid: head.agentId,
      agent_id: head.agentId,
      handle: head.handle,
      display_name: displayNameOf(head),
      message: bound
        ? 'Later calls of this MCP session are its own.'
        : 'No MCP session carries this call; send client_session_id with every call.',
    });
  }),
];

const NO_CREDENTIALS = { secret: undefined, token: undefined } as const;
