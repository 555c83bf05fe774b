import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { AgentHead, AgentStatus, Archive, Hold, Pause } from '../../agents/agent.ts';
import type { AuditDraft } from '../../agents/index.ts';
import type { Caller, Operator } from '../../runtime/index.ts';
import { refusedAct, WITHOUT_AUTHORITY, type Act } from './acts.ts';

/** Who acts. An operator's privilege comes from its credential alone, never from a tag or a label (BW-identity.08). */
export interface Actor {
  readonly agentId: string | undefined;
  readonly operator: Operator | undefined;
  /** The caller proved `agentId` itself; nobody inferred it. */
  readonly proven: boolean;
}

/** Who acts by this call. */
export const actorOf = ({ agentId, operator, origin }: Caller): Actor => ({
  agentId,
  operator,
  proven: origin === 'caller_asserted',
});

/** A decided change of an agent's standing, in the words of a change of an agent. */
export interface StandingChange {
  readonly status?: AgentStatus;
  readonly archive?: Archive | null;
  /** null lifts the pause. */
  readonly pause?: Pause | null;
  readonly tags?: readonly string[];
  /** The whole text. */
  readonly notes?: string;
  readonly purpose?: string;
  readonly preferences?: Readonly<Record<string, unknown>>;
  readonly events: readonly [AuditDraft, ...AuditDraft[]];
}

/** In which capacity the actor acts; `operator` is its name, null for the agent itself. */
export interface Authority {
  readonly by: 'owner' | 'operator';
  readonly operator: string | null;
}

const isOwner = (actor: Actor, target: AgentHead): boolean => actor.proven && actor.agentId === target.agentId;

/** The capacity of an operator that may act, or undefined. */
export const operatorOf = ({ operator }: Actor): Authority | undefined =>
  operator?.act === true ? { by: 'operator', operator: operator.name } : undefined;

/** The refusal of an act that only operators may do. */
export const operatorRequired = (message: string): { readonly ok: false; readonly refusal: Refusal } =>
  refuse('OPERATOR_REQUIRED', message);

/** The agent itself, by its own proof, or an operator that may act; everybody else is refused (BW-identity.07). */
export const authorityOver = (actor: Actor, target: AgentHead): Result<Authority> => {
  if (isOwner(actor, target)) return ok({ by: 'owner', operator: null });
  const operator = operatorOf(actor);
  if (operator !== undefined) return ok(operator);
  if (actor.operator !== undefined) {
    return refuse(WITHOUT_AUTHORITY.reader, `The credential of operator ${actor.operator.name} may read and not act.`);
  }
  if (actor.agentId === undefined) {
    return refuse(WITHOUT_AUTHORITY.nobody, 'The act needs a proof of who asks for it.');
  }
  if (actor.agentId === target.agentId) {
    return refuse(WITHOUT_AUTHORITY.inferred, 'The identity is inferred; this act needs a proof sent with the call.');
  }
  return refuse(WITHOUT_AUTHORITY.another, 'Only the agent itself or an operator may do this to it.', {
    recovery: { action: 'Act on your own record, or ask an operator.', related_tools: ['identity'] },
  });
};

/** The capacity in which the actor may do this to the agent, as it stands; or the refusal of {@link refusedAct}. */
export const mayAct = (act: Act, actor: Actor, target: AgentHead, hold: Hold | undefined): Result<Authority> => {
  const authority = authorityOver(actor, target);
  if (!authority.ok) return authority;
  const refused = refusedAct(act, authority.value.by, target, hold);
  if (refused === undefined) return authority;
  // An operator that acts with an agent's own proof beside its credential does not lose what the credential allows.
  const operator = operatorOf(actor);
  if (operator !== undefined && refusedAct(act, 'operator', target, hold) === undefined) return ok(operator);
  return refused;
};
