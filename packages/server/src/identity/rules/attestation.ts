import type { SubstrateClaim } from '../../agents/index.ts';
import type { PeerAttestation } from '../../runtime/index.ts';

/** Why a process is not the one that an agent was enrolled with. */
export type ClaimFailure =
  | 'no_claim'
  | 'label_mismatch'
  | 'exec_mismatch'
  | 'attestation_failed'
  | 'pid_reuse'
  | 'substrate_anchored_uuid_requires_uds';

/**
 * Holds what the kernel says of a peer against the claim of the agent that it says it is (W3-3.09); undefined when it is
 * the enrolled process. A claim without attestation is refused: such an agent is reached over the unix socket only.
 */
export const claimFailure = (
  claim: SubstrateClaim | null,
  attestation: PeerAttestation | undefined,
): ClaimFailure | undefined => {
  if (claim === null) return 'no_claim';
  if (attestation === undefined) return 'substrate_anchored_uuid_requires_uds';
  if (!attestation.ok) return attestation.code;
  const { unit, executable } = attestation.process;
  if (claim.unit !== null && claim.unit !== unit) return 'label_mismatch';
  return claim.executable === executable ? undefined : 'exec_mismatch';
};
