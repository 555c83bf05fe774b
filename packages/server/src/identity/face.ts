import { ok, refuse, type Result } from '@breakwater/contract';
import type { AgentHead, Hold } from '../agents/index.ts';
import { problemOfName } from '../runtime/index.ts';

/** What the tools of identity need beside the service. */
export interface Around {
  readonly findAgent: (agentId: string) => Promise<AgentHead | undefined>;
  readonly holdOf: (head: AgentHead) => Promise<Hold | undefined>;
  /** No resolution about the agent is being carried out (W3-9.20). */
  readonly isStable: (agentId: string) => boolean;
}

export const displayNameOf = (head: AgentHead): string => head.label ?? head.handle;

/** A display name as it is stored: composed, so that equal names are equal however they were typed; null when none is asked for. */
export const readName = (given: string | null | undefined): Result<string | null> => {
  if (given == null) return ok(null);
  const name = given.normalize('NFC');
  const problem = problemOfName(name);
  return problem === undefined
    ? ok(name)
    : refuse('PARAMETER_ERROR', `name ${problem}.`, {
        details: { parameter: 'name', errors: [{ field: 'name', message: problem, type: 'rule' }] },
        recovery: { action: 'Send a name of letters, digits and signs that can be seen, or none.' },
      });
};

/** What holds the agent, as its own readings tell it. */
export const pauseBlock = ({ holder, pause, inherited }: Hold) => ({
  pause: {
    reason: pause?.reason ?? null,
    expires_at: pause?.expires_at ?? null,
    ...(inherited && { held_by: holder.agentId }),
  },
});
