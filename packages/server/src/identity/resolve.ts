import { accept, refuse, type Outcome } from '@breakwater/contract';
import type { Caller } from '../runtime/index.ts';
import { bindingHolds, type Binding, type BindingKind } from './binding.ts';

/** One piece of evidence, looked up: the binding of its secret, or undefined when nobody issued that secret. */
export interface Piece {
  readonly source: Exclude<Caller['source'], 'none'>;
  readonly binding: Binding | undefined;
}

const KIND_OF: Readonly<Record<Piece['source'], BindingKind>> = {
  client_session_id: 'session',
  session_header: 'session',
  mcp_session: 'mcp_session',
};

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Who is calling: bound to one agent by proof, unbound, or refused. Pure; the only place where evidence becomes a caller.
 *
 * What the caller sent itself must hold: a secret that is unknown, expired or revoked refuses the call, and two that
 * name different agents refuse it too; nothing is guessed. The MCP session is what the transport carries for the caller;
 * it binds when the call brings no secret of its own, with weak assurance. An agent id is never proof: one that names
 * another agent than the proof refuses the call, so that a mistaken caller does not write into the wrong history.
 */
export const resolveCaller = (
  pieces: readonly Piece[],
  claimedAgentId: string | undefined,
  peer: string,
  now: number,
): Outcome<Caller> => {
  const unbound: Caller = { agentId: undefined, assurance: 'none', source: 'none', principal: `peer:${peer}` };
  let found: { agentId: string; source: Piece['source'] } | undefined;
  for (const { source, binding } of pieces) {
    const sent = source !== 'mcp_session';
    if (binding === undefined || binding.kind !== KIND_OF[source] || !bindingHolds(binding, now)) {
      if (!sent) continue;
      return refuse('SESSION_UNKNOWN', `The ${source} is unknown, expired or revoked.`, { details: { source } });
    }
    if (binding.agentId === null) continue;
    if (found === undefined) found = { agentId: binding.agentId, source };
    else if (sent && found.agentId !== binding.agentId) {
      return refuse('IDENTITY_CONFLICT', `The ${found.source} and the ${source} belong to different agents.`);
    }
  }
  if (found === undefined) return accept(unbound);
  if (claimedAgentId !== undefined && UUID.test(claimedAgentId) && claimedAgentId.toLowerCase() !== found.agentId) {
    return refuse('IDENTITY_CONFLICT', `agent_id names another agent than the ${found.source} proves.`, {
      details: { bound_agent_id: found.agentId, requested_agent_id: claimedAgentId },
    });
  }
  return accept({
    agentId: found.agentId,
    assurance: found.source === 'mcp_session' ? 'weak' : 'strong',
    source: found.source,
    principal: `agent:${found.agentId}`,
  });
};
