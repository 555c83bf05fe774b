import { refusal, refuse, type Refusal } from '@breakwater/contract';
import type { AgentHead } from '../../agents/index.ts';
import type { Assurance, IdentityWarning, PeerAttestation, ProofOrigin, ProofSource } from '../../runtime/index.ts';
import { bindingHolds, type Binding, type BindingKind } from '../binding.ts';
import { lesser, provesMore } from './assurance.ts';
import { claimFailure } from './attestation.ts';
import type { TokenVerdict } from './continuity-token.ts';

/** A secret that came with a call, looked up. */
export interface Piece {
  readonly source: 'client_session_id' | 'session_header' | 'mcp_session';
  /** Who put it into the call. What the server inferred may bind a call, but never counts as sent. */
  readonly assertedBy: 'caller' | 'server';
  /** The first characters of an agent's id, when the text is the form that can be made of it and no secret. */
  readonly derivedFrom?: string;
  /** undefined: nobody issued it. */
  readonly binding?: Binding | undefined;
}

/** Everything that is known about who is calling. */
export interface Facts {
  readonly pieces: readonly Piece[];
  /** A continuity token: what it says of itself, and its row. */
  readonly token?: { readonly verdict: TokenVerdict; readonly binding: Binding | undefined } | undefined;
  /** The agent that the call says it is; a uuid in lower case. */
  readonly claimed?: string | undefined;
  readonly attestation?: PeerAttestation | undefined;
  /** The call asks to go on as the agent (onboard, identity): there a token counts beyond its hour. */
  readonly resuming?: boolean | undefined;
  readonly now: number;
}

