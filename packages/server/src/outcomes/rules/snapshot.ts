import type { Channel } from './channel.ts';
import type { OthersReading } from './fleet-guard.ts';
import type { Binding, StoredPrediction } from './binding.ts';

/** What the server notes in the detail of an outcome when it records it; no caller can write these two keys. */
export interface ServerNotes {
  /** The agent had no state to keep beside the outcome. */
  readonly snapshot_missing?: true;
  /** Absent where the outcome can teach calibration nothing: test data, or no claim before the result. */
  readonly server_snapshot?: {
    readonly channel: Channel;
    /** What kind of statement the check-in that made the claim was. */
    readonly claim_class: string | null;
    /** How far the reported complexity of that check-in was from the derived one, 0 to 1; null: none was reported. */
    readonly complexity_gap: number | null;
    /** Whether the agent's newest verdict was to proceed when the result came in; null: it had none. */
    readonly ended_healthy: boolean | null;
  };
  /** No bet was placed on it, because the other agents fell short as well: their results, and by how much (0 to 1). */
  readonly bet_held?: { readonly others: number; readonly shortfall: number };
}

/** The server's notes on an outcome, from what the claim and the agent were at that moment. */
export const serverNotes = (outcome: {
  readonly channel: Channel;
  readonly fixture: boolean;
  readonly binding: Pick<Binding, 'claimed'>;
  readonly claim: Pick<StoredPrediction, 'claimClass' | 'complexityGap'> | undefined;
  readonly hasSnapshot: boolean;
  /** The agent's newest verdict: proceed, guide, pause or reject. */
  readonly verdict: string | null;
  /** What the other agents came to, when no bet was placed for it. */
  readonly held?: OthersReading | undefined;
}): ServerNotes => ({
  ...(!outcome.hasSnapshot && { snapshot_missing: true }),
  ...(outcome.held && {
    bet_held: { others: outcome.held.results, shortfall: Math.round(outcome.held.shortfall * 1000) / 1000 },
  }),
  ...(outcome.binding.claimed &&
    !outcome.fixture && {
      server_snapshot: {
        channel: outcome.channel,
        claim_class: outcome.claim?.claimClass ?? null,
        complexity_gap: outcome.claim?.complexityGap ?? null,
        ended_healthy: outcome.verdict === null ? null : outcome.verdict === 'proceed',
      },
    }),
});
