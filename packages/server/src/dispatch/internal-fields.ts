import type { Arguments } from './frame.ts';

/**
 * Names by which servers of this kind pass their own findings along with a call. Nothing here reads them from arguments;
 * they are removed so that nothing ever can (BW-dispatch.07).
 */
const INTERNAL = new Set([
  'agent_id_resolved',
  'agent_uuid_verified',
  'bound_identity',
  'bound_uuid',
  'caller_proven',
  'continuity_token_invalid',
  'csid_transport_injected',
  'identity_assurance',
  'identity_result',
  'mcp_session_id',
  'principal',
  'proof_origin',
  'session_context',
  'session_proof_origin',
  'session_resolution_source',
  'session_signals',
  'transport_client_hint',
  'transport_injected',
]);

/** Whether a caller may not send this argument: the internal names, and every name that begins with `_`. */
const isInternal = (name: string): boolean => name.startsWith('_') || INTERNAL.has(name);

/** A copy without internal fields. The copy is the call's own: later steps may change it. */
export const withoutInternal = (args: Readonly<Record<string, unknown>>): Arguments => {
  const kept: Arguments = {};
  for (const name in args) if (!isInternal(name)) kept[name] = args[name];
  return kept;
};