/** Who is calling: bound to an agent by a proof, nobody in particular, or refused with the way out (BW-identity.01). */
export type Resolution =
  | {
      readonly kind: 'bound';
      readonly agentId: string;
      readonly source: ProofSource;
      readonly assurance: Exclude<Assurance, 'none'>;
      readonly origin: ProofOrigin;
      readonly warnings: readonly IdentityWarning[];
    }
  | { readonly kind: 'unbound'; readonly warnings: readonly IdentityWarning[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

type Proof = Omit<Extract<Resolution, { kind: 'bound' }>, 'kind' | 'warnings'>;
type Found =
  { readonly ok: true; readonly proof: Proof | undefined } | { readonly ok: false; readonly refusal: Refusal };

const KIND_OF: Readonly<Record<Piece['source'], BindingKind>> = {
  client_session_id: 'session',
  session_header: 'session',
  mcp_session: 'mcp_session',
};

const NO_WARNINGS: readonly IdentityWarning[] = Object.freeze([]);
const NOTHING: Found = Object.freeze({ ok: true, proof: undefined });
const UNBOUND: Resolution = Object.freeze({ kind: 'unbound', warnings: NO_WARNINGS });

const holds = (binding: Binding | undefined, kind: BindingKind, now: number): binding is Binding =>
  binding?.kind === kind && bindingHolds(binding, now);

/** What one secret proves. One that the caller sent must hold; the transport's session binds when it does. */
const proofOf = ({ source, assertedBy, binding }: Piece, now: number): Found => {
  if (!holds(binding, KIND_OF[source], now)) {
    if (source === 'mcp_session') return NOTHING;
    return refuse('SESSION_UNKNOWN', `The ${source} is unknown, expired or revoked.`, { details: { source } });
  }
  if (binding.agentId === null) return NOTHING;
  const assurance = assertedBy === 'server' ? 'weak' : binding.assurance;
  const origin = assurance === 'weak' ? 'server_inferred' : 'caller_asserted';
  return { ok: true, proof: { agentId: binding.agentId, source, assurance, origin } };
};

/** What a token proves, and why not; it counts only beside the uuid that it names. */
const tokenProof = ({ token, claimed, resuming, now }: Facts): { proof?: Proof; problem?: string; owner?: string } => {
  if (token === undefined) return {};
  const { verdict, binding } = token;
  if (!verdict.ok) return { problem: verdict.reason };
  if (!holds(binding, 'continuity_token', now) || binding.agentId !== verdict.agentId) return { problem: 'revoked' };
  if (verdict.lapsed && resuming !== true) return { problem: 'expired' };
  const owner = verdict.agentId;
  if (claimed === undefined) return { owner };
  if (claimed !== owner) return { owner, problem: 'token_aid_mismatch' };
  // It may have lain in a file for weeks: what it proves then is less than what a secret in use does.
  const assurance = lesser(verdict.lapsed ? 'medium' : 'strong', binding.assurance);
  const origin = assurance === 'weak' ? 'server_inferred' : 'caller_asserted';
  return { owner, proof: { agentId: owner, source: 'continuity_token', assurance, origin } };
};

const conflict = (message: string, details: Readonly<Record<string, unknown>> = {}): Resolution => ({
  kind: 'refused',
  refusal: refusal('IDENTITY_CONFLICT', message, { details }),
});

const tokenWarning = (problem: string): readonly IdentityWarning[] => [
  {
    code: 'continuity_token_invalid',
    message: `The continuity token was not used (${problem}); the call is bound by its other proof.`,
  },
];

/**
 * Who is calling. Pure, and the only place where evidence becomes a caller, whatever the transport (BW-identity.01).
 *
 * What the caller sent must hold, and must agree: a secret that is unknown, expired or revoked refuses the call, and so do
 * two proofs of different agents; nothing is guessed (BW-identity.03, .05). A uuid, a name, a token without its uuid, and
 * the session id that can be made of a uuid prove nothing by themselves (BW-identity.02). An enrolled agent is bound only
 * for its own process, whatever else the call brings (W3-3.09).
 *
 * `headOf` reads the agent that a proof or a claim names, to learn whether it is enrolled.
 */
export const resolve = (
  facts: Facts,
  headOf: (agentId: string) => Pick<AgentHead, 'substrate'> | undefined,
): Resolution => {
  const { pieces, claimed, attestation, now } = facts;
  let best: Proof | undefined;
  let derived: Piece | undefined;
  for (const piece of pieces) {
    if (piece.derivedFrom !== undefined) {
      derived = piece;
      continue;
    }
    const found = proofOf(piece, now);
    if (!found.ok) return { kind: 'refused', refusal: found.refusal };
    const { proof } = found;
    if (proof === undefined) continue;
    // The transport's session is not the caller's word: it yields to what the call itself brings.
    if (best !== undefined && best.agentId !== proof.agentId && piece.source !== 'mcp_session') {
      return conflict(`The ${best.source} and the ${proof.source} belong to different agents.`);
    }
    if (best === undefined || (best.agentId === proof.agentId && provesMore(proof.assurance, best.assurance)))
      best = proof;
  }

  const token = tokenProof(facts);
  if (
    token.owner !== undefined &&
    best !== undefined &&
    token.owner !== best.agentId &&
    best.source !== 'mcp_session'
  ) {
    return conflict(`The ${best.source} and the continuity_token belong to different agents.`);
  }
  // Of two agents, the one that the call itself brings a proof of; of one agent, the better proof.
  if (
    token.proof !== undefined &&
    (best?.agentId !== token.proof.agentId || provesMore(token.proof.assurance, best.assurance))
  ) {
    best = token.proof;
  }

  const substrate = claimed === undefined ? null : (headOf(claimed)?.substrate ?? null);
  if (claimed !== undefined && substrate !== null && claimFailure(substrate, attestation) === undefined) {
    if (best === undefined || best.source === 'mcp_session') {
      best = { agentId: claimed, source: 'attested_process', assurance: 'strong', origin: 'caller_asserted' };
    }
  }

  if (best === undefined) {
    if (derived !== undefined) {
      return {
        kind: 'refused',
        refusal: refusal('SESSION_UNKNOWN', `The ${derived.source} can be made of a uuid: it needs a second proof.`, {
          details: { source: derived.source },
        }),
      };
    }
    return UNBOUND;
  }
  if (derived?.derivedFrom !== undefined && !best.agentId.startsWith(derived.derivedFrom)) {
    return conflict(`The ${derived.source} names another agent than the ${best.source} proves.`);
  }
  if (claimed !== undefined && claimed !== best.agentId) {
    return conflict(`The call names another agent than the ${best.source} proves.`, {
      error_type: 'identity_mismatch',
      bound_agent_id: best.agentId,
      requested_agent_id: claimed,
    });
  }
  const enrolled = headOf(best.agentId)?.substrate ?? null;
  const failure = enrolled === null ? undefined : claimFailure(enrolled, attestation);
  if (failure !== undefined) {
    return {
      kind: 'refused',
      refusal: refusal(
        'SUBSTRATE_REQUIRES_SOCKET',
        'The agent is enrolled, and the call does not come from its process.',
        {
          details: { reason: failure },
        },
      ),
    };
  }
  const warnings = token.problem === undefined ? NO_WARNINGS : tokenWarning(token.problem);
  return { kind: 'bound', ...best, warnings };
};
