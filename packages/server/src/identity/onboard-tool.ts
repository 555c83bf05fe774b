import { ok } from '@breakwater/contract';
import { onboard as onboardSpec } from '@breakwater/contract/tools';
import { nextStep } from '../lifecycle/index.ts';
import { defineTool, type Tool } from '../runtime/index.ts';
import { displayNameOf, pauseBlock, readName, type Around } from './face.ts';
import { assuranceBlock } from './rules/assurance.ts';
import type { Identity, Onboarded } from './service.ts';

const NEXT_STEP =
  'Call sync_state with client_session_id after each piece of work; record_result when its result is known.';

const WELCOME: Readonly<Record<Onboarded['outcome'], string>> = {
  minted_fresh: 'is on record.',
  minted_force_new: 'is on record.',
  resumed: 'is back.',
  reactivated: 'is active again.',
};

const REJECTED: Readonly<Partial<Record<Onboarded['lineageState'], string>>> = {
  rejected_coincidental:
    'The parent is at work itself, so it was not taken as one. Say spawn_reason=subagent for a child that it sent.',
  rejected_cross_role: 'The parent plays another role, so it was not taken as one.',
};

const answerOf = (
  { head, outcome, secret, token, proof, lineageState: lineage, hold, keptName }: Onboarded,
  isStable: boolean,
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
      ...(isNew && { baseline: 'fresh_identity' as const, reason: 'minted by this call; the next call proves it' }),
    },
    identity_resolution_outcome: outcome === 'reactivated' ? ('resumed' as const) : outcome,
    ...(outcome === 'reactivated' && { auto_resumed: true as const, previous_status: 'archived' as const }),
    next_step: hold === undefined ? NEXT_STEP : nextStep(head, hold).say,
    provisional_lineage: head.lineage.provisional,
    lineage_state: lineage,
    ...(REJECTED[lineage] !== undefined && { lineage_note: REJECTED[lineage] }),
    ...(hold !== undefined && { status: 'paused' as const, ...pauseBlock(hold) }),
    ...(keptName && { name_note: 'A held agent keeps its name.' }),
  };
};

/** What an answer in full tells beside. */
const restOf = ({ head, proof }: Onboarded) => ({
  session_resolution_source: proof.source,
  continuity_token_supported: true as const,
  ownership_proof_version: 1,
  thread_context: {
    thread_id: head.threadId,
    position: head.threadPosition,
    spawn_reason: head.spawnReason,
    predecessor: head.parentAgentId === null ? null : { uuid: head.parentAgentId },
    is_root: head.parentAgentId === null,
  },
});

/** The tool that hands out identities. */
export const onboardTool = (service: Identity, { isStable }: Around): Tool =>
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
    const answer = answerOf(onboarded.value, isStable(onboarded.value.head.agentId));
    return ok(
      args.response_mode === 'full'
        ? { ...answer, ...restOf(onboarded.value), response_mode: 'full' }
        : { ...answer, response_mode: 'minimal' },
    );
  });
